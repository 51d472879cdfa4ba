"""A process of its own that looks at a public context: ``python -m lockleaf.server.accounts.context_check``.

It reads the context from standard input, and writes the name of its parameter set, or why it is none, to standard
output. The library that reads such bytes is native code, and they come from anybody: here it has no secret of the
server's, no connection, and so much memory and time. Whatever happens to it, the server goes on.
"""

from __future__ import annotations

import resource
import sys

__all__ = ["INVALID", "SECRET", "main"]

SECRET = 3
"""Exit code: the context carries its secret key."""
INVALID = 4
"""Exit code: the bytes are no public context of a known parameter set."""

MEMORY_BYTES = 4 * 1024**3  # of address space, most of which is never touched
CPU_SECONDS = 20


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> int:
    """Check what is on standard input."""
    _limit()
    from lockleaf.he import codec, errors  # noqa: PLC0415  (within the limits)

    try:
        parameter_set = codec.check_public_context(sys.stdin.buffer.read())
    except errors.SecretKeyReceived:
        return SECRET
    except errors.InvalidContext as error:
        sys.stdout.write(error.reason)
        return INVALID
    except MemoryError:
        return INVALID
    sys.stdout.write(parameter_set)
    return 0


if __name__ == "__main__":
    sys.exit(main())

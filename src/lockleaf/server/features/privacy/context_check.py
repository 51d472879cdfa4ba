"""A process of its own that looks at a public context: ``python -m lockleaf.server.features.privacy.context_check``.

It reads the context, or SEAL's own public key, from standard input, and writes the name of its parameter set to
standard output, with a word more if it has keys to multiply with, or why it is invalid. The library that decompresses
such bytes is native code, and they come from anybody: here it has no secret of the server's, no connection, and so much
memory and time. Whatever happens to it, the server goes on.
"""

from __future__ import annotations

import resource
import sys

from lockleaf.server.platform.sandbox import confine

__all__ = ["INVALID", "MULTIPLIES", "SECRET", "main"]

MULTIPLIES = "multiplies"

SECRET = 3
"""Exit code: the context carries its secret key, or the key is one."""
INVALID = 4
"""Exit code: the bytes are no public context of a known parameter set."""

MEMORY_BYTES = 4 * 1024**3  # of address space, most of which is never touched
CPU_SECONDS = 20


def _limit() -> None:
    confine(memory_bytes=MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def main() -> int:
    """Check what is on standard input."""
    _limit()
    from lockleaf.he import contexts, errors  # noqa: PLC0415  (within the limits)

    try:
        context = contexts.read_public_context(sys.stdin.buffer.read())
    except errors.SecretKeyReceived:
        return SECRET
    except errors.InvalidContext as error:
        sys.stdout.write(error.reason)
        return INVALID
    except MemoryError:
        return INVALID
    multiplies = () if context.relinearisation_keys is None else (MULTIPLIES,)
    sys.stdout.write(" ".join((context.parameters.name, *multiplies)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What processes are given that work apart from the server, on what strangers sent: so much, and no secret."""

from __future__ import annotations

import os
import resource

__all__ = ["confine", "environment"]

# What a Python needs to find itself and its packages; the server's secrets stand beside these.
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")


def environment() -> dict[str, str]:
    """Return the environment of such a process."""
    passed_on = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    # numpy would start a thread for each further processor, which waits busily for matrices that never come.
    return {**passed_on, "OPENBLAS_NUM_THREADS": "1"}


def confine(*, memory_bytes: int) -> None:
    """Within such a process: take so much address space at most, most of which is never touched, and leave no core."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))

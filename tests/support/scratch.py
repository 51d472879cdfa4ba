"""Where the tests write: in memory, on a machine that has room for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["write_in_memory"]

MEMORY = Path("/dev/shm")
NEEDED = 6 << 30
"""What has to be free, in bytes: each image that is built takes one gigabyte, and programs need memory as well."""


def write_in_memory() -> None:
    """Make the temporary files of this process, and of those that it starts, in memory.

    The store of a device and the database wait for the disk hundreds of times in a test, for the case that the machine
    loses its power, which no test can bring about. Nothing is changed where ``TMPDIR`` names a folder, or where there
    is no folder in memory with room, and in which programs may run: a container's own often has neither.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC or min(shutil.disk_usage(MEMORY).free, _unused_memory()) < NEEDED:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _unused_memory() -> int:
    """Return how many bytes of memory programs could still have."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), 0)

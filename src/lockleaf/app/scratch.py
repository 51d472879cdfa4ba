"""Where an archive lies while it is read or made: in memory, where there is enough of it, else in the profile's folder.

Such an archive is in the clear. What another program made is so on its user's disk anyway; what is made here shall not
stay anywhere but where its user saves it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["scratch_folder", "sweep"]

_PREFIX = "lockleaf-page-"


@contextmanager
def scratch_folder(needed: int, beside: Path) -> Iterator[Path]:
    """Give a folder of its user's own for the length of a ``with``.

    Args:
        needed: bytes that it is to take.
        beside: where to make it if memory does not do; the profile's folder.
    """
    made = _in_memory(2 * needed)
    folder = Path(made or tempfile.mkdtemp(prefix=_PREFIX, dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(beside: Path) -> None:
    """Remove what a process that was killed left in the profile's folder."""
    for left in beside.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _in_memory(needed: int) -> str | None:
    for place in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm"):  # noqa: S108  (mkdtemp: a folder of 0700)
        if place is None:
            continue
        with suppress(OSError):
            if shutil.disk_usage(place).free > needed:
                return tempfile.mkdtemp(prefix=_PREFIX, dir=place)
    return None

"""Private files: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lockleaf.client.errors import DiskFull

__all__ = ["full_disk_by_name", "locked", "make_private_folder", "write_private"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def make_private_folder(path: Path) -> None:
    """Make the folder ``path``, and those above it where they are missing, for their owner alone."""
    missing = [path, *path.parents]
    for folder in reversed([p for p in missing if not p.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)


def write_private(path: Path, data: bytes) -> None:
    """Replace the file ``path`` by ``data``, so that a crash leaves the old content or the new.

    Raises:
        DiskFull: there is no room; the old content is untouched.
    """
    # mkstemp makes the file 0600 from the start: a chmod afterwards would leave a moment in which others can open it.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from None
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; without it a power cut can bring the old file back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, *, otherwise: type[Exception] | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` against other processes. The system takes it back when a process dies.

    Args:
        otherwise: what is raised where another process holds it; None: it is waited for.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if otherwise else 0))
        except BlockingIOError:
            raise (otherwise or BlockingIOError) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def full_disk_by_name() -> Iterator[None]:
    """Raise ``DiskFull`` where the system says that there is no room."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from None
        raise

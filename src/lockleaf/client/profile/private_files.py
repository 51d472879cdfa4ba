"""Private files: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lockleaf.client.errors import DiskFull, ReadOnlyFolder

__all__ = ["full_disk_by_name", "locked", "make_private_folder", "write_private"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NOT_SUPPORTED = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})


def make_private_folder(path: Path) -> None:
    """Make the folder ``path``, and those above it where they are missing, for their owner alone."""
    missing = [path, *path.parents]
    with full_disk_by_name():
        for folder in reversed([p for p in missing if not p.exists()]):
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                if folder.exists():
                    raise
                # A link to a disk that is not plugged in, for instance: where it leads to is what is missing.
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder.readlink())) from None
        if path.stat().st_mode & 0o777 != 0o700:
            path.chmod(0o700)


def write_private(path: Path, data: bytes) -> None:
    """Replace the file ``path`` by ``data``, so that a crash leaves the old content or the new.

    Raises:
        DiskFull: there is no space; the old content is untouched.
        ReadOnlyFolder: nothing can be written there.
    """
    # mkstemp makes the file 0600 from the start: a chmod afterwards would leave a moment in which others can open it.
    with full_disk_by_name():
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                _sync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; without it a power cut can bring the old file back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _sync(handle)
    finally:
        os.close(handle)


def _sync(handle: int) -> None:
    """Bring a file to the disk, as far as its file system can: some in user space, and network ones, cannot."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise


@contextmanager
def locked(path: Path, *, otherwise: type[Exception] | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` against other processes. The system takes it back when a process dies.

    Args:
        otherwise: what is raised where another process holds it; None: it is waited for.
    """
    with full_disk_by_name():
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if otherwise else 0))
        except BlockingIOError:
            raise (otherwise or BlockingIOError) from None
        except OSError as error:
            # A file system without locks: what they keep apart is held against the store once more as it is written.
            if error.errno not in _NOT_SUPPORTED:
                raise
        yield
    finally:
        os.close(handle)


@contextmanager
def full_disk_by_name() -> Iterator[None]:
    """Raise ``DiskFull`` where the system says that there is no space, ``ReadOnlyFolder`` where nothing is taken."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from None
        if error.errno in _READ_ONLY:
            raise ReadOnlyFolder(error.filename if isinstance(error.filename, str) else None) from None
        raise

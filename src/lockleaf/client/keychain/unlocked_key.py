"""For how long a journal stays unlocked: its device key in a file in memory, which ends with the time or the machine.

The file lies in ``XDG_RUNTIME_DIR`` or ``/dev/shm``, in a folder of the user's own, and nowhere if there is no such
folder in memory: a key beside a copied home folder would open it. Time is counted from the start of the machine, so
that a changed clock keeps nothing open. Expired files are removed by the next command that looks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DEFAULT_IDLE", "MOST", "Unlocked", "memory_folder", "seconds_now"]

DEFAULT_IDLE = 15 * 60.0
"""Seconds without a command after which a journal is locked again."""

MOST = 8 * 3600.0
"""Seconds after which it is locked in any case."""

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_FORM = struct.Struct(">8sdddd32s")
_MAGIC = b"unlockd1"
_ENDING = ".unlocked"


def seconds_now() -> float:
    """Return the seconds since the machine was started, those of its sleep included where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def memory_folder() -> Path | None:
    """Return a folder of this user's own that lies in memory, made if need be; None where there is none."""
    user = os.getuid()
    places = [Path("/dev/shm", f"lockleaf-{user}")]  # noqa: S108  (checked below: ownership, mode, file system)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        places.insert(0, Path(runtime, "lockleaf"))
    return next((place for place in places if _is_private_memory(place)), None)


def _is_private_memory(place: Path) -> bool:
    try:
        if not _lies_in_memory(place.parent):
            return False
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        found = place.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    except OSError:
        return False


def _lies_in_memory(folder: Path) -> bool:
    """Tell whether the file system of a folder is one in memory, by the system's own list of mounts."""
    real = folder.resolve(strict=True)
    kinds: dict[Path, str] = {}
    for line in Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines():
        _, point, kind, *_ = line.split(" ")
        # What is mounted last at a point is what one sees there; blanks are written as octal escapes.
        kinds[Path(point.encode().decode("unicode_escape") if "\\" in point else point)] = kind
    return next((kinds[point] for point in (real, *real.parents) if point in kinds), "") in _IN_MEMORY


@dataclass
class Unlocked:
    """The file in memory of one lock.

    Args:
        name: of the lock, known to nobody but its device: letters and digits.
        folder: where it lies; None: there is no memory to keep it in, and nothing is kept.
    """

    name: str
    folder: Path | None = field(default_factory=memory_folder)

    @property
    def _file(self) -> Path | None:
        return None if self.folder is None else self.folder / f"{self.name}{_ENDING}"

    def begin(self, device_key: bytes, *, idle: float = DEFAULT_IDLE, most: float = MOST) -> bool:
        """Keep the key for a time; return whether there is a place to keep it.

        Args:
            device_key: 32 bytes.
            idle: seconds without use after which it ends.
            most: seconds after which it ends in any case.
        """
        self.end()
        self._sweep()
        if self._file is None or idle <= 0:
            return False
        now = seconds_now()
        try:
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, _FORM.pack(_MAGIC, now, now, idle, max(idle, most), device_key))
            finally:
                os.close(handle)
        except OSError:
            return False
        return True

    def use(self) -> bytes | None:
        """Return the key, and count the use; None where the time is over or nothing was begun."""
        if self._file is None:
            return None
        with contextlib.suppress(OSError, struct.error):
            # Never made by this: a lock that comes at the same moment is not undone.
            with _held(self._file) as handle:
                magic, begun, used, idle, most, key = _FORM.unpack(os.pread(handle, _FORM.size + 1, 0))
                now = seconds_now()
                if magic == _MAGIC and begun <= used <= now < min(used + idle, begun + most):
                    os.pwrite(handle, _FORM.pack(magic, begun, now, idle, most, key), 0)
                    return bytes(key)
            self.end()
        return None

    def left(self) -> float | None:
        """Return for how many seconds it stays unlocked if nothing more is done; None where it is not."""
        if self._file is None:
            return None
        with contextlib.suppress(OSError, struct.error), _held(self._file) as handle:
            _, begun, used, idle, most, _ = _FORM.unpack(os.pread(handle, _FORM.size + 1, 0))
            left = min(used + idle, begun + most) - seconds_now()
            return float(left) if left > 0 else None
        return None

    def end(self) -> None:
        """Forget the key."""
        if self._file is not None:
            _erase(self._file)

    def _sweep(self) -> None:
        """Forget what nobody came back for."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            for file in self.folder.glob(f"*{_ENDING}"):
                other = Unlocked(file.name.removesuffix(_ENDING), self.folder)
                if other.left() is None:
                    other.end()


@contextlib.contextmanager
def _held(file: Path) -> Iterator[int]:
    handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(file)
        yield handle
    finally:
        os.close(handle)


def _erase(file: Path) -> None:
    """Overwrite and remove a file in memory: somebody may hold it open."""
    with contextlib.suppress(OSError):
        with _held(file) as handle:
            os.pwrite(handle, bytes(_FORM.size), 0)
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)

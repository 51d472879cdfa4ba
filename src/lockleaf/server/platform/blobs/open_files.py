"""Files of the object store that are open: written and read in threads, closed by whoever no longer needs them.

A request can be given up at any moment, while a thread is at work for it. To close a number that a thread still uses
would let it write or read whatever file has that number next: so each file has a lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Draft", "Reader", "Segment", "sync_folder"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that holds the next ``size`` bytes of an object."""

    path: Path
    size: int


class Draft:
    """A file that is being written, and is nothing yet. Its methods may be called from different threads.

    It is opened by the first that writes to it, so that there is nothing to close if nobody comes to that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._digest = hashlib.sha256()
        self._descriptor: int | None = None
        self._is_over = False

    def write(self, pieces: Sequence[bytes]) -> None:
        """Append ``pieces``; nothing happens once it is finished or discarded."""
        with self._lock:
            if self._is_over:
                return
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self.path, flags, 0o600)
            for piece in pieces:
                self._digest.update(piece)
                remaining = memoryview(piece)
                while remaining:
                    remaining = remaining[os.write(self._descriptor, remaining) :]

    def digest(self) -> bytes:
        """Return the SHA-256 of what was written."""
        with self._lock:
            return self._digest.digest()

    def finish(self) -> None:
        """Have it on the disk, and close it."""
        with self._lock:
            if self._descriptor is not None:
                os.fsync(self._descriptor)
                self._close()

    def discard(self) -> None:
        """Close and remove it, wherever it stands; a file that got its name meanwhile stays."""
        with self._lock:
            self._close()
            with contextlib.suppress(OSError):  # what stays is swept later
                self.path.unlink()

    def _close(self) -> None:
        self._is_over = True
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


class Reader:
    """A file that is being read. Its methods may be called from different threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._closed = False
        self._descriptor: int | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Return what stands at ``offset``, at most ``length`` bytes; nothing once it is closed."""
        try:
            with self._lock:
                if self._closed:
                    return b""
                if self._descriptor is None:
                    self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                return os.pread(self._descriptor, length, offset)
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Close it at once, or have the thread close it that reads it at this moment. Never waits."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                if self._descriptor is not None:
                    descriptor, self._descriptor = self._descriptor, None
                    os.close(descriptor)
            finally:
                self._lock.release()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What a backup is written into: the protocol, and what its two kinds have in common."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from lockleaf.server.main.maintenance.errors import BackupUnwritable
from lockleaf.server.main.maintenance.manifest import Manifest, Part

__all__ = ["FILE_NAME", "SUFFIX", "Counted", "PartWriter", "Target", "create", "new_file", "unwritable"]

FILE_NAME = re.compile(r"([0-9a-f]{40})-([0-9a-f]{64})")
"""The name of an attached file in a backup: its key in the store, and its SHA-256."""
SUFFIX = ".age"


class PartWriter(Protocol):
    """Takes the bytes of one part."""

    def write(self, data: bytes) -> object:
        """Write ``data``."""
        ...


class Target(Protocol):
    """Where a backup is written."""

    encrypted: bool
    """Whether the server's own secrets may go in."""

    def part(self, name: str) -> contextlib.AbstractContextManager[PartWriter]:
        """Take one part of the backup, of whatever length."""
        ...

    def digest_of(self, key: str, size: int) -> str | None:
        """Return the SHA-256 of an attached file that is there from an earlier backup."""
        ...

    def file(self, key: str, size: int) -> contextlib.AbstractContextManager[Counted]:
        """Take an attached file of just this size."""
        ...

    def parts(self) -> dict[str, Part]:
        """Return what was written so far."""
        ...

    def finish(self, manifest: Manifest) -> Path:
        """Make it a backup, on the disk; return where it is."""
        ...

    def abandon(self) -> None:
        """Leave nothing of it behind."""
        ...


def unwritable(path: Path, error: OSError) -> BackupUnwritable:
    """Return what is to be said where a backup cannot be written."""
    reason = error.strerror or "the disk does not take it"
    return BackupUnwritable(
        f"The backup cannot be written to {path}: {reason}. Nothing that was there is changed, and there is no half "
        "backup under its name. Free some space or choose another place, and run it again."
    )


class Counted:
    """Counts and hashes what is written."""

    def __init__(self, target: PartWriter) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes) -> int:
        """Write ``data``."""
        self._target.write(data)
        self._digest.update(data)
        self._bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever made the target flushes it."""

    def part(self) -> Part:
        """Return what was written so far."""
        return Part(self._bytes, self._digest.hexdigest())


def create(path: Path) -> int:
    """Open a new file for its owner alone."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a new file to write into; at the end it is on the disk."""
    with os.fdopen(create(path), "wb", buffering=1024 * 1024) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())

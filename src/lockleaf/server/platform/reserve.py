"""What is kept free of the disks that this server writes to.

A PostgreSQL that cannot write its log stops, and nobody can read any more, or delete anything to make room. So before a
disk is full what would fill it is refused, and the rest goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from lockleaf.server.platform.db.errors import StorageFull
from lockleaf.server.platform.settings import Settings

__all__ = ["DiskReserve", "disk_reserve"]

LOOK_SECONDS = 1.0
SPARED_BYTES = 16 * 1024
"""A body up to this size passes whatever is left: logins, deletions, questions."""


class DiskReserve:
    """Refuses what would leave less than the reserve.

    Args:
        folders: of the disks.
        reserve_bytes: what is kept free on each; 0 for nothing.
    """

    def __init__(self, folders: Sequence[Path], reserve_bytes: int) -> None:
        self._folders = folders
        self._reserve = reserve_bytes
        self._left = 0
        self._looked: float | None = None

    def require(self, size: int | None) -> None:
        """Let a body of so many bytes pass, or one of unknown size, if there is room for it.

        Raises:
            StorageFull: there is not.
        """
        if not self._reserve or not self._folders or (size is not None and size <= SPARED_BYTES):
            return
        self._look()
        self._left -= size or 0
        if self._left < 0:
            raise StorageFull

    @property
    def is_short(self) -> bool:
        """Whether bodies are refused."""
        if not self._reserve or not self._folders:
            return False
        self._looked = None  # asked seldom, and by whoever wants to know how it is now
        self._look()
        return self._left < SPARED_BYTES

    def _look(self) -> None:
        now = time.monotonic()
        if self._looked is None or now - self._looked > LOOK_SECONDS:
            self._looked = now
            self._left = min(map(_free, self._folders)) - self._reserve


def _free(folder: Path) -> int:
    try:
        disk = os.statvfs(folder)
    except OSError:  # gone, which others notice and say
        return 2**63
    return disk.f_bavail * disk.f_frsize


def disk_reserve(settings: Settings) -> DiskReserve:
    """Return the reserve of a server's disks: of its own database, and of its folder of attached files."""
    folders = [settings.data_dir] if settings.database.url is None else []
    if settings.blobs.kind == "file":
        folders.append(settings.blobs.path or settings.data_dir / "blobs")
    return DiskReserve(folders, settings.limits.disk_reserve_bytes)

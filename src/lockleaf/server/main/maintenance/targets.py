"""Which target a path means."""

from __future__ import annotations

from pathlib import Path

from lockleaf.server.main.maintenance.errors import MaintenanceError
from lockleaf.server.main.maintenance.folder_target import FolderTarget
from lockleaf.server.main.maintenance.tar_target import TarTarget
from lockleaf.server.main.maintenance.writing import SUFFIX, Target, unwritable

__all__ = ["is_one_file", "target_at"]


def is_one_file(path: Path) -> bool:
    """Tell whether a path names a backup in one file."""
    return path.name.endswith((".tar", ".tar" + SUFFIX))


def target_at(path: Path, moment: str, *, recipient: str | None, keep: int) -> Target:
    """Return the target that a path means: one file where it ends in .tar or .tar.age, else a folder.

    Raises:
        MaintenanceError: the name and the recipient do not fit each other.
        BackupUnwritable: it cannot be written there.
    """
    try:
        if is_one_file(path):
            if (recipient is not None) != path.name.endswith(SUFFIX):
                raise MaintenanceError(
                    "A backup in one file is encrypted where its name ends in .tar.age, and not where it ends in .tar. "
                    "Give such a name together with --to RECIPIENT, or without it."
                )
            return TarTarget(path, moment, recipient)
        return FolderTarget(path, moment, recipient, keep)
    except OSError as error:
        raise unwritable(path, error) from None

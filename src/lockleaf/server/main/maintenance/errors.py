"""What stops a backup, a restore or a check. The messages say what happened, what it means and what to do."""

from __future__ import annotations

__all__ = [
    "BackupDamaged",
    "BackupExists",
    "BackupUnreadable",
    "BackupUnwritable",
    "DatabaseInUse",
    "DatabaseNotEmpty",
    "IdentityRequired",
    "MaintenanceError",
]


class MaintenanceError(Exception):
    """Something that an operator has to decide or to repair."""


class BackupUnwritable(MaintenanceError):
    """A backup cannot be written where it was to go."""


class BackupExists(BackupUnwritable):
    """Something else is there already."""


class BackupUnreadable(MaintenanceError):
    """What was given is no backup, or not one that this version reads."""


class BackupDamaged(MaintenanceError):
    """A part of a backup is missing, or is not what was written."""


class IdentityRequired(MaintenanceError):
    """A backup is encrypted, and nothing that opens it was given."""


class DatabaseNotEmpty(MaintenanceError):
    """There are accounts where a backup was to be restored."""


class DatabaseInUse(MaintenanceError):
    """Servers or workers are connected to a database that is to be exchanged."""

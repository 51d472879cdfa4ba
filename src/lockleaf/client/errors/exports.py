"""Exports in plain text, and archives."""

from __future__ import annotations

from lockleaf.client.errors.local import LocalError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "ArchiveCodeUnknown",
    "ArchiveWithoutKeys",
    "ExportRunning",
    "NoPlaceForRevisions",
    "NotAnArchive",
    "NotAnExportFolder",
    "OtherExport",
]


class ExportRunning(LocalError):
    """Another program exports into this folder at the moment. Wait until it is done, then try again."""

    exit_code = ExitCode.CONFLICT


class NoPlaceForRevisions(LocalError):
    """This format has no place for earlier revisions. Leave them out, or choose markdown or json."""

    exit_code = ExitCode.USAGE


class NotAnExportFolder(LocalError):
    """There is something of this name that is no folder. Choose another path, or one that ends in .zip."""

    exit_code = ExitCode.CONFLICT


class OtherExport(LocalError):
    """This folder holds another export: of another account, in another format, or of other entries.

    An export makes the folder what it is asked for, so files of the other one would be taken away. Choose another
    folder, or say that this one shall be changed.
    """

    exit_code = ExitCode.CONFLICT
    hint = "another folder, or --force if this one shall be changed"


class NotAnArchive(LocalError):
    """This is no archive of an account, or it is damaged, or a newer version of this program made it. Get it again."""

    exit_code = ExitCode.INPUT


class ArchiveWithoutKeys(LocalError):
    """The account in this archive has no keyring: its client keeps the keys to itself, and only that opens the rest."""

    exit_code = ExitCode.INPUT


class ArchiveCodeUnknown(LocalError):
    """This recovery code opens nothing in the archive.

    Codes open archives that were made while they were good: before they were used, and before others took their place.
    The password of that time opens it, too.
    """

    exit_code = ExitCode.CREDENTIALS

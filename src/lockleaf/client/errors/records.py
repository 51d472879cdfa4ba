"""What a server refuses of records, whichever endpoint they are written through."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError

__all__ = [
    "BackupConflict",
    "BatchRefused",
    "ChangeRejected",
    "CheckpointOutdated",
    "ConflictResolved",
    "ContentRequired",
    "ContentUnreadable",
    "EntryDeleted",
    "EntryPurged",
    "EpochChanged",
    "EpochEndOutdated",
    "HistoryMoved",
    "InboxFull",
    "InvalidRecordId",
    "KeyRetired",
    "MalformedPayload",
    "ParentMismatch",
    "PayloadTooLarge",
    "RevisionConflict",
    "RevisionNotFound",
    "RevisionRequired",
    "SealRequired",
    "TooManyStatements",
    "VersionConflict",
    "WrongDoor",
]


class EpochChanged(ApiError):
    """The server's history goes on from another point: it was restored from a backup, or the account was emptied."""


class HistoryMoved(ApiError):
    """Other devices kept writing while the keys were changed, so nothing was changed. Try again in a moment."""


class KeyRetired(ApiError):
    """Another device changed the account's keys, and the server takes nothing more under the old one.

    What you wrote is kept on this device. Log in again: it is sealed under the new key and sent.
    """

    hint = "lockleaf logout, then lockleaf login"


class EpochEndOutdated(ApiError):
    """Something was written to the account while its tier was being lowered. Nothing was deleted; try again."""


class TooManyStatements(ApiError):
    """The server keeps no more confirmations of restores for this account. Yours is kept on this device."""


class CheckpointOutdated(ApiError):
    """The server's history began anew since this device read it. The next sync tells whether it was restored."""


class RevisionConflict(ApiError):
    """Another device changed this in the meantime. Sync, look at both versions, and try again."""


class RevisionRequired(ApiError):
    """The server does not replace anything without being told which revision. This program should have said so."""


class VersionConflict(ApiError):
    """The vault holds another version than the one that this would follow. Read it, and send the next one."""


class BackupConflict(ApiError):
    """Another device backed up another text under this id. Both are kept; resolve the conflict."""


class ConflictResolved(ApiError):
    """This conflict was resolved already, here or on another device."""


class ContentRequired(ApiError):
    """This choice needs the text that shall be kept."""


class RevisionNotFound(ApiError):
    """The server has no such version of the entry, or no longer."""


class EntryDeleted(ApiError):
    """The entry was deleted, here or on another device. Restore it, then change it."""


class EntryPurged(ApiError):
    """The entry was deleted so long ago that the server no longer has what it held."""


class ContentUnreadable(ApiError):
    """The server could not open this record with the account's keys. It is kept as it is."""


class WrongDoor(ApiError):
    """Records of this collection cannot be written by sync."""


class PayloadTooLarge(ApiError):
    """The record is larger than the server takes; `limit_bytes` in `facts` says how long a sealed one may be."""


class MalformedPayload(ApiError):
    """The server did not take the sealed bytes for a record."""


class SealRequired(ApiError):
    """The account has a keyring, and the server takes no entry, tag or deletion for it that is not sealed."""


class InvalidRecordId(ApiError):
    """The server refused the record's id."""


class ParentMismatch(ApiError):
    """The change does not follow the version that the server has. Sync and try again."""


class ChangeRejected(ApiError):
    """The server cannot store this change. It is kept on this device."""


class BatchRefused(ApiError):
    """Another change of the same batch was refused, so this one was not written either."""


class InboxFull(ApiError):
    """The inbox is full. Accept or refuse what waits there, and new items can come in."""

"""What the diary refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["EntryDeleted", "EntryNotFound", "EntryPurged", "RevisionNotFound"]


class EntryNotFound(NotFound):
    """There is no such entry in this account."""

    code = ErrorCode.NOT_FOUND


class RevisionNotFound(NotFound):
    """The entry has no such revision, or it was dropped: what an entry held goes some time after its deletion."""

    code = ErrorCode.REVISION_NOT_FOUND


class EntryDeleted(Conflict):
    """The entry is deleted. Restore it, then change it."""

    code = ErrorCode.ENTRY_DELETED


class EntryPurged(Conflict):
    """The entry was deleted so long ago that what it held is gone. It can be written anew, not restored."""

    code = ErrorCode.ENTRY_PURGED

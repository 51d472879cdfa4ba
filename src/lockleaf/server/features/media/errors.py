"""What media refuse."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, Invalid, NotFound
from lockleaf.wire.problems import ErrorCode

__all__ = ["MediaDeleted", "MediaIdTaken", "MediaNotFound", "PartUnknown", "UploadDamaged", "UploadIncomplete"]


class MediaNotFound(NotFound):
    """There is no such file in this account, or no longer."""

    code = ErrorCode.NOT_FOUND


class MediaIdTaken(Conflict):
    """The account has another file under this id. Choose another id."""

    code = ErrorCode.MEDIA_ID_TAKEN


class MediaDeleted(Conflict):
    """The file is deleted. Restore it first."""

    code = ErrorCode.MEDIA_DELETED


class UploadIncomplete(Conflict):
    """The store does not have all of the file yet. Upload the rest: `missing` has the numbers of the missing parts."""

    code = ErrorCode.UPLOAD_INCOMPLETE


class UploadDamaged(Conflict):
    """The store has other bytes than those that were declared, and they were thrown away. Upload the file again."""

    code = ErrorCode.UPLOAD_DAMAGED


class PartUnknown(Invalid):
    """The file was declared without such a part: `parts` says how many it has."""

    code = ErrorCode.PART_UNKNOWN

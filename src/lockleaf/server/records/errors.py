"""What the store refuses."""

from __future__ import annotations

from lockleaf.server.errors import Conflict, Invalid, NotFound, Outdated, TooLarge, Unconditional
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "ChangeRejected",
    "ConflictNotFound",
    "ConflictResolved",
    "ContentRequired",
    "EpochChanged",
    "PayloadTooLarge",
    "PreconditionFailed",
    "RevisionConflict",
    "RevisionRequired",
]


class EpochChanged(Conflict):
    """The store has begun a new epoch since this cursor was given.

    Compare your history with `from_seq` and `from_head`, then read on from there.
    """

    code = ErrorCode.EPOCH_CHANGED


class RevisionConflict(Conflict):
    """The record has moved on since the revision that this change follows.

    Read the current one, merge, and send again.
    """

    code = ErrorCode.REVISION_CONFLICT


class PreconditionFailed(Outdated):
    """`If-Match` names another revision than the present one. Read it, look at what changed, and send again."""

    code = ErrorCode.PRECONDITION_FAILED


class RevisionRequired(Unconditional):
    """An overwrite must say which revision it follows, in its body or by `If-Match`."""

    code = ErrorCode.REVISION_REQUIRED


class PayloadTooLarge(TooLarge):
    """The record is larger than the store takes: 1 MiB with everything that belongs to it."""

    code = ErrorCode.PAYLOAD_TOO_LARGE


class ConflictNotFound(NotFound):
    """There is no such conflict in this account."""

    code = ErrorCode.NOT_FOUND


class ConflictResolved(Conflict):
    """This conflict was resolved before, perhaps on another device. Sync to see how."""

    code = ErrorCode.CONFLICT_RESOLVED


class ContentRequired(Invalid):
    """This choice needs the sealed content that shall stand: `payload`, `base_revision` and `parent`."""

    code = ErrorCode.CONTENT_REQUIRED


class ChangeRejected(Invalid):
    """The change cannot be stored; `reason` names why."""

    code = ErrorCode.CHANGE_REJECTED

"""What the store refuses."""

from __future__ import annotations

from lockleaf.server.platform.errors import Conflict, DomainError, Invalid, NotFound, Outdated, TooLarge, Unconditional
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "ChangeRejected",
    "ConflictNotFound",
    "ConflictResolved",
    "ContentRequired",
    "EpochChanged",
    "EpochEndOutdated",
    "HistoryMoved",
    "InvalidStatement",
    "KeyRetired",
    "PayloadTooLarge",
    "PreconditionFailed",
    "RevisionConflict",
    "RevisionRequired",
    "SealRequired",
    "TooManyStatements",
    "refusal",
]


class EpochChanged(Conflict):
    """The store has begun a new epoch since this cursor was given.

    Compare your history with `from_seq` and `from_head`, then read on from there.
    """

    code = ErrorCode.EPOCH_CHANGED


class HistoryMoved(Conflict):
    """The account's history does not end where the request says: something was written in between.

    Sync, then send it again with the end that you have verified. `epoch`, `seq` and `head` are the present one.
    """

    code = ErrorCode.HISTORY_MOVED


class KeyRetired(Conflict):
    """The change is sealed under a master key that was retired by a rotation. Nothing was stored.

    Log in again for the new keyring, sync, and seal the change under the newest key.
    """

    code = ErrorCode.KEY_RETIRED


class EpochEndOutdated(Conflict):
    """The history does not end where the signed end of the epoch says. Nothing was deleted.

    Sync, and sign the end that results; `epoch`, `seq` and `head` are the present one.
    """

    code = ErrorCode.EPOCH_END_OUTDATED


class InvalidStatement(Invalid):
    """A statement about an epoch is not signed by a signing key of this account. Sign it with the newest one."""

    code = ErrorCode.INVALID_SIGNATURE


class TooManyStatements(Conflict):
    """The account has as many statements about this epoch, or in all, as it may. Nothing was kept."""

    code = ErrorCode.TOO_MANY_STATEMENTS


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
    """The record is larger than the store takes, with everything that belongs to it; `limit_bytes` says how much."""

    code = ErrorCode.PAYLOAD_TOO_LARGE

    def __init__(self, *, limit_bytes: int | None = None) -> None:
        super().__init__(limit_bytes=MAX_PAYLOAD_BYTES if limit_bytes is None else limit_bytes)


class ConflictNotFound(NotFound):
    """There is no such conflict in this account."""

    code = ErrorCode.NOT_FOUND


class ConflictResolved(Conflict):
    """This conflict was resolved before, perhaps on another device. Sync to see how."""

    code = ErrorCode.CONFLICT_RESOLVED


class ContentRequired(Invalid):
    """This choice needs the sealed content that shall stand: `payload`, `base_revision` and `parent`."""

    code = ErrorCode.CONTENT_REQUIRED


class SealRequired(Invalid):
    """The account has a keyring, and takes nothing in `entries`, `tags` and `x-lockleaf` that is not sealed with it.

    Deletions and tags are sealed by a client too, and pushed to `/sync/push`. Nothing was stored.
    """

    code = ErrorCode.SEAL_REQUIRED


class ChangeRejected(Invalid):
    """The change cannot be stored; `reason` names why."""

    code = ErrorCode.CHANGE_REJECTED


def refusal(code: str | None, *, limit_bytes: int | None = None) -> DomainError:
    """Return the error of a change that the store rejected with ``code``; ``limit_bytes`` if it was too large."""
    if code == ErrorCode.PAYLOAD_TOO_LARGE:
        return PayloadTooLarge(limit_bytes=limit_bytes)
    if code == ErrorCode.KEY_RETIRED:
        return KeyRetired()
    if code == ErrorCode.SEAL_REQUIRED:
        return SealRequired()
    return ChangeRejected(reason=code)

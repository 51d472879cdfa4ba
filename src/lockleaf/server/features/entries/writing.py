"""What a change to an entry asks of the entry as it is behind the lock of the history, whoever seals it."""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.entries.conditions import Condition
from lockleaf.server.features.entries.errors import EntryDeleted, EntryNotFound, EntryPurged
from lockleaf.server.platform.preconditions import matches
from lockleaf.server.records.errors import PreconditionFailed
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.sync import Record

__all__ = ["COLLECTION", "changeable", "current_entry", "require_match", "restorable"]

COLLECTION = "entries"


async def current_entry(store: AccountRecords, entry_id: UUID) -> Record:
    """Return an entry as it stays until the transaction ends; a deleted one too.

    Raises:
        EntryNotFound: there is no such entry.
    """
    current = await store.current(COLLECTION, str(entry_id))
    if current is None:
        raise EntryNotFound
    return current


async def restorable(store: AccountRecords, current: Record, if_match: str | None) -> Record:
    """Return the revision by which a deleted entry is restored.

    Raises:
        PreconditionFailed: ``If-Match`` names another revision than the present one.
        EntryPurged: what it held is gone.
    """
    require_match(current, if_match)
    last = await store.deleted_content(current)
    if last is None:
        raise EntryPurged
    return last


def require_match(current: Record, if_match: str | None) -> None:
    """Check that a request means the entry as it is.

    Raises:
        PreconditionFailed: ``If-Match`` names another revision than the present one.
    """
    if not matches(if_match, current.revision):
        raise PreconditionFailed(current_revision=current.revision)


def changeable(current: Record, condition: Condition) -> bool:
    """Tell whether a change follows the present revision; otherwise it may have made that one.

    Raises:
        EntryDeleted: it is to be restored first.
        RevisionConflict, PreconditionFailed: it follows another.
    """
    follows = condition.holds(current.revision)
    if current.deleted:
        raise EntryDeleted if follows else condition.refusal(current.revision)
    if not follows and condition.base != current.revision - 1:
        raise condition.refusal(current.revision)
    return follows

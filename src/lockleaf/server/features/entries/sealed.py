"""Writing to the diary of an end-to-end encrypted account: what comes is sealed, and is compared by its bytes."""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.content.sealed import shown
from lockleaf.server.features.entries.conditions import Condition
from lockleaf.server.features.entries.errors import EntryDeleted
from lockleaf.server.features.entries.writing import COLLECTION, current_entry
from lockleaf.server.records.errors import RevisionConflict, refusal
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.entries import SealedChange, SealedCreation, SealedEntry, SealedStep
from lockleaf.wire.sync import Change, Record

__all__ = ["change", "create", "delete", "restore"]


async def create(store: AccountRecords, body: SealedCreation) -> SealedEntry:
    """Make an entry. The same one sent again is answered like the first time.

    Raises:
        RevisionConflict: the id belongs to another entry, or to this one as it was before.
        PayloadTooLarge, ChangeRejected: as the store says.
    """
    current = await store.current(COLLECTION, str(body.id))
    return await _send(store, current, _change(store, body.id, body, 0))


async def change(store: AccountRecords, entry_id: UUID, body: SealedChange, *, if_match: str | None) -> SealedEntry:
    """Give an entry its next revision; the same one sent again is answered like the first time.

    Raises:
        EntryNotFound: there is no such entry.
        EntryDeleted: it is to be restored first.
        RevisionRequired, RevisionConflict, PreconditionFailed: it does not say what it follows, or follows another.
        PayloadTooLarge, ChangeRejected: as the store says.
    """
    condition = Condition.of(base=body.base_revision, revision=body.revision, if_match=if_match)
    current = await current_entry(store, entry_id)
    base = condition.base
    if condition.holds(current.revision):
        if current.deleted:
            raise EntryDeleted
        base = current.revision
    elif base is None or base == current.revision:
        raise condition.refusal(current.revision)
    # One that follows an earlier revision may be one that was accepted then: the store knows.
    return await _send(store, current, _change(store, entry_id, body, base), condition=condition)


async def delete(store: AccountRecords, entry_id: UUID, body: SealedStep, *, if_match: str | None) -> SealedEntry:
    """Delete an entry by its sealed tombstone.

    Raises:
        EntryNotFound: there is no such entry.
        RevisionConflict, PreconditionFailed: it has moved on.
        PayloadTooLarge, ChangeRejected: as the store says.
    """
    return await _step(store, entry_id, body, if_match=if_match, deleted=True)


async def restore(store: AccountRecords, entry_id: UUID, body: SealedStep, *, if_match: str | None) -> SealedEntry:
    """Bring a deleted entry back with its content, sealed again.

    Raises:
        EntryNotFound: there is no such entry.
        RevisionConflict, PreconditionFailed: it has moved on, or is not deleted.
        PayloadTooLarge, ChangeRejected: as the store says.
    """
    return await _step(store, entry_id, body, if_match=if_match, deleted=False)


async def _step(
    store: AccountRecords, entry_id: UUID, body: SealedStep, *, if_match: str | None, deleted: bool
) -> SealedEntry:
    condition = Condition.of(base=body.base_revision, if_match=if_match)
    current = await current_entry(store, entry_id)
    if body.base_revision == current.revision and (current.deleted == deleted or not condition.holds(current.revision)):
        raise condition.refusal(current.revision)
    change = _change(store, entry_id, body, body.base_revision, deleted=deleted)
    return await _send(store, current, change, condition=condition)


def _change(
    store: AccountRecords,
    entry_id: UUID,
    body: SealedCreation | SealedChange | SealedStep,
    base: int,
    *,
    deleted: bool = False,
) -> Change:
    return store.change(
        COLLECTION,
        str(entry_id),
        Base(base, body.parent),
        body.payload,
        deleted=deleted,
        labels=body.labels,
        source=body.source,
        occurred_at=body.occurred_at,
        tokens=body.tokens,
        device=body.device_id or None,
        written_at=body.client_updated_at,
    )


async def _send(
    store: AccountRecords, current: Record | None, change: Change, *, condition: Condition | None = None
) -> SealedEntry:
    outcome = (await store.put([change])).outcomes[0]
    if outcome.status == "applied":
        return shown(outcome.record())
    if outcome.status == "rejected":
        raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
    revision = 0 if current is None else current.revision
    if outcome.status == "conflict" or outcome.revision is None:
        raise RevisionConflict(current_revision=revision) if condition is None else condition.refusal(revision)
    earlier = await store.revision(COLLECTION, change.record_id, outcome.revision)
    if earlier is None:  # what it held has been purged since
        raise RevisionConflict(current_revision=revision)
    return shown(earlier)

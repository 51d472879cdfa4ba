"""Writing to the diary of a uce account for a thin client: the server seals what it is given, within the request.

Each of these reads the entry behind the lock of the account's history, opens the keys, and writes in one transaction:
what is decided here cannot be overtaken.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lockleaf.server.features.content import plain
from lockleaf.server.features.entries.conditions import Condition
from lockleaf.server.features.entries.errors import EntryDeleted, EntryPurged
from lockleaf.server.features.entries.writing import COLLECTION, held_entry, write
from lockleaf.server.features.tags import service as tags
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import TOMBSTONE, OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.preconditions import matches
from lockleaf.server.platform.settings import LimitSettings
from lockleaf.server.records import diary
from lockleaf.server.records import service as records
from lockleaf.server.records.bases import base_of
from lockleaf.server.records.diary import Held
from lockleaf.server.records.errors import PreconditionFailed, RevisionConflict
from lockleaf.server.records.quota import Quota
from lockleaf.wire.content import shared_source, tag_names
from lockleaf.wire.days import shared_date
from lockleaf.wire.entries import PlainChange, PlainCreation, PlainEntry
from lockleaf.wire.sync import Change, Record

__all__ = ["change", "create", "delete", "restore"]

WRITING = "entries.write"


async def create(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    body: PlainCreation,
) -> PlainEntry:
    """Make an entry. The same one sent again under the same id is answered like the first time.

    Raises:
        RevisionConflict: the id belongs to another entry.
        InvalidRequest, PayloadTooLarge: nothing is in it, or too much.
    """
    entry_id = str(body.id or uuid7(clock()))
    held = await records.hold(tx.connection, principal.user_id, COLLECTION, entry_id)
    new = plain.applied({"type": "entry"}, body)
    async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
        if held is None:
            return await _write(tx, clock, limits, quota, metrics, custodian, principal, keys, None, entry_id, new)
        first = await diary.read_revision(tx.connection, principal.user_id, COLLECTION, entry_id, 1)
        if first is None or not plain.same(keys.open(first), new):
            raise RevisionConflict(current_revision=held.revision)
        return plain.entry(first, new)


async def change(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    entry_id: UUID,
    body: PlainChange,
    *,
    if_match: str | None,
) -> PlainEntry:
    """Change the fields of an entry that ``body`` names; the same sent again is answered like the first time.

    Raises:
        EntryNotFound: there is none.
        EntryDeleted: it is to be restored first.
        RevisionRequired, RevisionConflict, PreconditionFailed: it does not say what it follows, or follows another.
        ContentUnreadable: what is there does not open, so nobody can tell what would stay of it.
        InvalidRequest, PayloadTooLarge: nothing would be left in it, or there is too much.
    """
    # `*` lets pass whatever is there, which is no word on what is replaced.
    named = None if if_match is not None and if_match.strip() == "*" else if_match
    condition = Condition.of(revision=body.revision, if_match=named)
    held = await held_entry(tx, principal, entry_id)
    follows = condition.holds(held.revision)
    if held.deleted:
        raise EntryDeleted if follows else condition.refusal(held.revision)
    if not follows and condition.base != held.revision - 1:
        raise condition.refusal(held.revision)
    async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
        present = keys.open(held)
        changed = plain.applied(present, body)
        if follows:
            plain.check_something(changed)
            return await _write(
                tx, clock, limits, quota, metrics, custodian, principal, keys, held, held.record_id, changed
            )
        if not plain.same(present, changed):
            raise condition.refusal(held.revision)
        return plain.entry(held, present)


async def delete(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    entry_id: UUID,
    *,
    if_match: str | None,
) -> PlainEntry:
    """Delete an entry; it can be restored until it is purged. One that is deleted stays so.

    Raises:
        EntryNotFound: there is none.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
    """
    held = await held_entry(tx, principal, entry_id)
    async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
        if held.deleted:
            return plain.shown(keys, await _read(tx, principal, held))
        if not matches(if_match, held.revision):
            raise PreconditionFailed(current_revision=held.revision)
        tombstone = _change(
            principal, clock, keys, held, held.record_id, {"type": TOMBSTONE},
            source=held.source, occurred_at=held.occurred_at, deleted=True,
        )  # fmt: skip
        written = await write(tx, clock, limits, quota, metrics, custodian, principal, held, [tombstone])
        assert written.record is not None, "nobody writes behind the lock"
        return plain.shown(keys, Held(written.record, last=held))


async def restore(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    entry_id: UUID,
    *,
    if_match: str | None,
) -> PlainEntry:
    """Bring a deleted entry back as it was. One that is not deleted stays as it is.

    Raises:
        EntryNotFound: there is none.
        EntryPurged: what it held is gone.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
        ContentUnreadable: what it held does not open.
    """
    held = await held_entry(tx, principal, entry_id)
    async with keyrings.opened(clock, custodian, tx.connection, principal, purpose=WRITING) as keys:
        if not held.deleted:
            return plain.shown(keys, Held(held))
        if not matches(if_match, held.revision):
            raise PreconditionFailed(current_revision=held.revision)
        last = await diary.last_content(tx.connection, principal.user_id, COLLECTION, held.record_id)
        if last is None:
            raise EntryPurged
        found = {name: value for name, value in keys.open(last).items() if name != plain.SEEN}
        return await _write(tx, clock, limits, quota, metrics, custodian, principal, keys, held, held.record_id, found)


async def _read(tx: Transaction, principal: Principal, held: Record) -> Held:
    return await diary.read(tx.connection, principal.user_id, COLLECTION, held.record_id) or Held(held)


async def _write(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    keys: OpenKeyring,
    held: Record | None,
    entry_id: str,
    new: dict[str, Any],
) -> PlainEntry:
    plain.check_size(new)
    entry = _change(
        principal, clock, keys, held, entry_id, new,
        labels=plain.labels_of(keys, new),
        source=shared_source(new),
        occurred_at=shared_date(new),
    )  # fmt: skip
    made = await tags.ensure(tx.connection, clock, principal, keys, tag_names(new))
    written = await write(
        tx, clock, limits, quota, metrics, custodian, principal, held, [entry, *made], keys=keys, content=new
    )
    assert written.record is not None, "nobody writes behind the lock"
    return plain.entry(written.record, new)


def _change(
    principal: Principal,
    clock: Clock,
    keys: OpenKeyring,
    held: Record | None,
    entry_id: str,
    new: dict[str, Any],
    *,
    labels: tuple[bytes, ...] = (),
    source: str | None = None,
    occurred_at: str | None = None,
    deleted: bool = False,
) -> Change:
    base_revision, parent = base_of(held)
    return keys.sealed_change(
        new,
        collection=COLLECTION,
        record_id=entry_id,
        base_revision=base_revision,
        parent=parent,
        labels=labels,
        source=source,
        occurred_at=occurred_at,
        deleted=deleted,
        device=principal.device,
        written_at=clock(),
    )

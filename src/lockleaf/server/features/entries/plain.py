"""Writing to the diary of a uce account for a thin client: the server seals what it is given, within the request.

Each of these reads the entry behind the lock of the account's history, opens the keys, and writes in one transaction:
what is decided here cannot be overtaken.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from lockleaf.server.features.content import plain
from lockleaf.server.features.entries.conditions import Condition
from lockleaf.server.features.entries.writing import COLLECTION, changeable, current_entry, require_match, restorable
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.identity.custody.keyrings import TOMBSTONE, OpenedContent, OpenKeyring
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.records import diary
from lockleaf.server.records.diary import CurrentRecord
from lockleaf.server.records.errors import RevisionConflict
from lockleaf.wire.content import shared_source
from lockleaf.wire.days import shared_date
from lockleaf.wire.entries import PlainChange, PlainCreation, PlainEntry
from lockleaf.wire.sync import Record

__all__ = ["change", "create", "delete", "restore"]

WRITING = "entries.write"


async def create(store: CallerRecords, body: PlainCreation) -> PlainEntry:
    """Make an entry. The same one sent again under the same id is answered like the first time.

    Raises:
        RevisionConflict: the id belongs to another entry.
        InvalidRequest, PayloadTooLarge: nothing is in it, or too much.
    """
    entry_id = str(body.id or uuid7(store.clock()))
    current = await store.current(COLLECTION, entry_id)
    new = plain.applied({"type": "entry"}, body)
    async with store.keyring(WRITING) as keys:
        if current is None:
            return await _write(store, keys, None, entry_id, new)
        first = await store.revision(COLLECTION, entry_id, 1)
        if first is None or not plain.same(keys.open(first), new):
            raise RevisionConflict(current_revision=current.revision)
        return plain.entry(first, new)


async def change(store: CallerRecords, entry_id: UUID, body: PlainChange, *, if_match: str | None) -> PlainEntry:
    """Change the fields of an entry that ``body`` names; the same sent again is answered like the first time.

    Raises:
        EntryNotFound: there is no such entry.
        EntryDeleted: it is to be restored first.
        RevisionRequired, RevisionConflict, PreconditionFailed: it does not say what it follows, or follows another.
        ContentUnreadable: what is there does not open, so nobody can tell what would stay of it.
        InvalidRequest, PayloadTooLarge: nothing would be left in it, or there is too much.
    """
    # `*` lets pass whatever is there, which is no word on what is replaced.
    named = None if if_match is not None and if_match.strip() == "*" else if_match
    condition = Condition.of(revision=body.revision, if_match=named)
    current = await current_entry(store, entry_id)
    follows = changeable(current, condition)
    async with store.keyring(WRITING) as keys:
        present = keys.open(current)
        changed = plain.applied(present, body)
        if follows:
            plain.check_something(changed)
            return await _write(store, keys, current, current.record_id, changed)
        if not plain.same(present, changed):
            raise condition.refusal(current.revision)
        return plain.entry(current, present)


async def delete(store: CallerRecords, entry_id: UUID, *, if_match: str | None) -> PlainEntry:
    """Delete an entry; it can be restored until it is purged. One that is deleted stays so.

    Raises:
        EntryNotFound: there is no such entry.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
    """
    current = await current_entry(store, entry_id)
    async with store.keyring(WRITING) as keys:
        if current.deleted:
            found = await diary.read(store.connection, store.user_id, COLLECTION, current.record_id)
            return plain.shown(keys, found or CurrentRecord(current))
        require_match(current, if_match)
        tombstone = await store.delete(current, partial(keys.seal, content={"type": TOMBSTONE}))
        return plain.shown(keys, CurrentRecord(tombstone, last=current))


async def restore(store: CallerRecords, entry_id: UUID, *, if_match: str | None) -> PlainEntry:
    """Bring a deleted entry back as it was. One that is not deleted stays as it is.

    Raises:
        EntryNotFound: there is no such entry.
        EntryPurged: what it held is gone.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
        ContentUnreadable: what it held does not open.
    """
    current = await current_entry(store, entry_id)
    async with store.keyring(WRITING) as keys:
        if not current.deleted:
            return plain.shown(keys, CurrentRecord(current))
        last = await restorable(store, current, if_match)
        found = {name: value for name, value in keys.open(last).items() if name != plain.SEEN}
        return await _write(store, keys, current, current.record_id, found)


async def _write(
    store: CallerRecords, keys: OpenKeyring, current: Record | None, entry_id: str, new: dict[str, Any]
) -> PlainEntry:
    plain.check_size(new)
    entry = store.change(COLLECTION, entry_id, current, partial(keys.seal, content=new),
        labels=plain.labels_of(keys, new),
        source=shared_source(new),
        occurred_at=shared_date(new),
    )  # fmt: skip
    return plain.entry(await store.put_one(entry, opened=OpenedContent(keys, {entry_id: new})), new)

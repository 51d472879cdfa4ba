"""Writing to the diary of an e2e account without a keyring, whose client seals by a scheme of its own.

The server keeps what it is given and does the rest as for a thin client: it names revisions, makes tags, and deletes
and restores without being sent anything. It opens nothing, and holds two entries for the same by what the client says.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lockleaf.server.features.content.opaque import shown
from lockleaf.server.features.entries.conditions import Condition
from lockleaf.server.features.entries.writing import COLLECTION, changeable, current_entry, require_match, restorable
from lockleaf.server.identity.custody.keyrings import OpenedContent
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.records import diary
from lockleaf.server.records.diary import CurrentRecord, Wanted
from lockleaf.server.records.errors import RevisionConflict
from lockleaf.server.records.opaque import opaque_label, opaque_map, takes_opaque
from lockleaf.server.records.policy import opaque_policy
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.codec import canonical
from lockleaf.wire.content import shared_source
from lockleaf.wire.days import shared_date
from lockleaf.wire.opaque_entries import OpaqueChange, OpaqueCreation, OpaqueEntry
from lockleaf.wire.sync import Record

__all__ = ["change", "create", "delete", "holds", "labels_of", "restore"]

_NOT_KEPT = frozenset(("id", "tokens", "revision", "base_revision"))
_SEALED = ("encrypted_content", "encrypted_title")
"""Fields that differ each time the same is sealed."""
_LOOKED_AT = 100


async def create(store: AccountRecords, body: OpaqueCreation) -> tuple[OpaqueEntry, bool]:
    """Return an entry, and whether it was made now.

    The same one sent again is answered like the first time, known by its id, or else by its ``content_hash`` and
    everything that is not sealed: the same words on another day are another entry.

    Raises:
        RevisionConflict: the id belongs to another entry.
        SealRequired: the account has a keyring.
        PayloadTooLarge, ChangeRejected, QuotaExceeded: as `write` says.
    """
    entry_id = str(body.id or uuid7(store.clock()))
    current = await store.current(COLLECTION, entry_id)
    new = _applied({}, body)
    if current is not None:
        first = await store.revision(COLLECTION, entry_id, 1)
        if first is None or opaque_map(first.payload) != new:
            raise RevisionConflict(current_revision=current.revision)
        return shown(CurrentRecord(first)), True
    if body.id is None and body.content_hash is not None:
        there = await _same(store, new)
        if there is not None:
            return shown(there), False
    return await _write(store, None, entry_id, new, body.tokens), True


async def _same(store: AccountRecords, new: dict[str, Any]) -> CurrentRecord | None:
    """Return an entry that is there, and says the same as one that was sent."""
    wanted = Wanted(labels=[[opaque_label("content-hash", new["content_hash"])]])
    page = await store.page(wanted, limit=_LOOKED_AT)
    said = _said(new)
    return next((current for current in page.items if _said(opaque_map(current.record.payload) or {}) == said), None)


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _SEALED}


async def change(store: AccountRecords, entry_id: UUID, body: OpaqueChange, *, if_match: str | None) -> OpaqueEntry:
    """Change the fields of an entry that ``body`` names; the same sent again is answered like the first time.

    Raises:
        EntryNotFound: there is no such entry.
        EntryDeleted: it is to be restored first.
        RevisionRequired, RevisionConflict, PreconditionFailed: it does not say what it follows, or follows another.
        InvalidRequest: nothing would be left in it.
        SealRequired: the account has a keyring.
        PayloadTooLarge, ChangeRejected, QuotaExceeded: as `write` says.
    """
    # `*` lets pass whatever is there, which is no word on what is replaced.
    named = None if if_match is not None and if_match.strip() == "*" else if_match
    condition = Condition.of(base=body.base_revision, revision=body.revision, if_match=named)
    current = await current_entry(store, entry_id)
    follows = changeable(current, condition)
    present = opaque_map(current.payload) or {}
    changed = _applied(present, body)
    if "encrypted_content" not in changed:
        raise InvalidRequest(
            errors=[{"field": "encrypted_content", "type": "missing", "message": "the entry would be empty"}]
        )
    if follows:
        return await _write(store, current, current.record_id, changed, body.tokens)
    if present != changed:
        raise condition.refusal(current.revision)
    return shown(CurrentRecord(current))


async def delete(store: AccountRecords, entry_id: UUID, *, if_match: str | None) -> OpaqueEntry:
    """Delete an entry; it can be restored until it is purged. One that is deleted stays so.

    Raises:
        EntryNotFound: there is no such entry.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
        SealRequired: the account has a keyring, and a deletion is sealed too.
    """
    current = await current_entry(store, entry_id)
    if current.deleted:
        found = await diary.read(store.connection, store.user_id, COLLECTION, current.record_id)
        return shown(found or CurrentRecord(current))
    require_match(current, if_match)
    return shown(CurrentRecord(await store.delete(current, policy=opaque_policy), last=current))


async def restore(store: AccountRecords, entry_id: UUID, *, if_match: str | None) -> OpaqueEntry:
    """Bring a deleted entry back as it was. One that is not deleted stays as it is.

    Raises:
        EntryNotFound: there is no such entry.
        EntryPurged: what it held is gone.
        PreconditionFailed: ``If-Match`` names another revision than the present one.
    """
    current = await current_entry(store, entry_id)
    if not current.deleted:
        return shown(CurrentRecord(current))
    last = await restorable(store, current, if_match)
    return await _write(store, current, current.record_id, opaque_map(last.payload) or {}, None)


async def holds(store: AccountRecords, entry_id: UUID) -> bool:
    """Tell whether an entry came as it is, or would have, if there is none: then no step of it is sealed."""
    if not await takes_opaque(store.connection, store.user_id):
        return False
    found = await diary.read(store.connection, store.user_id, COLLECTION, str(entry_id))
    if found is None:
        return True
    said = found.last if found.last is not None and not found.record.payload else found.record
    return not said.payload or opaque_map(said.payload) is not None


def _applied(fields: dict[str, Any], body: OpaqueCreation | OpaqueChange) -> dict[str, Any]:
    """Return an entry's fields with those that ``body`` names."""
    named = body.model_fields_set.intersection(type(body).model_fields) - _NOT_KEPT
    given = {name: getattr(body, name) for name in named} | body.further()
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    changed = {**fields, **given}
    return {name: value for name, value in changed.items() if value not in (None, [])}


def labels_of(fields: dict[str, Any]) -> tuple[bytes, ...]:
    """Return what an entry is found by: its tags, mood and source, and its content's hash."""
    found = {opaque_label("tag", name) for name in fields.get("tag_names", ()) if isinstance(name, str)}
    for kind, name in (("mood", "mood"), ("source", "source"), ("content-hash", "content_hash")):
        if isinstance(value := fields.get(name), str):
            found.add(opaque_label(kind, value))
    return tuple(sorted(found))


async def _write(
    store: AccountRecords, current: Record | None, entry_id: str, new: dict[str, Any], tokens: tuple[bytes, ...] | None
) -> OpaqueEntry:
    entry = store.change(
        COLLECTION,
        entry_id,
        current,
        canonical(new),
        labels=labels_of(new),
        source=shared_source(new),
        occurred_at=shared_date(new),
        tokens=tokens,
    )
    opened = OpenedContent(None, {entry_id: new})
    return shown(CurrentRecord(await store.put_one(entry, opened=opened, policy=opaque_policy)))

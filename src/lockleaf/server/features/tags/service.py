"""The rules of tags: one record a name, whoever makes it and however it is spelled (PROTOCOL section 6).

A tag's id is its label in hexadecimal digits. With uce the server makes the label and seals name and colour as a client
would. With e2e, clients seal them and push them through ``/sync``. From a client that keeps its keys to itself, in an
account without a keyring, it takes a name as it is, kept as a plain map.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from lockleaf.server.features.tags import forms
from lockleaf.server.features.tags.changes import COLLECTION, change_of, sealed_change, tombstone
from lockleaf.server.features.tags.errors import TagNotFound
from lockleaf.server.features.tags.moving import KIND, move_all, opened
from lockleaf.server.features.tags.retagging import retag
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.custody.reading import reading
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.records import diary, tagging
from lockleaf.server.records.opaque import opaque_map
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.codec import canonical
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Change, Record
from lockleaf.wire.tags import OpaqueTagChange, OpaqueTagCreation, Tag, TagChange, TagCleanup, TagCreation

__all__ = ["change_opaque", "change_plain", "clean_up", "create_opaque", "create_plain", "delete", "list_all"]

READING = "tags.read"
WRITING = "tags.write"


async def list_all(clock: Clock, database: Database, custodian: Custodian, principal: Principal) -> list[Tag]:
    """Return the account's tags: alphabetically with uce, by their stored bytes with e2e."""
    async with reading(clock, database, custodian, principal, purpose=READING) as (connection, keys):
        found = await tagging.list_all(connection, principal.user_id)
        used = await tagging.last_used(connection, principal.user_id) if found else {}

        def show() -> list[Tag]:
            tags = [forms.shown(keys, record, used.get(record.record_id)) for record in found]
            if keys is not None:
                tags = _each_once(keys, tags)
            return sorted(tags, key=forms.in_order if keys is not None else forms.in_order_of_bytes)

        return await asyncio.to_thread(show)


def _each_once(keys: OpenKeyring, tags: list[Tag]) -> list[Tag]:
    """Leave out tags of which the newest key has another: after a rotation one is there twice until it is moved."""
    moved = {tag.id for tag in tags}
    places = [None if tag.name is None else keys.label(KIND, tag.name).hex() for tag in tags]
    return [tag for tag, place in zip(tags, places, strict=True) if place in (None, tag.id) or place not in moved]


# ---- get or create ----


async def create_plain(store: CallerRecords, body: TagCreation) -> tuple[Tag, bool]:
    """Return the tag of a name, and whether it was made now. One that is there keeps its spelling and colour."""
    async with store.keyring(WRITING) as keys:
        record_id = keys.label(KIND, body.name).hex()
        await move_all(store, keys)
        current = await store.current(COLLECTION, record_id)
        if current is not None and not current.deleted:
            return await _shown(store, keys, current), False
        new = forms.sealed_map(body.name, body.color)
        change = sealed_change(store, keys, record_id, current, new)
        return await _shown(store, keys, await _write(store, change)), True


async def create_opaque(store: AccountRecords, body: OpaqueTagCreation) -> tuple[Tag, bool]:
    """Return the tag of a label, else of an opaque name, and whether it was made now."""
    record_id = body.label or forms.opaque_id(body.name)
    current = await store.current(COLLECTION, record_id)
    if current is not None and not current.deleted:
        return await _shown(store, None, current), False
    payload = canonical({"name": body.name, "color": body.color})
    change = change_of(store, record_id, current, payload)
    return await _shown(store, None, await _write(store, change)), True


# ---- change ----


async def change_plain(store: CallerRecords, tag_id: str, body: TagChange) -> Tag:
    """Give a tag another name or colour. A new name goes into every entry that has the tag, and decides its id.

    Where there is a tag of the new name, the two become that one.

    Raises:
        TagNotFound: there is no such tag.
        ContentUnreadable: it does not open.
    """
    current = await _current(store, tag_id)
    async with store.keyring(WRITING) as keys:
        current = await _moved(store, keys, current)
        tag_id = current.record_id
        present = keys.open(current)
        name = body.name or str(present.get("name", ""))
        new = forms.sealed_map(name, body.color, present)
        record_id = keys.label(KIND, name).hex()
        if record_id == tag_id:
            changed = sealed_change(store, keys, tag_id, current, new)
            record = await _write(store, changed)
        else:
            record = await _move(store, keys, current, record_id, new, color=body.color)
            # Where two tags become one, that one keeps its spelling, in the entries of both.
            name = str(keys.open(record).get("name", name))
        if name != present.get("name"):
            await retag(store, keys, str(present.get("name", name)), name)
        return await _shown(store, keys, record)


async def _move(
    store: AccountRecords, keys: OpenKeyring, current: Record, record_id: str, new: dict[str, Any], *, color: str | None
) -> Record:
    target = await store.current(COLLECTION, record_id)
    record = target
    if target is None or target.deleted or color is not None:
        changed = sealed_change(store, keys, record_id, target, new)
        record = await _write(store, changed)
    await _write(store, tombstone(store, keys, current))
    assert record is not None, "there is a target, or it was made"
    return record


async def change_opaque(store: AccountRecords, tag_id: str, body: OpaqueTagChange) -> Tag:
    """Give a tag another opaque name or colour; its id stays, since the server cannot tell which label is the name's.

    Raises:
        TagNotFound: there is no such tag.
        InvalidRequest: a tag that a client sealed has no name here that could stay.
    """
    current = await _current(store, tag_id)
    present = opaque_map(current.payload) or {}
    name = body.name or present.get("name")
    if not isinstance(name, str):
        raise InvalidRequest(errors=[{"field": "name", "type": "missing", "message": "the present name is sealed"}])
    payload = canonical({"name": name, "color": body.color or present.get("color")})
    change = change_of(store, tag_id, current, payload)
    return await _shown(store, None, await _write(store, change))


# ---- delete ----


async def delete(store: CallerRecords, tag_id: str) -> None:
    """Delete a tag. With uce it is taken off every entry; with e2e only clients can do that.

    Raises:
        TagNotFound: there is no such tag.
    """
    current = await _current(store, tag_id)
    if store.principal.custody != "uce":
        await _write(store, tombstone(store, None, current))
        return
    async with store.keyring(WRITING) as keys:
        current = await _moved(store, keys, current)
        name = forms.shown(keys, current, None).name
        await _write(store, tombstone(store, keys, current))
        if name is not None:
            await retag(store, keys, name, None)


async def clean_up(store: CallerRecords, *, days: int) -> TagCleanup:
    """Delete the tags that have not been changed, and that no entry with them has been written, for ``days``."""
    # The lock of the history comes first: what is found stale stays so.
    await diary.hold_all(store.connection, store.user_id, [(COLLECTION, "")])
    found = await tagging.stale(store.connection, store.user_id, before=store.clock() - timedelta(days=days))
    if store.principal.custody != "uce":
        tombstones = [tombstone(store, None, each) for each in found]
    elif found:
        async with store.keyring(WRITING) as keys:
            tombstones = [tombstone(store, keys, each) for each in found]
    else:
        tombstones = []
    for first in range(0, len(tombstones), MAX_BATCH_CHANGES):
        await store.put_all(tombstones[first : first + MAX_BATCH_CHANGES], within_quota=False)
    count = len(tombstones)
    return TagCleanup(
        message=f"{count} unused {'tag was' if count == 1 else 'tags were'} deleted.", deleted_count=count
    )


# ---- parts ----


async def _moved(store: AccountRecords, keys: OpenKeyring, current: Record) -> Record:
    """Return a tag as it stands once none is left under a retired key: its id may be another one then.

    Raises:
        TagNotFound: there is one at the new id already, and it was deleted.
    """
    await move_all(store, keys)
    name = (opened(keys, current) or {}).get("name")
    record_id = current.record_id if name is None else keys.label(KIND, name).hex()
    return current if record_id == current.record_id else await _current(store, record_id)


async def _current(store: AccountRecords, tag_id: str) -> Record:
    current = await store.current(COLLECTION, tag_id)
    if current is None or current.deleted:
        raise TagNotFound
    return current


async def _shown(store: AccountRecords, keys: OpenKeyring | None, record: Record) -> Tag:
    return forms.shown(keys, record, await tagging.used_at(store.connection, store.user_id, record.record_id))


async def _write(store: AccountRecords, change: Change) -> Record:
    return await store.put_one(change, within_quota=False)

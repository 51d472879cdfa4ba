"""Entries as the server lists them now: for a device that has not fetched everything, or wants to fetch nothing.

With e2e the server is asked for labels, which tell it neither mood nor tag nor source, unless the account sends none;
each answer is opened here under the account's keys. A list is not verified as the feed is: a server can leave entries
out of it, or show an older revision, and `Client.sync` alone would notice. With uce it filters and opens them itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import RetiredKey, UnsealedChange
from lockleaf.client.records import labels
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.foreign import foreign_map
from lockleaf.client.records.resealing import is_sealed_again
from lockleaf.client.records.sealer import Sealer, sealed_under
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.crypto.history import ZERO, meta, payload_hash
from lockleaf.crypto.labels import label
from lockleaf.wire.base import Body
from lockleaf.wire.entries import PlainEntry, SealedEntry, ShownEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["EntriesPage", "fetch_entries", "labels_are_asked_for", "opened_entry", "plain_entry"]

Parameters = dict[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """Entries of one page, newest first, and where the next one begins: None where this is the last."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


class _SealedPage(Body):
    items: tuple[SealedEntry | OpaqueEntry, ...]
    next_cursor: str | None = None


class _PlainPage(Body):
    items: tuple[PlainEntry, ...]
    next_cursor: str | None = None


async def fetch_entries(opened: OpenAccount, wanted: Selection, *, cursor: str | None, limit: int) -> EntriesPage:
    """Return a page of entries; see `ServerSearch.entries_page`."""
    params: Parameters = {"limit": limit}
    if cursor is not None:
        params["cursor"] = cursor
    if opened.profile.opened_by_server:
        return _fitting(await _plain(opened, wanted, params), wanted)
    if await asyncio.to_thread(labels_are_asked_for, opened.store):
        # Days are sorted out here: the server knows those of an entry only where its user shares them.
        params["label"] = [label(opened.keyring.index_key, kind, value.strip()).hex() for kind, value in wanted.values]
        return _fitting(await _sealed(opened, params), wanted)
    # The server knows nothing to filter by, so what it lists is sorted out here, until there is something to show.
    while True:
        page = _fitting(await _sealed(opened, params), wanted)
        if page.entries or page.next_cursor is None or page.next_cursor == params.get("cursor"):
            return page
        params["cursor"] = page.next_cursor


def labels_are_asked_for(store: LocalStore) -> bool:
    """Return whether the server may be asked by label: not where the account sends none, for all that is known here.

    A device that has not synced yet has not heard of the account's choice. And until everything is sealed again after a
    rotation, some entries still have the labels of a retired key.
    """
    return store.history.position() is not None and labels.is_on(store) and is_sealed_again(store)


def _fitting(page: EntriesPage, wanted: Selection) -> EntriesPage:
    # What it was asked for is looked at again here: a server can give anything.
    return EntriesPage(tuple(entry for entry in page.entries if wanted.holds(entry)), page.next_cursor)


async def _sealed(opened: OpenAccount, params: Parameters) -> EntriesPage:
    page = await opened.transport.request("GET", "/entries", answer=_SealedPage, params=params)
    sealer = Sealer(str(opened.profile.user_id))
    return EntriesPage(tuple(opened_entry(sealer, opened, item) for item in page.items), page.next_cursor)


def opened_entry(sealer: Sealer, opened: OpenAccount, item: SealedEntry | OpaqueEntry) -> Entry:
    """Return a sealed entry as the server listed it, opened; what another application sealed, as it came.

    Raises:
        UnsealedChange: another application sealed it, and the account never was in the hands of one.
        SealBroken: it is not what a device of the account sealed.
        RetiredKey: a retired key sealed it, though everything was sealed again under the newest one.
    """
    if isinstance(item, OpaqueEntry):
        if opened.keyring.first.begins_after is None:
            raise UnsealedChange(f"record {item.id}")
        told = set(ShownEntry.model_fields) - {"source"}
        content = foreign_map(item.model_dump(mode="json", exclude=told, exclude_defaults=True))
        return _entry(item.id, item.revision, ZERO, item.created_at, item.updated_at, content, whole=False)
    if sealed_under(item.payload) != opened.keyring.newest.key_id and is_sealed_again(opened.store):
        raise RetiredKey(f"record {item.id}")
    content = sealer.open(
        opened.keyring,
        collection=ENTRIES,
        record_id=item.id,
        revision=item.revision,
        parent=item.parent,
        deleted=item.deleted_at is not None,
        meta=meta(item.labels, item.source, item.occurred_at),
        payload=item.payload,
    )
    return _entry(item.id, item.revision, payload_hash(item.payload), item.created_at, item.updated_at, content)


async def _plain(opened: OpenAccount, wanted: Selection, params: Parameters) -> EntriesPage:
    params |= {kind: value.strip() for kind, value in wanted.values}
    if wanted.since is not None:
        params["from"] = wanted.since
    if wanted.until is not None:
        params["to"] = wanted.until
    page = await opened.transport.request("GET", "/entries", answer=_PlainPage, params=params)
    return EntriesPage(tuple(plain_entry(item) for item in page.items if not item.unreadable), page.next_cursor)


def plain_entry(item: PlainEntry) -> Entry:
    """Return an entry as a server listed it that may read."""
    content = {
        "body": item.content,
        "title": item.title,
        "mood": item.mood,
        "weather": item.weather,
        "location": item.location,
        "tags": list(item.tags),
        "source": item.source,
        "occurred_at": item.occurred_at,
        "time_zone": item.time_zone,
        "imported": item.imported,
    }
    return _entry(item.id, item.revision, ZERO, item.created_at, item.updated_at, content, whole=False)


def _entry(
    entry_id: str,
    revision: int,
    digest: bytes,
    created_at: datetime,
    updated_at: datetime,
    content: dict[str, Any],
    *,
    whole: bool = True,
) -> Entry:
    created, updated = (time.isoformat().replace("+00:00", "Z") for time in (created_at, updated_at))
    record = StoredRecord(
        ENTRIES,
        entry_id,
        revision=revision,
        base_revision=revision,
        base_hash=digest,
        doc=Document(content, created, updated),
    )
    return entry_of(record, conflict=False, whole=whole)

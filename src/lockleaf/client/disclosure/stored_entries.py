"""Entries as the server stores them, beside what this device shows of them.

With e2e the server is asked for the newest of this device. With uce it opens whatever it is asked for by its id, so the
sealed bytes come from the feed, from its beginning; what it opens is asked for as well, and shown as what it reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import RootModel

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import NotFound
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import entry_of
from lockleaf.client.store.records import ENTRIES
from lockleaf.client.transport.lists import fetch_list
from lockleaf.crypto.history import payload_hash
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.labels import label
from lockleaf.wire.content import labelled
from lockleaf.wire.entries import EntryHistory, PlainEntry, SealedEntry
from lockleaf.wire.opaque_entries import OpaqueEntry
from lockleaf.wire.sync import Feed, Record

__all__ = ["OpenedText", "StoredEntry", "StoredLabel", "fetch_stored"]

BEGINNING = 96
"""Bytes of a sealed entry that are shown."""
_PAGE = 50
_PAGES = 4


class StoredLabel(NamedTuple):
    """A label of an entry, and what this device finds it to stand for, None where it is unknown: no server can tell."""

    digest: bytes
    kind: str | None
    value: str | None


class OpenedText(NamedTuple):
    """What the server reads in an entry of a uce account while it answers."""

    title: str | None
    body: str


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as the server stores it.

    Attributes:
        entry: what this device shows of it.
        seq: its place in the order of the account's changes.
        size: of the sealed bytes.
        beginning: the first of them.
        device: name or id of the device that sent this revision, None where the server does not say.
        source, occurred_at: as the server knows them; None where it does not.
        is_known: the sealed bytes are those that this device verified.
        opened: what the server can read of it within a request; None where it can read nothing.
    """

    entry: Entry
    revision: int
    seq: int
    size: int
    beginning: bytes
    created_at: datetime
    updated_at: datetime
    device: str | None
    labels: tuple[StoredLabel, ...]
    source: str | None
    occurred_at: str | None
    is_known: bool
    opened: OpenedText | None = None


class _Shown(RootModel[SealedEntry | OpaqueEntry]):
    """An entry that a device of the account sealed, or another application."""


async def fetch_stored(
    opened: OpenAccount, newest: Sequence[Entry], limit: int, devices: Mapping[str, str]
) -> tuple[StoredEntry, ...]:
    """Return up to ``limit`` entries as the server stores them.

    Args:
        newest: of this device.
        devices: names of devices by their ids.

    Raises:
        TierRequired: the server holds no entries of this account.
        TransportError, ApiError: it cannot be reached, or refuses.
    """
    if opened.profile.opened_by_server:
        found = await asyncio.gather(*(_opened(opened, each, devices) for each in await _of_feed(opened, limit)))
    else:
        there = [entry for entry in newest if entry.revision > 0 and entry.foreign is None][:limit]
        found = await asyncio.gather(*(_sealed(opened, entry, devices) for entry in there))
    return tuple(each for each in found if each is not None)


async def _sealed(opened: OpenAccount, entry: Entry, devices: Mapping[str, str]) -> StoredEntry | None:
    path = f"/entries/{entry.id}"
    try:
        item = (await opened.transport.request("GET", path, answer=_Shown)).root
        events = await fetch_list(opened.transport, f"{path}/history", EntryHistory)
    except NotFound:
        return None
    if isinstance(item, OpaqueEntry):
        return None
    device = next((event.device_id for event in reversed(events) if event.revision == item.revision), None)
    return await _stored(opened, entry, item, device, devices)


async def _opened(opened: OpenAccount, record: Record, devices: Mapping[str, str]) -> StoredEntry | None:
    known = await asyncio.to_thread(opened.store.records.get, ENTRIES, record.record_id)
    if known is None or known.doc is None:
        return None
    entry = entry_of(known, conflict=False)
    stored = await _stored(opened, entry, record, record.device_id, devices)
    try:
        plain = await opened.transport.request("GET", f"/entries/{record.record_id}", answer=PlainEntry)
    except NotFound:
        return None
    text = None if plain.unreadable else OpenedText(plain.title, plain.content or "")
    return replace(stored, opened=text)


async def _of_feed(opened: OpenAccount, limit: int) -> list[Record]:
    """Return the entries of this device that stand first in the account's history, as the feed has them."""
    there: list[Record] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        params: dict[str, str | int] = {"collection": ENTRIES, "limit": _PAGE}
        if cursor is not None:
            params["after"] = cursor
        feed = await opened.transport.request("GET", "/sync/changes", answer=Feed, params=params, msgpack=True)
        there += [change for change in feed.changes if isinstance(change, Record) and not change.deleted]
        if len(there) >= limit or not feed.has_more or feed.cursor == cursor:
            break
        cursor = feed.cursor
    return there[:limit]


async def _stored(
    opened: OpenAccount, entry: Entry, item: SealedEntry | Record, device: str | None, devices: Mapping[str, str]
) -> StoredEntry:
    leaf = await asyncio.to_thread(opened.store.records.get, ENTRIES, entry.id)
    same = leaf is not None and (leaf.revision, leaf.payload_hash) == (item.revision, payload_hash(item.payload))
    return StoredEntry(
        entry=entry,
        revision=item.revision,
        seq=item.seq,
        size=len(item.payload),
        beginning=item.payload[:BEGINNING],
        created_at=item.created_at,
        updated_at=item.updated_at,
        device=None if device is None else devices.get(device, device),
        labels=tuple(_named(opened.keyring, item.labels, entry)),
        source=item.source,
        occurred_at=item.occurred_at,
        is_known=same,
    )


def _named(keyring: Keyring, digests: Iterable[bytes], entry: Entry) -> Iterable[StoredLabel]:
    """Tell what labels stand for, by making those of the entry as this device has it."""
    words = {"mood": entry.mood, "source": entry.source, "tags": list(entry.tags)}
    made = {label(keyring.index_key, kind, value): (kind, value) for kind, value in labelled(words)}
    for digest in digests:
        yield StoredLabel(digest, *made.get(digest, (None, None)))

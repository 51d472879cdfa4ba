"""What an entry held before: its revisions at the server, and texts that were replaced here before a server had them.

Each revision is opened under the account's keys, and compared with the history that this device verified: from the
entry's last known leaf back, every revision names the digest of the one before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import RootModel

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import HistoryForked, NotFound, RevisionMissing, RevisionNotFound, TierRequired
from lockleaf.client.journal.import_states import REMEMBERED
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.listing import opened_entry, plain_entry
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.crypto.history import payload_hash
from lockleaf.wire.entries import EntryEvent, EntryHistory, PlainEntry, SealedEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["Revision", "fetch_history", "fetch_revision", "replaced_here"]

_AT_ONCE = 4
_FARTHEST = 200
"""So many later revisions are fetched at most to verify an earlier one."""
_PAGE = 500
_REPLACED = "u"

Event = Literal["created", "imported", "updated", "deleted", "restored", "published", "replaced", "exported"]


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of an entry.

    Attributes:
        number: the server's, as text; or ``u1``, ``u2``, ... for a text that was replaced on this device before it was
            sent (``event``: ``replaced``).
        event: what happened; ``exported`` has neither a number nor a text.
        at: when it was written; of a replaced one, until when it stood.
        device_id: where; empty for this device.
        entry: what the entry held; None for a deletion, and for what the server does not keep any more.
        verified: whether it lies on the history that this device verified. False where the server opens it (uce).
    """

    number: str
    event: Event
    at: datetime
    device_id: str
    entry: Entry | None
    verified: bool


class _Shown(RootModel[SealedEntry | OpaqueEntry]):
    """A revision, sealed by a device of the account or by another application before there was one."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A revision; without a digest where its bytes are not known, so that it cannot be verified."""

    parent: bytes
    digest: bytes
    entry: Entry


def replaced_here(store: LocalStore, entry_id: str) -> tuple[Revision, ...]:
    """Return the texts of an entry that were replaced on this device before a server had them, newest first."""
    found = [
        Revision(
            f"{_REPLACED}{number}",
            "replaced",
            datetime.fromisoformat(text.until),
            "",
            entry_of(StoredRecord(ENTRIES, entry_id, doc=text.doc), conflict=False),
            verified=True,
        )
        for number, text in enumerate(store.earlier.of_record(entry_id), start=1)
    ]
    return tuple(reversed(found))


async def fetch_history(opened: OpenAccount, entry_id: str, limit: int) -> tuple[Revision, ...]:
    """Return up to ``limit`` states of an entry, newest first; see `Client.history`."""
    here = await asyncio.to_thread(replaced_here, opened.store, entry_id)
    events = (await _events(opened, entry_id))[-limit:]
    leaf = await _leaf(opened, entry_id)
    found = await _fetched(opened, entry_id, {event.revision for event in events})
    verified = _verified(found, *leaf)
    listed = [
        Revision(
            str(event.revision),
            _named(event, found),
            event.at,
            event.device_id or "",
            None if event.event == "deleted" or event.revision not in found else found[event.revision].entry,
            event.revision in verified,
        )
        for event in events
    ]
    return tuple(sorted((*reversed(listed), *here), key=lambda each: each.at, reverse=True))[:limit]


async def fetch_revision(opened: OpenAccount, entry_id: str, number: str) -> Revision:
    """Return one state of an entry; see `Client.revision`."""
    if not number.isascii() or not number.isdigit():
        raise RevisionMissing
    wanted = int(number)
    events = await _events(opened, entry_id)
    # That it was published as well is said beside it.
    event = next((each for each in events if each.revision == wanted and each.event != "published"), None)
    if event is None:
        raise RevisionMissing
    last, digest = await _leaf(opened, entry_id)
    between = range(wanted, last + 1) if last - wanted < _FARTHEST else ()
    found = await _fetched(opened, entry_id, {max(wanted - 1, 1), wanted, *between})
    if wanted not in found:
        raise RevisionMissing
    entry = None if event.event == "deleted" else found[wanted].entry
    return Revision(
        number, _named(event, found), event.at, event.device_id or "", entry, wanted in _verified(found, last, digest)
    )


def _named(event: EntryEvent, found: dict[int, _Found]) -> Event:
    """Return what an event was: what was imported says so within its seal, of which a server knows nothing."""
    marks = [_import_mark(found.get(number)) for number in (event.revision - 1, event.revision)]
    first = event.revision == 1 or event.revision - 1 in found
    if event.event in ("created", "updated") and first and marks[1] is not None and marks[0] != marks[1]:
        return "imported"
    return event.event


def _import_mark(revision: _Found | None) -> Any:
    shown = None if revision is None else revision.entry.shown_as
    return None if shown is None else shown.content.get(REMEMBERED)


async def _events(opened: OpenAccount, entry_id: str) -> list[EntryEvent]:
    events: list[EntryEvent] = []
    cursor: str | None = None
    try:
        while True:
            params: dict[str, str | int] = {"limit": _PAGE} | ({} if cursor is None else {"cursor": cursor})
            path = f"/entries/{entry_id}/history"
            page = await opened.transport.request("GET", path, answer=EntryHistory, params=params)
            if page.items and events and page.items[0].revision <= events[-1].revision:
                raise HistoryForked("the server lists the revisions of an entry in circles")
            events += page.items
            cursor = page.next_cursor
            if cursor is None or not page.items:
                return events
    except (NotFound, TierRequired):
        # It was never sent, or the account keeps nothing at the server.
        return events


async def _leaf(opened: OpenAccount, entry_id: str) -> tuple[int, bytes]:
    """Return number and payload hash of the last revision that this device verified."""
    record = await asyncio.to_thread(opened.store.records.get, ENTRIES, entry_id)
    return (0, b"") if record is None else (record.revision, record.payload_hash)


async def _fetched(opened: OpenAccount, entry_id: str, numbers: Iterable[int]) -> dict[int, _Found]:
    few = asyncio.Semaphore(_AT_ONCE)
    sealer = Sealer(str(opened.profile.user_id))
    plain = opened.profile.opened_by_server

    async def fetch(number: int) -> _Found | None:
        path = f"/entries/{entry_id}/revisions/{number}"
        async with few:
            try:
                if plain:
                    shown = await opened.transport.request("GET", path, answer=PlainEntry)
                    return None if shown.unreadable else _Found(b"", b"", plain_entry(shown))
                item = (await opened.transport.request("GET", path, answer=_Shown)).root
            except (RevisionNotFound, NotFound):
                return None
        if item.id != entry_id or item.revision != number:
            raise HistoryForked("the server shows another revision than the one that was asked for")
        entry = await asyncio.to_thread(opened_entry, sealer, opened, item)
        if isinstance(item, OpaqueEntry):
            return _Found(b"", b"", entry)  # its bytes are the server's own writing of those fields
        return _Found(item.parent, payload_hash(item.payload), entry)

    wanted = sorted(numbers)
    found = await asyncio.gather(*(fetch(number) for number in wanted))
    return {number: each for number, each in zip(wanted, found, strict=True) if each is not None}


def _verified(found: dict[int, _Found], last: int, digest: bytes) -> set[int]:
    """Return which revisions lie on the verified history, which has the payload hash ``digest`` at revision ``last``.

    Raises:
        HistoryForked: one is not what stood there.
    """
    verified: set[int] = set()
    for number in range(last, 0, -1):
        each = found.get(number)
        if each is None or not each.digest:
            break
        if each.digest != digest:
            raise HistoryForked(f"revision {number} of an entry is not the one that this device verified")
        verified.add(number)
        digest = each.parent
    return verified

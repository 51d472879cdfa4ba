"""Reading the diary: one entry, its past, and the list of them, in the form that the account's custody asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.server.features.content import plain, sealed
from lockleaf.server.features.content.opaque import as_stored
from lockleaf.server.features.entries import publications
from lockleaf.server.features.entries.errors import EntryNotFound, RevisionNotFound
from lockleaf.server.features.entries.reads import EntryRead, EntryReads
from lockleaf.server.features.entries.writing import COLLECTION
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.custody.reading import reading
from lockleaf.server.identity.errors import CustodyRequired
from lockleaf.server.identity.principal import Asking, Principal, admitted, who
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.paging import Page, Paging
from lockleaf.server.records import diary
from lockleaf.server.records.diary import CurrentRecord, Deleted, Event, Wanted, current_of
from lockleaf.server.records.opaque import is_sealed, opaque_label, takes_opaque
from lockleaf.wire.codec import unpack_stored
from lockleaf.wire.days import Bound
from lockleaf.wire.entries import EntryEvent, EntryHistory, PlainEntry, SealedEntry
from lockleaf.wire.opaque_entries import Entries, OpaqueEntry

__all__ = ["Filters", "get", "history", "list_all", "revision"]

READING = "entries.read"
FEW = 20
"""So many entries are opened within the event loop: it costs less than going to a thread."""

_IMPORTED = "import"


Entry = PlainEntry | SealedEntry | OpaqueEntry


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries a list holds; an entry fits all that is given.

    Attributes:
        mood, source, tags: with uce, where the server makes the labels, or in an account without a keyring, where they
            came as they are.
        labels: 16 bytes each.
        first, last: of the range, both within it: days or instants.
    """

    mood: str | None = None
    source: str | None = None
    tags: Sequence[str] = ()
    labels: Sequence[bytes] = ()
    first: Bound | None = None
    last: Bound | None = None
    deleted: Deleted = "false"

    @property
    def plain(self) -> list[tuple[str, str]]:
        """What is asked for in words, as (kind, value)."""
        wanted = [("mood", self.mood), ("source", self.source), *(("tag", tag) for tag in self.tags)]
        return [(kind, value) for kind, value in wanted if value is not None]


async def get(
    clock: Clock, database: Database, custodian: Custodian, reads: EntryReads, asking: Asking, entry_id: UUID
) -> tuple[int, bytes]:
    """Return an entry, a deleted one too: its revision, and an `Entry` in JSON.

    With e2e one statement tells who is asking, and gives it.

    Raises:
        SessionRevoked, InsufficientScope, TierRequired: it is not for them.
        EntryNotFound: there is no such entry.
    """
    if asking.has_key:
        async with database.read_driver() as connection:
            principal, row = await who(connection, asking), None
    else:
        principal, row = await reads.ask(EntryRead(asking, entry_id))
    admitted(principal, "entries", write=False)
    if not asking.has_key and principal.custody != "uce":
        return _as_stored(row)
    async with reading(clock, database, custodian, principal, purpose=READING) as (connection, keys):
        return _as_json(
            _shown(keys, _there(await diary.read(connection, principal.user_id, COLLECTION, str(entry_id))))
        )


def _as_stored(row: asyncpg.Record | None) -> tuple[int, bytes]:
    if row is None:
        raise EntryNotFound
    fields = unpack_stored(row["packed"])
    if is_sealed(fields["payload"]):
        return fields["revision"], sealed.as_json(fields)
    return _as_json(as_stored(current_of(row)))


def _as_json(entry: Entry) -> tuple[int, bytes]:
    return entry.revision, entry.model_dump_json().encode()


def _there(current: CurrentRecord | None) -> CurrentRecord:
    if current is None:
        raise EntryNotFound
    return current


async def revision(
    clock: Clock, database: Database, custodian: Custodian, principal: Principal, entry_id: UUID, number: int
) -> Entry:
    """Return one revision of an entry.

    Raises:
        EntryNotFound: there is no such entry.
        RevisionNotFound: it has no such revision, or no longer.
    """
    async with reading(clock, database, custodian, principal, purpose=READING) as (connection, keys):
        found = await diary.read_revision(connection, principal.user_id, COLLECTION, str(entry_id), number)
        if found is None:
            there = await diary.read(connection, principal.user_id, COLLECTION, str(entry_id))
            raise EntryNotFound if there is None else RevisionNotFound
        return _shown(keys, CurrentRecord(found))


async def list_all(
    clock: Clock,
    database: Database,
    custodian: Custodian,
    principal: Principal,
    filters: Filters,
    paging: Paging,
) -> Entries:
    """Return a page of the entries that fit, newest first, with fewer of them where they exceed 8 MiB.

    Raises:
        CustodyRequired: plain filters, for an account whose labels only its clients can make.
        InvalidCursor: the cursor is not of this account's entries.
        InvalidRequest: a numbered page would exceed 8 MiB: what it left out would be on no page.
    """
    window = paging.window("entries", principal.user_id, datetime, str)
    async with reading(clock, database, custodian, principal, purpose=READING) as (connection, keys):
        as_they_came = keys is None and await _takes_opaque(connection, principal, filters)
        wanted = Wanted(
            labels=_labels(keys, filters, as_they_came=as_they_came),
            first=filters.first,
            last=filters.last,
            deleted=filters.deleted,
            after=window.after,
            skip=window.skip,
        )
        found = await diary.list_by_date(
            connection, principal.user_id, wanted, limit=window.limit, with_last=keys is not None or as_they_came
        )
        total = await diary.count_by_date(connection, principal.user_id, wanted) if window.numbered else None
        items = await _all_shown(keys, found.items)
    return Entries(items=items, **window.answer(Page(items, found.end, total)))


async def _takes_opaque(connection: asyncpg.Connection, principal: Principal, filters: Filters) -> bool:
    """Tell whether an e2e account's entries came as they are, where the list depends on it."""
    asked = filters.plain or filters.deleted != "false"
    return bool(asked) and await takes_opaque(connection, principal.user_id)


async def history(database: Database, principal: Principal, entry_id: UUID, paging: Paging) -> EntryHistory:
    """Return a page of what happened to an entry, oldest first. It says nothing of what the entry held.

    Raises:
        EntryNotFound: there is no such entry.
        InvalidCursor: the cursor is not of this entry's history.
    """
    window = paging.window(f"entry-history/{entry_id}", principal.user_id, int)
    async with database.read_driver() as connection:
        current = await diary.read(connection, principal.user_id, COLLECTION, str(entry_id))
        if current is None:
            raise EntryNotFound
        page = await diary.events(connection, principal.user_id, COLLECTION, str(entry_id), window)
        shown = [Event(*row) for row in page.items]
        published = (
            await publications.between(connection, principal.user_id, entry_id, shown[0].revision, shown[-1].revision)
            if shown
            else ()
        )
    imported = current.record.source == _IMPORTED
    items = [_event(each, imported=imported) for each in shown]
    # Each behind the revision that was published; the page may be longer by these.
    items += [EntryEvent(event="published", revision=each.revision, at=each.at) for each in published]
    return EntryHistory(items=tuple(sorted(items, key=lambda item: item.revision)), **window.answer(page))


def _event(event: Event, *, imported: bool) -> EntryEvent:
    fields = {"revision": event.revision, "at": event.at, "device_id": event.device_id}
    if event.deleted:
        return EntryEvent(event="deleted", **fields)
    if event.was_deleted:
        return EntryEvent(event="restored", **fields)
    if event.revision > 1:
        return EntryEvent(event="updated", **fields)
    return EntryEvent(event="imported" if imported else "created", **fields)


def _shown(keys: OpenKeyring | None, current: CurrentRecord) -> Entry:
    return as_stored(current) if keys is None else plain.shown(keys, current)


async def _all_shown(keys: OpenKeyring | None, found: Sequence[CurrentRecord]) -> tuple[Entry, ...]:
    def show() -> tuple[Entry, ...]:
        return tuple(_shown(keys, current) for current in found)

    return show() if keys is None or len(found) <= FEW else await asyncio.to_thread(show)


def _labels(keys: OpenKeyring | None, filters: Filters, *, as_they_came: bool) -> list[list[bytes]]:
    if filters.plain and keys is None and not as_they_came:
        raise CustodyRequired(required="uce")
    if not filters.plain:
        return [list(filters.labels)]
    if keys is None:
        made = [[opaque_label(kind, value) for kind, value in filters.plain]]
    else:
        made = keys.labels([(kind, value.strip()) for kind, value in filters.plain])
    return [[*of_one_key, *filters.labels] for of_one_key in made]

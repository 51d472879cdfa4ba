"""The records of a diary as its endpoints read them: one, its past, and a list in the order of its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal
from uuid import UUID

import asyncpg

from lockleaf.server.platform.cursors import Place
from lockleaf.server.platform.db.keyset import fetch_page
from lockleaf.server.platform.paging import Page, Window
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.server.records.repository import RecordRepository
from lockleaf.wire.codec import unpack
from lockleaf.wire.days import Bound, as_clock
from lockleaf.wire.sync import Record

__all__ = [
    "READ",
    "CurrentRecord",
    "Deleted",
    "Event",
    "Wanted",
    "clock_range",
    "count_by_date",
    "current_of",
    "events",
    "has_labels",
    "hold",
    "hold_all",
    "instant_range",
    "last_content",
    "list_by_date",
    "read",
    "read_revision",
]

BYTES_A_PAGE = 8 * 1024 * 1024
"""Where a page ends before its limit, in bytes; it holds one record whatever its size."""

Deleted = Literal["false", "true", "all"]


@dataclass(frozen=True, slots=True)
class CurrentRecord:
    """A record as it is.

    Attributes:
        last: of a deleted one, the revision before, as far as it is asked for and still kept.
        purged: whether what it held before its deletion was dropped.
    """

    record: Record
    last: Record | None = None
    purged: bool = False


async def hold_all(
    connection: asyncpg.Connection, user_id: UUID, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Record]:
    """Lock the account's history, and return those records of these (collection, record_id) that there are.

    They stay as they are until the transaction ends. There must be a key: it may be of a record that is not there.

    Raises:
        TierRequired: the account's tier holds no records.
    """
    repository = RecordRepository(connection, user_id)
    store = await repository.open(keys)
    if store is None or store.tier != "full_sync":
        raise TierRequired(required="full_sync")
    if not store.states:
        return {}
    found = await repository.current(store.states)
    return {key: Record.model_validate(fields) for key, fields in found.items()}


async def hold(connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str) -> Record | None:
    """Lock the account's history, and return one record as `hold_all` does; None for a new one."""
    key = (collection, record_id)
    return (await hold_all(connection, user_id, [key])).get(key)


READ = """
SELECT r.packed, r.purged_at IS NOT NULL AS purged, (
  SELECT v.packed FROM revisions v
  WHERE r.deleted AND v.user_id = $1 AND v.collection = $2 AND v.record_id = $3 AND v.revision < r.revision
  ORDER BY v.revision DESC LIMIT 1
) AS last
FROM records r WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id = $3
"""
_REVISION = """
SELECT packed FROM records WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND revision = $4
UNION ALL
SELECT packed FROM revisions WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND revision = $4
LIMIT 1
"""

_LAST_CONTENT = """
SELECT v.packed FROM changes c
JOIN LATERAL (
  SELECT packed FROM revisions v
  WHERE v.user_id = $1 AND v.collection = $2 AND v.record_id = $3 AND v.revision = c.revision OFFSET 0
) v ON true
WHERE c.user_id = $1 AND c.collection = $2 AND c.record_id = $3 AND NOT c.deleted
ORDER BY c.revision DESC LIMIT 1
"""


async def read(connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str) -> CurrentRecord | None:
    """Return a record, deleted or not; None for one that never was."""
    row = await connection.fetchrow(READ, user_id, collection, record_id)
    return None if row is None else current_of(row)


async def read_revision(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, revision: int
) -> Record | None:
    """Return one revision of a record, the present one or an earlier one that is kept."""
    packed = await connection.fetchval(_REVISION, user_id, collection, record_id, revision)
    return None if packed is None else Record.model_validate(unpack(packed))


async def last_content(connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str) -> Record | None:
    """Return the latest revision of a deleted record that was no deletion; None where it was purged."""
    packed = await connection.fetchval(_LAST_CONTENT, user_id, collection, record_id)
    return None if packed is None else Record.model_validate(unpack(packed))


# ---- its past ----


@dataclass(frozen=True, slots=True)
class Event:
    """A change to a record; ``was_deleted`` tells of the revision before."""

    revision: int
    deleted: bool
    was_deleted: bool
    at: datetime
    device_id: str


# Leaves are narrow, are kept as long as their epoch, and are found in the account's range of them: an index by record
# would cost every write more than it saves here.
_EVENTS = """
SELECT * FROM (
  SELECT revision, deleted, lag(deleted, 1, false) OVER (ORDER BY revision) AS was_deleted, at, device_id
  FROM changes WHERE user_id = $1 AND collection = $2 AND record_id = $3
) AS leaves WHERE true
"""


async def events(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, window: Window
) -> Page[asyncpg.Record]:
    """Return a page of the changes to a record, oldest first, each with the fields of an `Event`."""
    return await fetch_page(connection, _EVENTS, (user_id, collection, record_id), window, "revision")


# ---- the list ----


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries a list holds.

    Attributes:
        labels: sets of labels, 16 bytes each; an entry has all of one set.
        first, last: of the range, both within it: days, compared with the days of entries, or instants.
        deleted: whether those that are deleted, the others, or all; those that were purged never are.
        after: where the page before ended: a local time, and an id.
        skip: how many to leave out at the beginning, in place of ``after``.
    """

    labels: Sequence[Sequence[bytes]] = ((),)
    first: Bound | None = None
    last: Bound | None = None
    deleted: Deleted = "false"
    after: Place | None = None
    skip: int = 0


# One range of ix_records_date, read backwards. Labels are looked at on the way: 10,000 entries of which none has the
# label are gone through in a few milliseconds, and an index of labels would cost every write. Sizes are known without
# reading what is measured; a row that does not fit comes without its content, and tells that there is more.
_LIST = """
SELECT at, record_id, purged,
  CASE WHEN place <= $2 AND before < $3 THEN packed END AS packed,
  CASE WHEN place <= $2 AND before < $3 THEN last END AS last
FROM (
  SELECT *, row_number() OVER ordered AS place, sum(size) OVER ordered - size AS before
  FROM (
    SELECT *, octet_length(packed) + coalesce(octet_length(last), 0) AS size
    FROM (
      SELECT coalesce(r.local_at, r.created_at) AS at, r.record_id, r.purged_at IS NOT NULL AS purged, r.packed,
        {last} AS last
      FROM records r
      WHERE r.user_id = $1 AND r.collection = 'entries' AND ({labels}) {deleted}
        AND coalesce(r.local_at, r.created_at) BETWEEN $4::timestamptz AND $5::timestamptz
        AND coalesce(r.occurred_at, r.created_at) BETWEEN $6::timestamptz AND $7::timestamptz {after}
      ORDER BY coalesce(r.local_at, r.created_at) DESC, r.record_id DESC LIMIT $2::bigint + 1 {skipping}
    ) AS found
  ) AS sized
  WINDOW ordered AS (ORDER BY at DESC, record_id DESC)
) AS measured
ORDER BY at DESC, record_id DESC
"""
_LAST = """(
  SELECT v.packed FROM revisions v
  WHERE r.deleted AND v.user_id = $1 AND v.collection = 'entries' AND v.record_id = r.record_id
    AND v.revision < r.revision
  ORDER BY v.revision DESC LIMIT 1
)"""
# Said in words that the index of what waits for the purge does not know: it holds every account's deletions.
_UNPURGED = "AND coalesce(r.purged_at, 'infinity') = 'infinity'"
_WHICH: dict[Deleted, str] = {
    "false": "AND NOT r.deleted",
    "true": f"AND r.deleted {_UNPURGED}",
    "all": _UNPURGED,
}
_AFTER = "AND (coalesce(r.local_at, r.created_at), r.record_id) < ($8::timestamptz, $9::text)"
_SKIPPING = "OFFSET $8::bigint"
_Start = Literal["first", "after", "skip"]
_SETS: dict[_Start, int] = {"first": 8, "after": 10, "skip": 9}
"""The number of the argument that is the first set of labels, by where a list begins."""
_COUNT = """
SELECT count(*) FROM records r
WHERE r.user_id = $1 AND r.collection = 'entries' AND ({labels}) {deleted}
  AND coalesce(r.local_at, r.created_at) BETWEEN $2::timestamptz AND $3::timestamptz
  AND coalesce(r.occurred_at, r.created_at) BETWEEN $4::timestamptz AND $5::timestamptz
"""


def has_labels(sets: int, *, first: int) -> str:
    """Return the SQL by which an entry ``r`` has all labels of one of so many ``sets``.

    There is one set, but for accounts whose keys were rotated.

    Arguments:
        first: the number of the argument that is the first set.
    """
    return " OR ".join(f"r.labels @> ${number}::bytea[]" for number in range(first, first + sets))


@cache
def _list(deleted: Deleted, with_last: bool, start: _Start, sets: int) -> str:
    return _LIST.format(
        deleted=_WHICH[deleted],
        last=_LAST if with_last else "NULL::bytea",
        after=_AFTER if start == "after" else "",
        skipping=_SKIPPING if start == "skip" else "",
        labels=has_labels(sets, first=_SETS[start]),
    )


_FIRST, _LATEST = datetime.fromisoformat("0001-01-01T00:00:00Z"), datetime.fromisoformat("9999-12-31T23:59:59.999999Z")


async def list_by_date(
    connection: asyncpg.Connection, user_id: UUID, wanted: Wanted, *, limit: int, with_last: bool
) -> Page[CurrentRecord]:
    """Return the entries that are ``wanted``, latest date first, then by id.

    Arguments:
        limit: at most so many, and fewer where they would exceed some 8 MiB.
        with_last: whether deleted ones come with the revision before.
    """
    start: _Start = "after" if wanted.after is not None else "skip" if wanted.skip else "first"
    sets = [list(labels) for labels in wanted.labels]
    statement = _list(wanted.deleted, with_last and wanted.deleted != "false", start, len(sets))
    places: dict[_Start, tuple[object, ...]] = {"first": (), "skip": (wanted.skip,)}
    after = places[start] if wanted.after is None else wanted.after
    bounds = (*clock_range(wanted.first, wanted.last), *instant_range(wanted.first, wanted.last))
    rows = await connection.fetch(statement, user_id, limit, BYTES_A_PAGE, *bounds, *after, *sets)
    shown = [row for row in rows if row["packed"] is not None]
    end = (shown[-1]["at"], shown[-1]["record_id"]) if len(shown) < len(rows) else None
    return Page([current_of(row) for row in shown], end)


async def count_by_date(connection: asyncpg.Connection, user_id: UUID, wanted: Wanted) -> int:
    """Return how many entries are ``wanted``, on all pages."""
    bounds = (*clock_range(wanted.first, wanted.last), *instant_range(wanted.first, wanted.last))
    sets = [list(labels) for labels in wanted.labels]
    statement = _COUNT.format(labels=has_labels(len(sets), first=6), deleted=_WHICH[wanted.deleted])
    found: int = await connection.fetchval(statement, user_id, *bounds, *sets)
    return found


def clock_range(first: Bound | None, last: Bound | None) -> tuple[datetime, datetime]:
    """Return the local times between which a range of days lies, everything where its ends are no days."""
    return (
        as_clock(first, last=False) if first is not None and not isinstance(first, datetime) else _FIRST,
        as_clock(last, last=True) if last is not None and not isinstance(last, datetime) else _LATEST,
    )


def instant_range(first: Bound | None, last: Bound | None) -> tuple[datetime, datetime]:
    """Return the instants between which a range lies, everything where its ends are days."""
    return (first if isinstance(first, datetime) else _FIRST, last if isinstance(last, datetime) else _LATEST)


def current_of(row: asyncpg.Record) -> CurrentRecord:
    """Return the record of a row as `READ` gives it."""
    last = None if row["last"] is None else Record.model_validate(unpack(row["last"]))
    return CurrentRecord(Record.model_validate(unpack(row["packed"])), last, row["purged"])

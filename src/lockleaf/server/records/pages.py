"""Pages of whole records, for the doors whose lists give them: by id, and backups by their clients' times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["BEGINNING", "BYTES_A_PAGE", "ByTime", "Page", "by_id", "by_time", "count_by_time"]

BYTES_A_PAGE = 8 * 1024 * 1024
"""Where a page ends before its limit, in bytes; it holds one record whatever its size."""


_BEHIND_ALL = "~"
"""Behind every id: none has this character."""


@dataclass(frozen=True, slots=True)
class ByTime:
    """A place in the order of ``occurred_at``: behind ``record_id`` within one time, behind all of them by default."""

    at: datetime
    record_id: str = _BEHIND_ALL


BEGINNING = ByTime(datetime.min.replace(tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class Page:
    """Records in their order; ``following`` is the first one that had no room, as (its time, its id)."""

    records: list[Record]
    following: tuple[datetime | None, str] | None


# Sizes are known without reading what is measured; only what has room is read. One row more than asked for is looked
# up, and comes without its content: it tells that there is more, and where.
_PAGE = """
WITH wanted AS MATERIALIZED ({wanted}), measured AS (
  SELECT *, row_number() OVER ordered AS place, sum(size) OVER ordered - size AS before
  FROM wanted WINDOW ordered AS (ORDER BY {order})
)
SELECT m.at, m.record_id, CASE WHEN m.place <= $3 AND m.before < $4 THEN r.packed END AS packed
FROM measured m JOIN LATERAL (
  SELECT r.packed FROM records r
  WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id = m.record_id OFFSET 0
) r ON true
ORDER BY {order}
"""

_BY_ID = _PAGE.format(
    wanted="""
  SELECT NULL::timestamptz AS at, record_id, octet_length(packed) AS size FROM records
  WHERE user_id = $1 AND collection = $2 AND NOT deleted AND record_id > $5
  ORDER BY record_id LIMIT $3::bigint + 1
""",
    order="record_id",
)

# The index holds backups alone, and the planner must see at once that it is their list.
_FOUND = """
  FROM records r
  WHERE r.user_id = $1 AND r.collection = 'backups' AND NOT r.deleted AND (r.occurred_at, r.record_id) > ({after}) {but}
"""
_BUT_DEVICE = "AND (SELECT c.device_id FROM changes c WHERE c.user_id = $1 AND c.seq = r.seq) IS DISTINCT FROM {device}"
_WANTED = """
  SELECT r.occurred_at AS at, r.record_id, octet_length(r.packed) AS size {found}
  ORDER BY r.occurred_at, r.record_id LIMIT $3::bigint + 1
"""


def _by_time(but: str) -> str:
    found = _FOUND.format(after="$5::timestamptz, $6::text", but=but)
    return _PAGE.format(wanted=_WANTED.format(found=found), order="at, record_id")


_BY_TIME = _by_time("")
_BY_TIME_BUT_DEVICE = _by_time(_BUT_DEVICE.format(device="$7"))
_COUNT = "SELECT count(*)" + _FOUND.format(after="$2::timestamptz, $3::text", but="")
_COUNT_BUT_DEVICE = "SELECT count(*)" + _FOUND.format(
    after="$2::timestamptz, $3::text", but=_BUT_DEVICE.format(device="$4")
)


async def by_id(connection: asyncpg.Connection, user_id: UUID, collection: str, *, after: str, limit: int) -> Page:
    """Return the records of a collection that are there, by id, behind the id ``after``."""
    rows = await connection.fetch(_BY_ID, user_id, collection, limit, BYTES_A_PAGE, after)
    return _page(rows)


async def by_time(
    connection: asyncpg.Connection, user_id: UUID, *, after: ByTime, limit: int, but_device: str | None
) -> Page:
    """Return the backups that are there, by ``occurred_at``; but those that ``but_device`` wrote last, if named."""
    arguments = (user_id, "backups", limit, BYTES_A_PAGE, after.at, after.record_id)
    if but_device is None:
        return _page(await connection.fetch(_BY_TIME, *arguments))
    return _page(await connection.fetch(_BY_TIME_BUT_DEVICE, *arguments, but_device))


async def count_by_time(connection: asyncpg.Connection, user_id: UUID, *, after: ByTime, but_device: str | None) -> int:
    """Return how many `by_time` would find on all its pages."""
    if but_device is None:
        counted = await connection.fetchval(_COUNT, user_id, after.at, after.record_id)
    else:
        counted = await connection.fetchval(_COUNT_BUT_DEVICE, user_id, after.at, after.record_id, but_device)
    return int(counted)


def _page(rows: Sequence[asyncpg.Record]) -> Page:
    records = [Record.model_validate(unpack(row["packed"])) for row in rows if row["packed"] is not None]
    following = rows[len(records)] if len(records) < len(rows) else None
    return Page(records, None if following is None else (following["at"], following["record_id"]))

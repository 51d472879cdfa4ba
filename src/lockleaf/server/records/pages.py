"""Pages of whole records, for the endpoints whose lists give them: by id, and backups by their clients' times."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from lockleaf.server.platform.cursors import Place
from lockleaf.server.platform.paging import Page, Window
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["BEGINNING", "BYTES_A_PAGE", "behind", "by_id", "by_time"]

BYTES_A_PAGE = 8 * 1024 * 1024
"""Where a page ends before its limit, in bytes; it holds one record whatever its size."""


_BEHIND_ALL = "~"
"""Behind every id: none has this character."""


BEGINNING: Place = (datetime.min.replace(tzinfo=UTC), "")
"""Before every place in the order of ``occurred_at`` and ids."""


def behind(at: datetime) -> Place:
    """Return the place behind all records of one time."""
    return (at, _BEHIND_ALL)


# Sizes are known without reading what is measured; only what fits is read. One row more than asked for is looked
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
  ORDER BY record_id LIMIT $3::bigint + 1 OFFSET $6
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
_COUNT_ALL = "SELECT count(*) FROM records WHERE user_id = $1 AND collection = $2 AND NOT deleted"
_COUNT = "SELECT count(*)" + _FOUND.format(after="$2::timestamptz, $3::text", but="")
_COUNT_BUT_DEVICE = "SELECT count(*)" + _FOUND.format(
    after="$2::timestamptz, $3::text", but=_BUT_DEVICE.format(device="$4")
)


async def by_id(connection: asyncpg.Connection, user_id: UUID, collection: str, window: Window) -> Page[Record]:
    """Return a page of the records of a collection that are there, by id."""
    (after,) = window.after or ("",)
    rows = await connection.fetch(_BY_ID, user_id, collection, window.limit, BYTES_A_PAGE, after, window.skip)
    total = await connection.fetchval(_COUNT_ALL, user_id, collection) if window.numbered else None
    records = [_record(row) for row in rows if row["packed"] is not None]
    return Page(records, (records[-1].record_id,) if len(records) < len(rows) else None, total)


async def by_time(
    connection: asyncpg.Connection, user_id: UUID, window: Window, *, start: Place, but_device: str | None
) -> Page[Record]:
    """Return a page of the backups behind ``start``, by ``occurred_at``; but those that ``but_device`` wrote last.

    Those of one time stay on one page where they do not fill it.
    """
    but = () if but_device is None else (but_device,)
    after = window.after or start
    statement, counted = (_BY_TIME, _COUNT) if but_device is None else (_BY_TIME_BUT_DEVICE, _COUNT_BUT_DEVICE)
    rows = await connection.fetch(statement, user_id, "backups", window.limit, BYTES_A_PAGE, *after, *but)
    total = await connection.fetchval(counted, user_id, *start, *but)
    found = [row for row in rows if row["packed"] is not None]
    if len(found) == len(rows):
        return Page([_record(row) for row in found], total=total)
    split = rows[len(found)]["at"]
    found = [row for row in found if row["at"] != split] or found
    return Page([_record(row) for row in found], (found[-1]["at"], found[-1]["record_id"]), total)


def _record(row: asyncpg.Record) -> Record:
    return Record.model_validate(unpack(row["packed"]))

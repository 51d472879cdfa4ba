"""Reading the history: pages of changes in seq order, each from one snapshot of the database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.wire.sync import MAX_BATCH_BYTES

__all__ = ["EpochRow", "Page", "read", "read_end"]


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch, and where it goes on from."""

    epoch: str
    from_seq: int
    from_head: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Changes in seq order, and the end of the history, as of one moment."""

    changes: list[dict[str, Any]]
    epoch: str
    seq: int
    head: bytes
    epochs: list[EpochRow]
    has_more: bool
    last_seq: int


# One statement, hence one snapshot: what it calls the latest revision is the latest at the very end that it reports,
# without which an honest page could look like a dishonest one. The end comes as a row of its own, before the changes:
# repeated on each of them it would cost more than they do. A page stops at its limit of changes or, since payloads may
# be of 1 MiB, of bytes; `octet_length` reads the size of a stored value without reading the value.
# OFFSET 0 keeps the lookup of each record a lookup in its index: with statistics from before a large import the planner
# would read all records of the account for every page.
_PAGE = """
SELECT
  ROW(h.epoch, h.seq, h.head, (
    SELECT json_agg(json_build_array(e.epoch, e.from_seq, encode(e.from_head, 'hex')) ORDER BY e.from_seq, e.created_at)
    FROM epochs e WHERE e.user_id = $1
  )::text) AS end_of_history,
  NULL::bool AS superseded, NULL::bigint AS seq, NULL AS collection, NULL AS record_id, NULL::bigint AS revision,
  NULL::bytea AS parent, NULL::bool AS deleted, NULL::bytea AS meta, NULL::bytea AS payload_hash,
  NULL::bytea AS payload, NULL::bytea[] AS labels, NULL AS source, NULL AS occurred_at, NULL AS device_id,
  NULL::timestamptz AS client_updated_at, NULL::timestamptz AS created_at, NULL::timestamptz AS updated_at
FROM heads h WHERE h.user_id = $1
UNION ALL
SELECT NULL, p.superseded, p.seq, p.collection, p.record_id, p.revision, p.parent, p.deleted, p.meta, p.payload_hash,
  p.payload, p.labels, p.source, p.occurred_text, p.device_id, p.client_updated_at, p.created_at, p.updated_at
FROM (
  SELECT r.seq IS NULL AS superseded, c.seq, c.collection, c.record_id, c.revision, c.parent, c.deleted,
    CASE WHEN r.seq IS NULL THEN c.meta END AS meta, CASE WHEN r.seq IS NULL THEN c.payload_hash END AS payload_hash,
    r.payload, r.labels, r.source, r.occurred_text, r.device_id, r.client_updated_at, r.created_at, r.updated_at,
    sum(octet_length(r.payload)) OVER (ORDER BY c.seq) - coalesce(octet_length(r.payload), 0) AS bytes_before
  FROM (
    SELECT * FROM changes c WHERE c.user_id = $1 AND c.seq > $2 {narrowed} ORDER BY c.seq LIMIT $3
  ) c LEFT JOIN LATERAL (
    SELECT * FROM records r WHERE r.user_id = $1 AND r.seq = c.seq OFFSET 0
  ) r ON true
) AS p WHERE p.bytes_before IS NULL OR p.bytes_before < $4
"""
_WHOLE = _PAGE.format(narrowed="")
_ONE_COLLECTION = _PAGE.format(narrowed="AND c.collection = $5")

_END = """
SELECT h.seq, (SELECT count(*) FROM conflicts c WHERE c.user_id = $1 AND c.resolved_at IS NULL) AS conflicts
FROM heads h WHERE h.user_id = $1
"""


async def read(
    connection: asyncpg.Connection, user_id: UUID, *, after: int, limit: int, collection: str | None = None
) -> Page | None:
    """Return the changes behind ``after``, at most ``limit`` of them and 8 MiB of payloads (but at least one change).

    The latest revision of a record comes whole, a superseded one as the preimage of its leaf. None where the account
    has no store.
    """
    if collection is None:
        rows = await connection.fetch(_WHOLE, user_id, after, limit, MAX_BATCH_BYTES)
    else:
        rows = await connection.fetch(_ONE_COLLECTION, user_id, after, limit, MAX_BATCH_BYTES, collection)
    if not rows:
        return None
    epoch, seq, head, epochs = rows[0]["end_of_history"]
    changes = [dict(row) for row in rows[1:]]
    for change in changes:
        del change["end_of_history"]
    changes.sort(key=itemgetter("seq"))  # they are in order already; no clause of the statement says that they must be
    last_seq = changes[-1]["seq"] if changes else after
    # Narrowed to one collection, an empty page says that nothing of it follows; a page before that may be the last.
    has_more = last_seq < seq and (collection is None or bool(changes))
    return Page(changes, epoch, seq, head, _epochs(epochs), has_more, last_seq)


def _epochs(text: str) -> list[EpochRow]:
    return [EpochRow(epoch, seq, bytes.fromhex(head)) for epoch, seq, head in json.loads(text)]


async def read_end(connection: asyncpg.Connection, user_id: UUID) -> tuple[int, int]:
    """Return the seq at which the history ends, and how many conflicts are open; zeros without a store."""
    row = await connection.fetchrow(_END, user_id)
    return (0, 0) if row is None else (row["seq"], row["conflicts"])

"""The statement that writes accepted changes, of one account or of several together.

All its parts see the records as they were before it, so `kept` moves to `revisions` what the records' new content
replaces, unless a retired key opens it: that is dropped, here as by `purge_retired`.

The form for one account names it in every part, so that the statement runs where that account's rows are. The form for
several has an account with each change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

__all__ = ["Accepted", "Batch", "labels_literal", "write", "write_together"]


@dataclass(slots=True)
class Accepted:
    """A change that has its place in the history."""

    seq: int
    collection: str
    record_id: str
    revision: int
    parent: bytes
    meta: bytes
    payload_hash: bytes
    deleted: bool
    labels: Sequence[bytes]
    source: str | None
    occurred_at: datetime | None
    local_at: datetime | None
    device_id: str
    created_at: datetime
    packed: bytes
    key_id: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Accepted changes of an account, in their order, at least one.

    Attributes:
        head: of the history behind the last of them.
        key_id: a replaced revision that an older master key sealed is not kept.
        added: bytes that the account holds more by it.
    """

    user_id: UUID
    accepted: Sequence[Accepted]
    head: bytes
    key_id: int
    added: int


# Arguments $2 to $18 are the changes, column by column, and $19 the time; `last` marks the last one of each record.
_BATCH = """
WITH batch AS MATERIALIZED (
  SELECT * FROM unnest(
    {owners}$2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bool[],
    $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::timestamptz[], $15::bytea[], $16::bool[],
    $17::timestamptz[], $18::bigint[]
  ) AS b(
    {name}seq, collection, record_id, revision, parent, meta, payload_hash, deleted,
    labels, source, occurred_at, device_id, created_at, packed, last, local_at, key_id
  )
), {ends}logged AS (
  INSERT INTO changes (
    user_id, seq, collection, record_id, revision, parent, meta, payload_hash, deleted, device_id, at
  )
  SELECT {owner}, seq, collection, record_id, revision, parent, meta, payload_hash, deleted, device_id, $19 FROM batch
), moved AS (
  UPDATE heads SET {moved}
)"""

_KEPT = """, kept AS (
  INSERT INTO revisions (user_id, collection, record_id, revision, packed, at, key_id)
  SELECT r.user_id, r.collection, r.record_id, r.revision, r.packed, r.updated_at, r.key_id
  FROM (SELECT DISTINCT {owner} AS user_id, collection, record_id FROM batch) b {with_end}
  JOIN LATERAL (
    SELECT * FROM records r
    WHERE r.user_id = {owner_of_b} AND r.collection = b.collection AND r.record_id = b.record_id OFFSET 0
  ) r ON r.key_id IS NULL OR r.key_id >= {newest}
  UNION ALL
  SELECT {owner}, collection, record_id, revision, packed, $19, key_id FROM batch WHERE NOT last
)"""

_RECORDS = """
INSERT INTO records (
  user_id, collection, record_id, revision, seq, payload_hash, deleted, labels, source, occurred_at,
  local_at, created_at, updated_at, packed, key_id
)
SELECT {owner}, collection, record_id, revision, seq, payload_hash, deleted, labels::bytea[], source, occurred_at,
  local_at, created_at, $19, packed, key_id
FROM batch WHERE last"""

_REPLACE = """
ON CONFLICT (user_id, collection, record_id) DO UPDATE SET
  revision = excluded.revision, seq = excluded.seq, payload_hash = excluded.payload_hash, deleted = excluded.deleted,
  labels = excluded.labels, source = excluded.source, occurred_at = excluded.occurred_at,
  local_at = excluded.local_at, updated_at = excluded.updated_at, purged_at = NULL, packed = excluded.packed,
  key_id = excluded.key_id"""

_OF_ONE = {
    "owners": "",
    "name": "",
    "ends": "",
    "owner": "$1",
    "owner_of_b": "$1",
    "moved": "seq = $20, head = $21, record_bytes = record_bytes + $22 WHERE user_id = $1",
    "with_end": "",
    "newest": "$23",
}
_OF_SEVERAL = {
    "owners": "$1::uuid[], ",
    "name": "user_id, ",
    "ends": """ends AS MATERIALIZED (
  SELECT * FROM unnest($20::uuid[], $21::bigint[], $22::bytea[], $23::bigint[], $24::bigint[])
    AS e(user_id, seq, head, added, newest)
), """,
    "owner": "user_id",
    "owner_of_b": "b.user_id",
    "moved": "seq = e.seq, head = e.head, record_bytes = record_bytes + e.added "
    "FROM ends e WHERE heads.user_id = e.user_id",
    "with_end": "JOIN ends e ON e.user_id = b.user_id",
    "newest": "e.newest",
}
_NEW = (_BATCH + _RECORDS).format(**_OF_ONE)
_ANY = (_BATCH + _KEPT + _RECORDS + _REPLACE).format(**_OF_ONE)
_NEW_TOGETHER = (_BATCH + _RECORDS).format(**_OF_SEVERAL)
_ANY_TOGETHER = (_BATCH + _KEPT + _RECORDS + _REPLACE).format(**_OF_SEVERAL)


async def write(connection: asyncpg.Connection, batch: Batch, *, now: datetime) -> None:
    """Write a batch: leaves, records, the revisions they replace, and the new end of the history."""
    accepted = batch.accepted
    all_new = _all_new([batch])
    end = (accepted[-1].seq, batch.head, batch.added, *(() if all_new else (batch.key_id,)))
    columns = _columns(accepted, _last([batch]))
    await connection.execute(_NEW if all_new else _ANY, batch.user_id, *columns, now, *end)


async def write_together(connection: asyncpg.Connection, batches: Sequence[Batch], *, now: datetime) -> None:
    """Write batches of several accounts, one of each, as `write` does."""
    accepted = [change for batch in batches for change in batch.accepted]
    owners = [batch.user_id for batch in batches for _ in batch.accepted]
    ends = [
        [batch.user_id for batch in batches],
        [batch.accepted[-1].seq for batch in batches],
        [batch.head for batch in batches],
        [batch.added for batch in batches],
        [batch.key_id for batch in batches],
    ]
    statement = _NEW_TOGETHER if _all_new(batches) else _ANY_TOGETHER
    await connection.execute(statement, owners, *_columns(accepted, _last(batches)), now, *ends)


def _all_new(batches: Sequence[Batch]) -> bool:
    return all(change.revision == 1 for batch in batches for change in batch.accepted)


def _last(batches: Sequence[Batch]) -> list[bool]:
    """Tell of each change whether it is the last one of its record."""
    marks = []
    for batch in batches:
        last = {(change.collection, change.record_id): change.seq for change in batch.accepted}
        marks += [last[change.collection, change.record_id] == change.seq for change in batch.accepted]
    return marks


def _columns(accepted: Sequence[Accepted], last: Sequence[bool]) -> tuple[Sequence[object], ...]:
    return (
        [c.seq for c in accepted],
        [c.collection for c in accepted],
        [c.record_id for c in accepted],
        [c.revision for c in accepted],
        [c.parent for c in accepted],
        [c.meta for c in accepted],
        [c.payload_hash for c in accepted],
        [c.deleted for c in accepted],
        [labels_literal(c.labels) for c in accepted],
        [c.source for c in accepted],
        [c.occurred_at for c in accepted],
        [c.device_id for c in accepted],
        [c.created_at for c in accepted],
        [c.packed for c in accepted],
        last,
        [c.local_at for c in accepted],
        [c.key_id for c in accepted],
    )


def labels_literal(labels: Sequence[bytes]) -> str:
    """Return labels as PostgreSQL writes an array of them: arrays of arrays cannot be unnested row by row."""
    return "{" + ",".join(f'"\\\\x{label.hex()}"' for label in labels) + "}" if labels else "{}"

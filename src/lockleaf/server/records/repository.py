"""The SQL of the store. A repository is made with an account, so that every statement is of that account.

The statements run on asyncpg itself, within the session's transaction: they take whole batches as arrays, and a
prepared statement with arrays costs a small part of as many single ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.crypto import history
from lockleaf.server.platform.db.scoped import OnConnection
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.records.batches import labels_literal
from lockleaf.wire.codec import unpack
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Change

__all__ = ["OpenHistory", "RecordRepository", "State", "not_accepted"]


# Revisions of a record follow each other without a gap, so the present one tells of all before it, purged ones too.
_NOT_ACCEPTED = """
SELECT w.position
FROM unnest($3::text[], $4::bigint[]) WITH ORDINALITY AS w(record_id, revision, position)
LEFT JOIN LATERAL (
  SELECT r.revision FROM records r
  WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id = w.record_id OFFSET 0
) r ON true
WHERE r.revision IS NULL OR r.revision < w.revision
ORDER BY w.position
"""


async def not_accepted(
    connection: asyncpg.Connection, user_id: UUID, collection: str, changes: Sequence[tuple[str, int]]
) -> list[int]:
    """Return the places in ``changes``, ids and revisions of records, of those that were never accepted."""
    rows = await connection.fetch(
        _NOT_ACCEPTED, user_id, collection, [record_id for record_id, _ in changes], [number for _, number in changes]
    )
    return [row[0] - 1 for row in rows]


@dataclass(frozen=True, slots=True)
class State:
    """What a change is compared with: the latest revision of a record."""

    revision: int
    seq: int
    payload_hash: bytes
    created_at: datetime | None
    key_id: int | None = None
    """Of the master key that sealed it, None where it is no envelope."""
    size: int = 0
    """Bytes that it takes with all that belongs to it."""


@dataclass(frozen=True, slots=True)
class OpenHistory:
    """A store that is locked for writing: where its history ends, its account's tier, and the records in question.

    ``key_id`` is the lowest that may seal what is written; 0 while the account has no keyring.
    """

    epoch: str
    seq: int
    head: bytes
    key_id: int
    tier: str | None
    states: dict[tuple[str, str], State]


# OFFSET 0, here and below, keeps each lookup of a record a lookup in its index, whatever the planner believes of tables
# that grew since it last counted them.

# Locks the end of the history and reads what the changes will be compared with, in one round trip. A statement that had
# to wait for the lock still sees the tables as they were before it waited: `seen` tells, and then it is run again.
_OPEN = """
WITH locked AS MATERIALIZED (
  SELECT epoch, seq, head, key_id FROM heads WHERE user_id = $1 FOR UPDATE
)
SELECT l.epoch, l.seq AS end_seq, l.head, l.key_id AS newest_key_id,
  (SELECT h.epoch FROM heads h WHERE h.user_id = $1) AS seen_epoch,
  (SELECT h.seq FROM heads h WHERE h.user_id = $1) AS seen_seq,
  (SELECT a.privacy_tier FROM accounts a WHERE a.user_id = $1) AS tier,
  w.position, r.revision, r.seq, r.payload_hash, r.created_at, r.key_id, octet_length(r.packed) AS size
FROM locked l
CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS w(collection, record_id, position)
LEFT JOIN LATERAL (
  SELECT * FROM records r WHERE r.user_id = $1 AND r.collection = w.collection AND r.record_id = w.record_id OFFSET 0
) r ON true
WHERE w.position = 1 OR r.seq IS NOT NULL
"""

# An earlier acceptance of the same bytes. Payloads of old revisions may have been purged; their leaves never are.
_EARLIER = """
SELECT w.position, c.seq
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bytea[])
  WITH ORDINALITY AS w(collection, record_id, revision, payload_hash, position)
JOIN changes c ON c.user_id = $1 AND c.collection = w.collection AND c.record_id = w.record_id
  AND c.revision = w.revision AND c.payload_hash = w.payload_hash
"""

_CURRENT = """
SELECT w.position, r.packed
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS w(collection, record_id, position)
JOIN LATERAL (
  SELECT * FROM records r WHERE r.user_id = $1 AND r.collection = w.collection AND r.record_id = w.record_id OFFSET 0
) r ON true
"""

_EPOCH = "SELECT from_seq, from_head FROM epochs WHERE user_id = $1 AND epoch = $2"

# The same payload for the same record is one conflict, however often it is sent. Rows that were there are found by a
# second statement: the first one does not see them where somebody else had just written them.
_KEEP = """
WITH kept AS (
INSERT INTO conflicts (
  user_id, conflict_id, collection, record_id, base_revision, parent, payload, payload_hash, deleted, labels, source,
  occurred_text, device_id, client_updated_at, detected_at
)
SELECT $1, conflict_id, collection, record_id, base_revision, parent, payload, payload_hash, deleted, labels::bytea[],
  source, occurred_text, device_id, client_updated_at, $15
FROM unnest(
  $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bool[], $10::text[],
  $11::text[], $12::text[], $13::text[], $14::timestamptz[]
) AS b(
  conflict_id, collection, record_id, base_revision, parent, payload, payload_hash, deleted, labels, source,
  occurred_text, device_id, client_updated_at
)
ON CONFLICT (user_id, collection, record_id, payload_hash) DO NOTHING
  RETURNING conflict_id, octet_length(payload) AS bytes
), counted AS (
  UPDATE heads SET record_bytes = record_bytes + (SELECT sum(bytes) FROM kept)
  WHERE user_id = $1 AND EXISTS (SELECT FROM kept)
)
SELECT conflict_id FROM kept
"""

_KEPT_AS = """
SELECT w.position, c.conflict_id
FROM unnest($2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS w(collection, record_id, payload_hash, position)
JOIN conflicts c ON c.user_id = $1 AND c.collection = w.collection AND c.record_id = w.record_id
  AND c.payload_hash = w.payload_hash
"""


class RecordRepository(OnConnection):
    """The store of one account, on a connection that is in a transaction."""

    async def open(self, keys: Sequence[tuple[str, str]]) -> OpenHistory | None:
        """Lock the end of the history, and read the latest revisions of the records with these (collection, record_id).

        The lock is held until the transaction ends: writers of one account come one after another. None where the
        account has no store.
        """
        columns = [key[0] for key in keys], [key[1] for key in keys]
        rows = await self._connection.fetch(_OPEN, self._user_id, *columns)
        if rows and (rows[0]["seen_epoch"], rows[0]["seen_seq"]) != (rows[0]["epoch"], rows[0]["end_seq"]):
            rows = await self._connection.fetch(_OPEN, self._user_id, *columns)
        if not rows:
            return None
        end = rows[0]
        states = {
            keys[row["position"] - 1]: State(
                row["revision"], row["seq"], row["payload_hash"], row["created_at"], row["key_id"], row["size"]
            )
            for row in rows
            if row["seq"] is not None
        }
        return OpenHistory(end["epoch"], end["end_seq"], end["head"], end["newest_key_id"], end["tier"], states)

    async def earlier(self, wanted: Sequence[tuple[str, str, int, bytes]]) -> dict[tuple[str, str, int, bytes], int]:
        """Return the seq of each (collection, record_id, revision, payload hash) that was accepted before.

        It goes through the account's whole history once, however many are wanted: 15 ms for 50,000 changes.
        """
        columns = [list(column) for column in zip(*wanted, strict=True)]
        rows = await self._connection.fetch(_EARLIER, self._user_id, *columns)
        return {wanted[row["position"] - 1]: row["seq"] for row in rows}

    async def current(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return whole records, as they travel, by (collection, record_id)."""
        wanted = list(dict.fromkeys(keys))
        rows = await self._connection.fetch(_CURRENT, self._user_id, [k[0] for k in wanted], [k[1] for k in wanted])
        return {wanted[row["position"] - 1]: unpack(row["packed"]) for row in rows}

    async def epoch_facts(self, epoch: str) -> dict[str, Any]:
        """Return where an epoch goes on from, as a client that knows another one is told."""
        row = await self._connection.fetchrow(_EPOCH, self._user_id, epoch)
        return {"epoch": epoch, "from_seq": row["from_seq"], "from_head": encode_base64(row["from_head"])}

    async def keep_conflicts(self, changes: Sequence[Change], *, now: datetime) -> tuple[list[UUID], bool]:
        """Store refused changes as open conflicts; return their ids in order, and whether any of them is new."""
        hashes = [history.payload_hash(change.payload) for change in changes]
        made = await self._connection.fetch(
            _KEEP,
            self._user_id,
            [uuid7(now) for _ in changes],
            [c.collection for c in changes],
            [c.record_id for c in changes],
            [c.base_revision for c in changes],
            [c.parent for c in changes],
            [c.payload for c in changes],
            hashes,
            [c.deleted for c in changes],
            [labels_literal(c.labels) for c in changes],
            [c.source for c in changes],
            [c.occurred_at for c in changes],
            [c.device_id for c in changes],
            [c.client_updated_at for c in changes],
            now,
        )
        rows = await self._connection.fetch(
            _KEPT_AS, self._user_id, [c.collection for c in changes], [c.record_id for c in changes], hashes
        )
        found = {row["position"]: row["conflict_id"] for row in rows}
        return [found[position] for position in range(1, len(changes) + 1)], bool(made)

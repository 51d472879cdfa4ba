"""What a retired master key still opens: finding it, and dropping it once its content is sealed again.

After a rotation whoever has the old keyring shall get nothing from this server that it could open. Payloads that are
current are sealed again by the account's devices; what lies behind them is dropped here. Leaves and tombstones stay,
and so does every current payload, whatever sealed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from lockleaf.server.records import usage
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["Purged", "ResealingProgress", "current", "open_conflicts", "progress", "purge_retired"]

BATCH = 2000
_BYTES_AT_ONCE = 2 * 1024 * 1024

_REVISIONS = """
WITH dropped AS (
  DELETE FROM revisions WHERE user_id = $1 AND ctid = ANY (ARRAY(
    SELECT v.ctid FROM revisions v JOIN heads h ON h.user_id = v.user_id
    WHERE v.user_id = $1 AND v.key_id < h.key_id LIMIT $2
  )) RETURNING octet_length(packed) AS bytes
)
SELECT count(*) AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM dropped
"""

# A decided conflict keeps its row, by which a repeated payload is known.
_CONFLICTS = """
WITH due AS MATERIALIZED (
  SELECT c.ctid AS place, octet_length(c.payload) AS bytes FROM conflicts c JOIN heads h ON h.user_id = c.user_id
  WHERE c.user_id = $1 AND c.resolved_at IS NOT NULL AND c.collection IN ('entries', 'tags')
    AND octet_length(c.payload) >= 6
    AND ('x' || encode(substring(c.payload FROM 3 FOR 4), 'hex'))::bit(32)::bigint < h.key_id
  LIMIT $2
), dropped AS (
  UPDATE conflicts SET payload = '' WHERE user_id = $1 AND ctid = ANY (ARRAY(SELECT place FROM due))
)
SELECT count(*) AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM due
"""


_CURRENT = """
SELECT packed FROM (
  SELECT r.record_id, r.packed,
    sum(octet_length(r.packed)) OVER (ORDER BY r.record_id) - octet_length(r.packed) AS before
  FROM (
    SELECT r.record_id, r.packed FROM records r JOIN heads h ON h.user_id = r.user_id
    WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id > $3 AND NOT r.deleted AND r.key_id < h.key_id
    ORDER BY r.record_id LIMIT $4
  ) r
) AS measured WHERE before < $5 ORDER BY record_id
"""

_STANDING = """
SELECT count(*) AS total, count(*) FILTER (WHERE r.key_id < h.key_id) AS left
FROM records r JOIN heads h ON h.user_id = r.user_id
WHERE r.user_id = $1 AND r.collection IN ('entries', 'tags') AND NOT r.deleted
"""

_OPEN_CONFLICTS = """
SELECT c.conflict_id FROM conflicts c JOIN heads h ON h.user_id = c.user_id
WHERE c.user_id = $1 AND c.resolved_at IS NULL AND c.collection IN ('entries', 'tags') AND octet_length(c.payload) >= 6
  AND ('x' || encode(substring(c.payload FROM 3 FOR 4), 'hex'))::bit(32)::bigint < h.key_id
ORDER BY c.conflict_id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class ResealingProgress:
    """How many live entries and tags there are, and how many of them a retired key sealed."""

    total: int
    left: int


async def current(
    connection: asyncpg.Connection, user_id: UUID, collection: str, *, after: str, limit: int = 100
) -> list[Record]:
    """Return live records of a collection that a retired key sealed, in the order of their ids, some 2 MiB at most.

    Arguments:
        after: the id behind which they begin.
    """
    rows = await connection.fetch(_CURRENT, user_id, collection, after, limit, _BYTES_AT_ONCE)
    return [Record.model_validate(unpack(row["packed"])) for row in rows]


async def progress(connection: asyncpg.Connection, user_id: UUID) -> ResealingProgress:
    """Return how far the account is with sealing again."""
    row = await connection.fetchrow(_STANDING, user_id)
    return ResealingProgress(row["total"], row["left"])


async def open_conflicts(connection: asyncpg.Connection, user_id: UUID, *, limit: int) -> list[UUID]:
    """Return the ids of open conflicts about entries and tags that a retired key sealed, oldest first."""
    return [row["conflict_id"] for row in await connection.fetch(_OPEN_CONFLICTS, user_id, limit)]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many payloads were dropped; ``has_more``: ask again for the rest."""

    revisions: int
    conflicts: int
    has_more: bool


async def purge_retired(connection: asyncpg.Connection, user_id: UUID) -> Purged:
    """Drop the payloads of superseded revisions and decided conflicts that a retired key sealed, a batch of each."""
    await usage.hold(connection, user_id)
    counts = []
    for statement in (_REVISIONS, _CONFLICTS):
        row = await connection.fetchrow(statement, user_id, BATCH)
        await usage.add(connection, user_id, usage.OF_RECORDS, -row["bytes"])
        counts.append(row["count"])
    revisions, conflicts = counts
    return Purged(revisions, conflicts, has_more=BATCH in (revisions, conflicts))

"""What the endpoints of tags ask of the store: the tags that there are, and when entries last had them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["MAX_TAGS", "Present", "last_used", "list_all", "present", "stale", "used_at"]

MAX_TAGS = 5000
"""A list holds no more than so many."""
MAX_BYTES = 8192
"""What is larger is no tag, whatever its collection says; it is left out of lists."""


@dataclass(frozen=True, slots=True)
class Present:
    """What a change to a tag follows."""

    record_id: str
    revision: int
    payload_hash: bytes
    deleted: bool


_LIST = """
SELECT packed FROM records
WHERE user_id = $1 AND collection = 'tags' AND NOT deleted AND octet_length(packed) <= $2
ORDER BY record_id LIMIT $3
"""

_PRESENT = """
SELECT record_id, revision, payload_hash, deleted FROM records
WHERE user_id = $1 AND collection = 'tags' AND record_id = ANY($2::text[])
"""

# A tag's id is its label, so the entries say themselves which tags they have.
_LAST_USED = """
SELECT encode(l.label, 'hex') AS record_id, max(r.updated_at) AS at
FROM records r CROSS JOIN LATERAL unnest(r.labels) AS l(label)
WHERE r.user_id = $1 AND r.collection = 'entries' AND NOT r.deleted
GROUP BY l.label
"""

_USED_AT = """
SELECT max(updated_at) FROM records
WHERE user_id = $1 AND collection = 'entries' AND NOT deleted AND labels @> ARRAY[decode($2, 'hex')]
"""

_STALE = """
WITH used AS MATERIALIZED (
  SELECT DISTINCT encode(l.label, 'hex') AS record_id
  FROM records r CROSS JOIN LATERAL unnest(r.labels) AS l(label)
  WHERE r.user_id = $1 AND r.collection = 'entries' AND NOT r.deleted AND r.updated_at >= $2
)
SELECT t.record_id, t.revision, t.payload_hash, t.deleted FROM records t
WHERE t.user_id = $1 AND t.collection = 'tags' AND NOT t.deleted AND t.updated_at < $2
  AND NOT EXISTS (SELECT FROM used u WHERE u.record_id = t.record_id)
ORDER BY t.record_id
"""


async def list_all(connection: asyncpg.Connection, user_id: UUID) -> list[Record]:
    """Return the tags that are there, at most `MAX_TAGS`."""
    rows = await connection.fetch(_LIST, user_id, MAX_BYTES, MAX_TAGS)
    return [Record.model_validate(unpack(row["packed"])) for row in rows]


async def present(connection: asyncpg.Connection, user_id: UUID, record_ids: Sequence[str]) -> dict[str, Present]:
    """Return those of these tags that there are, deleted ones too, by their ids."""
    rows = await connection.fetch(_PRESENT, user_id, list(record_ids))
    return {row["record_id"]: Present(*row) for row in rows}


async def last_used(connection: asyncpg.Connection, user_id: UUID) -> dict[str, datetime]:
    """Return, by label in hexadecimal digits, when an entry that has it was last written."""
    return {row["record_id"]: row["at"] for row in await connection.fetch(_LAST_USED, user_id)}


async def used_at(connection: asyncpg.Connection, user_id: UUID, record_id: str) -> datetime | None:
    """Return when an entry that has this tag was last written."""
    at: datetime | None = await connection.fetchval(_USED_AT, user_id, record_id)
    return at


async def stale(connection: asyncpg.Connection, user_id: UUID, *, before: datetime) -> list[Present]:
    """Return the tags that were last written before then, and that no entry written since has."""
    return [Present(*row) for row in await connection.fetch(_STALE, user_id, before)]

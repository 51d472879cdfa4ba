"""Dropping what a retired master key still opens, once its content is sealed again under the newest one.

After a rotation whoever has the old keyring shall get nothing from this server that it could open. Payloads that are
current are sealed again by the account's devices; what lies behind them is dropped here. Leaves and tombstones stay,
and so does every current payload, whatever sealed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

__all__ = ["Purged", "purge_retired"]

BATCH = 2000

_REVISIONS = """
DELETE FROM revisions WHERE ctid = ANY (ARRAY(
  SELECT v.ctid FROM revisions v JOIN heads h ON h.user_id = v.user_id
  WHERE v.user_id = $1 AND v.key_id < h.key_id LIMIT $2
))
"""

# A decided conflict keeps its row, by which a repeated payload is known.
_CONFLICTS = """
UPDATE conflicts SET payload = '' WHERE ctid = ANY (ARRAY(
  SELECT c.ctid FROM conflicts c JOIN heads h ON h.user_id = c.user_id
  WHERE c.user_id = $1 AND c.resolved_at IS NOT NULL AND c.collection IN ('entries', 'tags')
    AND octet_length(c.payload) >= 6
    AND ('x' || encode(substring(c.payload FROM 3 FOR 4), 'hex'))::bit(32)::bigint < h.key_id
  LIMIT $2
))
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many payloads were dropped; ``has_more``: ask again for the rest."""

    revisions: int
    conflicts: int
    has_more: bool


async def purge_retired(connection: asyncpg.Connection, user_id: UUID) -> Purged:
    """Drop the payloads of superseded revisions and decided conflicts that a retired key sealed, a batch of each."""
    revisions = int((await connection.execute(_REVISIONS, user_id, BATCH)).split()[-1])
    conflicts = int((await connection.execute(_CONFLICTS, user_id, BATCH)).split()[-1])
    return Purged(revisions, conflicts, has_more=BATCH in (revisions, conflicts))

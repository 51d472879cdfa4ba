"""Dropping for good what was deleted or decided long ago: payloads and earlier revisions, never leaves or tombstones.

Each batch is of one account, one statement and one transaction. Any number of workers may run it at once: each takes
rows that no other has, and accounts in which nobody is writing at that moment; what is passed over is found the next
time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.by_account import executed, in_batches, whose
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings

__all__ = ["purge", "purge_record"]

# Whoever writes to an account holds its head, and so does this. Rows that were locked are found again by where they are
# (``ctid``): a plan that looked them up by name might read a whole table for a few.
_UNPURGED = whose("records", "deleted AND purged_at IS NULL AND updated_at < $3", "updated_at")
_REVISIONS = """
WITH due AS MATERIALIZED (
  SELECT r.collection, r.record_id
  FROM records r JOIN heads h ON h.user_id = r.user_id
  WHERE r.user_id = $1 AND r.deleted AND r.purged_at IS NULL AND r.updated_at < $3
  ORDER BY r.updated_at LIMIT $2 FOR UPDATE OF h, r SKIP LOCKED
), dropped AS (
  DELETE FROM revisions WHERE user_id = $1 AND ctid = ANY (ARRAY(
    SELECT v.ctid FROM due d CROSS JOIN LATERAL (
      SELECT ctid FROM revisions v
      WHERE v.user_id = $1 AND v.collection = d.collection AND v.record_id = d.record_id OFFSET 0
    ) v
  )) RETURNING octet_length(packed) AS bytes
), counted AS (
  UPDATE heads SET record_bytes = record_bytes - (SELECT sum(bytes) FROM dropped)
  WHERE user_id = $1 AND EXISTS (SELECT FROM dropped)
)
UPDATE records r SET purged_at = $4 FROM due d
WHERE r.user_id = $1 AND r.collection = d.collection AND r.record_id = d.record_id
"""

# The row stays, so that a second resolution is still refused and a repeated payload still known by its hash.
_DECIDED = whose(
    "conflicts", "resolved_at IS NOT NULL AND octet_length(payload) > 0 AND resolved_at < $3", "resolved_at"
)
_CONFLICTS = """
WITH due AS MATERIALIZED (
  SELECT c.ctid AS place, octet_length(c.payload) AS bytes
  FROM conflicts c JOIN heads h ON h.user_id = c.user_id
  WHERE c.user_id = $1 AND c.resolved_at IS NOT NULL AND octet_length(c.payload) > 0 AND c.resolved_at < $3
  ORDER BY c.resolved_at LIMIT $2 FOR UPDATE OF h, c SKIP LOCKED
), counted AS (
  UPDATE heads SET record_bytes = record_bytes - (SELECT sum(bytes) FROM due)
  WHERE user_id = $1 AND EXISTS (SELECT FROM due)
)
UPDATE conflicts SET payload = '' WHERE user_id = $1 AND ctid = ANY (ARRAY(SELECT place FROM due))
"""

_REVISIONS_OF_ONE = """
WITH dropped AS (
  DELETE FROM revisions WHERE user_id = $1 AND collection = $2 AND record_id = $3
  RETURNING octet_length(packed) AS bytes
)
UPDATE heads SET record_bytes = record_bytes - (SELECT coalesce(sum(bytes), 0) FROM dropped) WHERE user_id = $1
"""
_CONFLICTS_OF_ONE = """
WITH due AS MATERIALIZED (
  SELECT ctid AS place, octet_length(payload) AS bytes FROM conflicts
  WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND resolved_at IS NOT NULL
), dropped AS (
  UPDATE conflicts SET payload = '' WHERE user_id = $1 AND ctid = ANY (ARRAY(SELECT place FROM due))
)
UPDATE heads SET record_bytes = record_bytes - (SELECT coalesce(sum(bytes), 0) FROM due) WHERE user_id = $1
"""
_PURGED = """
UPDATE records SET purged_at = $4
WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND deleted AND purged_at IS NULL
"""


async def purge(clock: Clock, database: Database, settings: Settings) -> None:
    """Drop the revisions before deletions, and the payloads of conflicts, that are older than the setting says."""
    now = clock()
    before = now - timedelta(days=settings.jobs.purge_after_days)
    await in_batches(database, _UNPURGED, (before,), executed(_REVISIONS, before, now))
    await in_batches(database, _DECIDED, (before,), executed(_CONFLICTS, before))


async def purge_record(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, *, now: datetime
) -> None:
    """Drop at once what a deleted record held: its earlier revisions, and the payloads of its decided conflicts.

    The caller holds the lock of the account's history.
    """
    await connection.execute(_REVISIONS_OF_ONE, user_id, collection, record_id)
    await connection.execute(_CONFLICTS_OF_ONE, user_id, collection, record_id)
    await connection.execute(_PURGED, user_id, collection, record_id, now)

"""Dropping for good what was deleted or decided long ago: payloads and earlier revisions, never leaves or tombstones.

Each batch is one statement and one transaction. Any number of workers may run it at once: each takes rows that no other
has, and accounts in which nobody is writing at that moment; what is passed over is found the next time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lockleaf.server.context import Services

__all__ = ["purge"]

BATCH = 500

# Whoever writes to an account holds its head, and so does this. Rows that were locked are found again by where they are
# (``ctid``): a plan that looked them up by name might read a whole table for a few.
_REVISIONS = """
WITH due AS MATERIALIZED (
  SELECT r.user_id, r.collection, r.record_id
  FROM records r JOIN heads h ON h.user_id = r.user_id
  WHERE r.deleted AND r.purged_at IS NULL AND r.updated_at < $1
  ORDER BY r.updated_at LIMIT $3 FOR UPDATE OF h, r SKIP LOCKED
), dropped AS (
  DELETE FROM revisions WHERE ctid = ANY (ARRAY(
    SELECT v.ctid FROM due d CROSS JOIN LATERAL (
      SELECT ctid FROM revisions v
      WHERE v.user_id = d.user_id AND v.collection = d.collection AND v.record_id = d.record_id OFFSET 0
    ) v
  ))
)
UPDATE records r SET purged_at = $2 FROM due d
WHERE r.user_id = d.user_id AND r.collection = d.collection AND r.record_id = d.record_id
"""

# The row stays, so that a second resolution is still refused and a repeated payload still known by its hash.
_CONFLICTS = """
UPDATE conflicts SET payload = '' WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM conflicts
  WHERE resolved_at IS NOT NULL AND octet_length(payload) > 0 AND resolved_at < $1
  ORDER BY resolved_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""


async def purge(services: Services) -> None:
    """Drop the revisions before deletions, and the payloads of conflicts, that are older than the setting says."""
    now = services.clock()
    before = now - timedelta(days=services.settings.jobs.purge_after_days)
    await _in_batches(services, _REVISIONS, before, now, BATCH)
    await _in_batches(services, _CONFLICTS, before, BATCH)


async def _in_batches(services: Services, statement: str, *arguments: datetime | int) -> None:
    done = BATCH
    while done == BATCH:
        async with services.database.write_driver() as tx:
            done = int((await tx.connection.execute(statement, *arguments)).split()[-1])

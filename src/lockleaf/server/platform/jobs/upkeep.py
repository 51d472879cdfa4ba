"""Looking after the jobs themselves: those that the queue has lost, and those that ended long ago."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs.service import ATTENDED
from lockleaf.server.platform.settings import Settings

__all__ = ["forget", "mend"]

BATCH = 500

# A database that was restored, or a worker that lost its connection between two statements, can leave a job that
# nobody would take up any more. Those that are done within requests never were in a queue.
_LOST = text("""
SELECT j.kind, j.user_id, j.job_id FROM jobs j
WHERE j.state IN ('queued', 'running') AND j.kind <> ALL(:attended) AND NOT EXISTS (
  SELECT FROM pgqueuer q
  WHERE q.dedupe_key = j.job_id::text AND q.status IN ('queued', 'picked') AND q.dedupe_key IS NOT NULL
)
ORDER BY j.created_at LIMIT :batch
""")

# Rows that were locked are found again by where they are (``ctid``): a plan that looked them up by name might read a
# whole table for a few.
_ENDED = text("""
DELETE FROM jobs WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM jobs WHERE finished_at IS NOT NULL AND finished_at < :before
  ORDER BY finished_at LIMIT :batch FOR UPDATE SKIP LOCKED
))
""")

_OLD_LOG = text("""
DELETE FROM pgqueuer_log WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM pgqueuer_log WHERE created < :before AND aggregated
  ORDER BY created LIMIT :batch FOR UPDATE SKIP LOCKED
))
""")

# The counts of old seconds are added up in one row of the first second of 1970: counters must not fall.
_OLD_COUNTS = text("""
WITH old AS (
  DELETE FROM pgqueuer_statistics WHERE created < :before AND created > to_timestamp(0)
  RETURNING priority, status, entrypoint, count
)
INSERT INTO pgqueuer_statistics AS kept (created, count, priority, status, entrypoint)
SELECT to_timestamp(0), sum(count), priority, status, entrypoint FROM old GROUP BY priority, status, entrypoint
ON CONFLICT (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint)
DO UPDATE SET count = kept.count + excluded.count
""")


async def mend(database: Database) -> None:
    """Queue again what is unfinished and in no queue."""
    while True:
        async with database.transaction() as tx:
            lost = (await tx.session.execute(_LOST, {"batch": BATCH, "attended": list(ATTENDED)})).all()
            if lost:
                await queue.put(tx.connection, [(row.kind, row.user_id, row.job_id) for row in lost])
        if len(lost) < BATCH:
            return


async def forget(clock: Clock, database: Database, settings: Settings) -> None:
    """Delete jobs that ended long ago, and what the queue's library remembers of them."""
    before = clock() - timedelta(days=settings.jobs.keep_days)
    for statement in (_ENDED, _OLD_LOG):
        deleted = BATCH
        while deleted == BATCH:
            async with database.transaction() as tx:
                result = await tx.session.execute(statement, {"before": before, "batch": BATCH})
                deleted = result.rowcount  # type: ignore[attr-defined]
    async with database.transaction() as tx:
        await tx.session.execute(_OLD_COUNTS, {"before": before})

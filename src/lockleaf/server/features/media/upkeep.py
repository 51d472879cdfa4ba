"""Looking after media: what was deleted a month ago, uploads that nobody goes on with, objects that nobody knows."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import structlog

from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.backup_hold import is_held
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings

__all__ = ["forget_unfinished", "purge", "remove_staged", "sweep_orphans"]

BATCH = 500
LONGEST_UPLOAD = timedelta(days=7)
"""After which an upload in parts is thrown away even if it goes on: begun again, it has a week again."""

log = structlog.get_logger("lockleaf.media")

# Rows that were locked are found again by where they are (``ctid``): a plan that looked them up by name might read a
# whole table for a few.
# Whoever adds to an account or drops something of it holds its head, and so does this.
_DROP = """
WITH due AS MATERIALIZED (
  SELECT m.ctid AS place FROM media m JOIN heads h ON h.user_id = m.user_id
  WHERE {due} LIMIT $2 FOR UPDATE OF h, m SKIP LOCKED
), gone AS (
  DELETE FROM media WHERE ctid = ANY (ARRAY(SELECT place FROM due)) RETURNING user_id, object_key, upload_id, size
), counted AS (
  UPDATE heads h SET media_bytes = h.media_bytes - s.bytes
  FROM (SELECT user_id, sum(size) AS bytes FROM gone GROUP BY user_id) s WHERE h.user_id = s.user_id
)
INSERT INTO media_removals (object_key, upload_id) SELECT object_key, upload_id FROM gone
ON CONFLICT (object_key) DO NOTHING
"""
_DELETED = _DROP.format(due="m.deleted_at IS NOT NULL AND m.deleted_at < $1 ORDER BY m.deleted_at")
_UNFINISHED = _DROP.format(due="m.state = 'uploading' AND m.touched_at < $1 ORDER BY m.touched_at")

# OFFSET 0 keeps each lookup of an object a lookup in its index.
_UNKNOWN = """
SELECT w.key FROM unnest($1::text[]) AS w(key)
LEFT JOIN LATERAL (SELECT 1 AS known FROM media m WHERE m.object_key = w.key LIMIT 1 OFFSET 0) m ON true
WHERE m.known IS NULL
"""
_OURS = "SELECT value FROM installation WHERE name = 'objects'"


async def purge(clock: Clock, database: Database, settings: Settings, removals: Removals) -> None:
    """Delete for good what was deleted longer ago than the setting says, here and in the store."""
    before = clock() - timedelta(days=settings.jobs.purge_after_days)
    await _in_batches(database, _DELETED, before)
    await removals.all_staged()


async def forget_unfinished(clock: Clock, database: Database, settings: Settings, removals: Removals) -> None:
    """Forget uploads that were not heard of for a day, with what came of them; their quota is free again."""
    before = clock() - timedelta(hours=settings.media.unfinished_hours)
    await _in_batches(database, _UNFINISHED, before)
    await removals.all_staged()


async def remove_staged(removals: Removals) -> None:
    """Delete the objects whose deletion was interrupted."""
    await removals.all_staged()


async def sweep_orphans(clock: Clock, database: Database, settings: Settings, objects: ObjectStore) -> None:
    """Delete old objects of this database that it does not know: those that came after their declaration was gone.

    And uploads in parts of which a crash left no trace here.

    Only keys that begin with this database's own word are looked at: in a bucket that several share, what one does not
    know is another's.
    """
    hours = settings.media.orphan_hours
    if hours == 0:
        return
    async with database.read_driver() as connection:
        ours: str = await connection.fetchval(_OURS)
    waiting: list[str] = []
    async for key in objects.list_keys(older_than=clock() - timedelta(hours=hours)):
        if key.startswith(ours):
            waiting.append(key)
        if len(waiting) == BATCH:
            await _drop_unknown(database, objects, waiting)
            waiting = []
    if waiting:
        await _drop_unknown(database, objects, waiting)
    await objects.drop_unfinished(older_than=clock() - LONGEST_UPLOAD)


async def _drop_unknown(database: Database, objects: ObjectStore, keys: list[str]) -> None:
    async with database.read_driver() as connection:
        unknown = [row["key"] for row in await connection.fetch(_UNKNOWN, keys)]
        if unknown and await is_held(connection):
            return
    if unknown:
        await objects.delete(unknown)
        log.info("objects that nobody knows were deleted", count=len(unknown))


async def _in_batches(database: Database, statement: str, before: object) -> None:
    done = BATCH
    while done == BATCH:
        async with database.transaction() as tx:
            connection: asyncpg.Connection = tx.connection
            done = int((await connection.execute(statement, before, BATCH)).split()[-1])

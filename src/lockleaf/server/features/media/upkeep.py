"""Looking after media: what was deleted a month ago, uploads that nobody goes on with, objects that nobody knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from lockleaf.server.features.media.repository import stage_all
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.backup_hold import is_held
from lockleaf.server.platform.db.by_account import BATCH, in_batches, whose
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.settings import Settings

__all__ = ["forget_unfinished", "purge", "remove_staged", "sweep_orphans"]

LONGEST_UPLOAD = timedelta(days=7)
"""After which an upload in parts is thrown away even if it goes on: begun again, it has a week again."""

log = structlog.get_logger("lockleaf.media")

# Rows that were locked are found again by where they are (``ctid``): a plan that looked them up by name might read a
# whole table for a few.
# Whoever adds to an account or drops something of it holds its head, and so does this.
_DROP = """
WITH due AS MATERIALIZED (
  SELECT m.ctid AS place FROM media m JOIN heads h ON h.user_id = m.user_id
  WHERE m.user_id = $1 AND {due} LIMIT $2 FOR UPDATE OF h, m SKIP LOCKED
), gone AS (
  DELETE FROM media WHERE user_id = $1 AND ctid = ANY (ARRAY(SELECT place FROM due))
  RETURNING object_key, upload_id, size
), counted AS (
  UPDATE heads SET media_bytes = media_bytes - (SELECT sum(size) FROM gone)
  WHERE user_id = $1 AND EXISTS (SELECT FROM gone)
)
SELECT object_key, upload_id FROM gone
"""
_IS_DELETED = "deleted_at IS NOT NULL AND deleted_at < $3"
_IS_UNFINISHED = "state = 'uploading' AND touched_at < $3"
_DELETED = whose("media", _IS_DELETED, "deleted_at")
_UNFINISHED = whose("media", _IS_UNFINISHED, "touched_at")
_DROP_DELETED = _DROP.format(due=_IS_DELETED)
_DROP_UNFINISHED = _DROP.format(due=_IS_UNFINISHED)

# Of all accounts: an object's key does not tell whose it is.
_KNOWN = "SELECT object_key FROM media WHERE object_key = ANY ($1)"
_OURS = "SELECT value FROM installation WHERE name = 'objects'"


async def purge(clock: Clock, database: Database, settings: Settings, removals: Removals) -> None:
    """Delete for good what was deleted longer ago than the setting says, here and in the store."""
    before = clock() - timedelta(days=settings.jobs.purge_after_days)
    await _drop_due(database, _DELETED, _DROP_DELETED, before)
    await removals.all_staged()


async def forget_unfinished(clock: Clock, database: Database, settings: Settings, removals: Removals) -> None:
    """Forget uploads that were not heard of for a day, with what came of them; their quota is free again."""
    before = clock() - timedelta(hours=settings.media.unfinished_hours)
    await _drop_due(database, _UNFINISHED, _DROP_UNFINISHED, before)
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
        known = {row["object_key"] for row in await connection.fetch(_KNOWN, keys)}
        unknown = [key for key in keys if key not in known]
        if unknown and await is_held(connection):
            return
    if unknown:
        await objects.delete(unknown)
        log.info("objects that nobody knows were deleted", count=len(unknown))


async def _drop_due(database: Database, due: str, statement: str, before: datetime) -> None:
    async def drop(tx: Transaction, user_id: UUID) -> int:
        gone = await tx.connection.fetch(statement, user_id, BATCH, before)
        await stage_all(tx.connection, gone)
        return len(gone)

    await in_batches(database, due, (before,), drop)

"""Deleting objects from the store: staged in the transaction that forgets them, done after its commit.

Whatever stops it in between, what is staged stays staged: it may be gone through any number of times, by any number of
processes at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.backup_hold import is_held
from lockleaf.server.platform.db.engine import Database

__all__ = ["Removals"]

BATCH = 500
PATIENCE = 3
"""How many uploads the store may fail to abort before it is left alone."""

_STAGED = "SELECT object_key, upload_id FROM media_removals ORDER BY staged_at LIMIT $1"
_LATER = "UPDATE media_removals SET staged_at = now() WHERE object_key = ANY ($1)"
_DONE = "DELETE FROM media_removals WHERE object_key = ANY ($1)"

log = structlog.get_logger("lockleaf.media")


class Removals:
    """What a process deletes from the store on behalf of its database.

    Args:
        database: where removals are staged.
        store: from which the objects are deleted.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._asked = False

    def soon(self) -> None:
        """Delete what is staged, without letting anybody wait for it."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="lockleaf-media-removals")

    async def _run(self) -> None:
        while self._asked:
            self._asked = False
            try:
                await self.all_staged()
            except Exception as error:
                log.warning("objects wait to be deleted", failure=error)

    async def all_staged(self) -> None:
        """Delete everything that is staged; nothing while a backup runs.

        Raises:
            StoreUnavailable: the store does not answer; what it did not delete stays staged.
        """
        done = BATCH
        while done == BATCH:
            async with self._database.read_driver() as connection:
                rows = await connection.fetch(_STAGED, BATCH)
                if rows and await is_held(connection):
                    return  # what a backup still copies; the sweep comes again
            # Uploads first, so that none that is being completed makes an object behind the deletion.
            keys, refused, failure = await self._abort(rows)
            try:
                if keys:
                    await self._store.delete(keys)
            except StoreUnavailable as error:
                # It may be for the sake of one that the store will never give up.
                keys, refused, failure = [], [*refused, *keys], error
            async with self._database.transaction() as tx:
                await tx.connection.execute(_DONE, keys)
                # What the store does not do must not hold up the rest the next time.
                await tx.connection.execute(_LATER, refused)
            if failure is not None:
                raise failure
            done = len(keys)

    async def _abort(self, rows: Sequence[asyncpg.Record]) -> tuple[list[str], list[str], StoreUnavailable | None]:
        """Have the store forget uploads in parts; return the keys of which it has none any more, and of which it did
        not forget them, with what it said.
        """
        keys, refused, failure = [], [], None
        for row in rows:
            try:
                if row["upload_id"] is not None:
                    await self._store.abort_parts(row["object_key"], row["upload_id"])
                keys.append(row["object_key"])
            except StoreUnavailable as error:
                failure = error
                refused.append(row["object_key"])
                if len(refused) == PATIENCE:
                    break
        return keys, refused, failure

    async def close(self) -> None:
        """Stop. What is left is done by the sweep."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

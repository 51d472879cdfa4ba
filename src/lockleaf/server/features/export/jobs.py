"""The job that makes an archive of what the server holds of an account, as it holds it: sealed what is sealed.

It reads one snapshot of the database and writes in one transaction, so that an archive is of one moment, and there or
not there. Neither the rows nor the archive are ever in memory as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from lockleaf import __version__
from lockleaf.server.features.export.bundle import Bundle, as_json
from lockleaf.server.features.export.repository import ArchiveRepository
from lockleaf.server.platform.archive import Facts, Section
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.by_account import executed, in_batches, whose
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs.attempt import Attempt, Handler
from lockleaf.server.platform.settings import Settings

__all__ = ["FORMAT", "FORMAT_VERSION", "handler", "sweep"]

FORMAT = "lockleaf-archive"
FORMAT_VERSION = 1
PROGRESS_ROWS = 1000

_COUNT = "SELECT count(*) FROM ({}) AS rows"


def handler(facts: Sequence[Facts], sections: Sequence[Section]) -> Handler:
    """Return what makes archives of ``facts``, which stand in the manifest, and ``sections``, each a file."""

    async def make(attempt: Attempt) -> None:
        async with attempt.transaction() as tx:
            repository = ArchiveRepository(tx.session, attempt.user_id)
            if await repository.get(attempt.job_id) is not None:
                return  # made by an attempt that could not say so any more
            await repository.delete_all()  # the newest is kept, and nothing of one that came to no end
            async with attempt.snapshot() as snapshot:
                await _Making(attempt, repository, snapshot).run(facts, sections)

    return make


class _Making:
    """An archive while it is made."""

    def __init__(self, attempt: Attempt, repository: ArchiveRepository, snapshot: asyncpg.Connection) -> None:
        self._attempt = attempt
        self._repository = repository
        self._snapshot = snapshot
        self._now = attempt.parts[Clock]()
        self._bundle = Bundle(self._now)
        self._part = 0
        self._done = 0
        self._told = 0

    async def run(self, facts: Sequence[Facts], sections: Sequence[Section]) -> None:
        """Write every section, then the manifest, and let the archive be fetched."""
        user_id, bundle = self._attempt.user_id, self._bundle
        counts = {
            section.file: await self._snapshot.fetchval(_COUNT.format(section.query), user_id) for section in sections
        }
        total = sum(counts.values())
        await self._attempt.progress(0, total)
        for section in sections:
            with bundle.file(section.file) as file:
                async for rows in self._rows(section):
                    # Packing and compressing take time, which is not the event loop's to give.
                    await asyncio.to_thread(bundle.write_lines, file, map(section.line, rows))
                    await self._store(bundle.take())
                    await self._tell(len(rows), total)
        manifest: dict[str, Any] = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "made_at": self._now,
            "server_version": __version__,
            **{each.name: each.tell(await self._snapshot.fetchrow(each.query, user_id)) for each in facts},
            "files": counts,
        }
        with bundle.file("manifest.json") as file:
            file.write(as_json(manifest).encode() + b"\n")
        await self._store(bundle.end())
        days = self._attempt.parts[Settings].jobs.archive_days
        await self._repository.finish(
            self._attempt.job_id,
            size=bundle.size,
            sha256=bundle.sha256,
            now=self._now,
            expires_at=self._now + timedelta(days=days),
        )

    async def _rows(self, section: Section) -> AsyncIterator[list[asyncpg.Record]]:
        cursor = await self._snapshot.cursor(section.query, self._attempt.user_id)
        while rows := await cursor.fetch(section.at_once):
            yield rows

    async def _store(self, parts: Iterable[bytes]) -> None:
        for data in parts:
            await self._repository.add_part(self._attempt.job_id, self._part, data)
            self._part += 1

    async def _tell(self, rows: int, total: int) -> None:
        self._done += rows
        if self._done - self._told >= PROGRESS_ROWS:
            await self._attempt.progress(self._done, total)
            self._told = self._done


_DUE = whose("archives", "expires_at <= $3", "expires_at")
_EXPIRED = """
WITH expired AS MATERIALIZED (
  SELECT job_id FROM archives WHERE user_id = $1 AND expires_at <= $3 LIMIT $2 FOR UPDATE SKIP LOCKED
), parts AS (
  DELETE FROM archive_parts p USING expired e WHERE p.user_id = $1 AND p.job_id = e.job_id
)
DELETE FROM archives a USING expired e WHERE a.user_id = $1 AND a.job_id = e.job_id
"""


async def sweep(clock: Clock, database: Database) -> None:
    """Delete archives whose time is over."""
    now = clock()
    await in_batches(database, _DUE, (now,), executed(_EXPIRED, now))

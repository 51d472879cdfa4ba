"""What is due by the clock is done by one worker, however many there are: nobody else need keep the time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
from pgqueuer.domain import models
from pgqueuer.domain.types import CronEntrypoint, CronExpression

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.platform.db.engine import Database, asyncpg_url
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs.worker import JobWorker, Schedule
from lockleaf.server.platform.settings import Settings

WORKERS = 4
NEW_YEAR = "0 0 1 1 *"
PATIENCE_SECONDS = 60


async def _make_due(database_url: str, names: list[str]) -> None:
    """Let schedules be due, as if nobody had worked for a while."""
    connection = await asyncpg.connect(asyncpg_url(database_url))
    try:
        keys = [models.CronExpressionEntrypoint(CronEntrypoint(name), CronExpression(NEW_YEAR)) for name in names]
        await queue.queries(connection).insert_schedule(dict.fromkeys(keys, timedelta(hours=-1)))
    finally:
        await connection.close()


async def test_of_several_workers_one_does_what_is_due(settings: Settings, database_url: str) -> None:
    mark = uuid4().hex
    shared, own = f"tests.{mark}.shared", [f"tests.{mark}.{number}" for number in range(WORKERS)]
    await _make_due(database_url, [shared, *own])
    did: list[str] = []
    all_looked = asyncio.Event()

    async def once() -> None:
        did.append(shared)
        await all_looked.wait()  # it is still at it while the others look for what is due

    def looked(name: str) -> Schedule:
        """Due as well, and for one worker alone: what is due is looked for all at once, so it has looked by then."""

        async def run() -> None:
            did.append(name)

        return Schedule(name, NEW_YEAR, run)

    async def all_have() -> None:
        while not set(own) <= set(did):
            await asyncio.sleep(0.01)

    parts = build_parts(settings, database_url)
    schedules = [(Schedule(shared, NEW_YEAR, once), looked(name)) for name in own]
    workers = [JobWorker(parts, database_url, handlers={}, schedules=each) for each in schedules]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await all_have()
        assert did.count(shared) == 1
    finally:
        all_looked.set()
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)
        parts[VerifierHasher].close()
        await parts[Database].close()
    assert sorted(did) == sorted([shared, *own])

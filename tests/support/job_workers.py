"""Workers of background work for tests: within the test's loop, and as real processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs.attempt import Attempt, Handler
from lockleaf.server.platform.jobs.worker import JobWorker
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support import warm_program
from tests.support.started import Started

__all__ = ["WAITING_KIND", "ended", "job_row", "process", "until", "working"]

WAITING_KIND = "tests.waits"
"""A kind of job that waits for a lock of the database which its arguments name, and tells who does it."""

PATIENCE_SECONDS = 30


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.005)


async def job_row(parts: Parts, job_id: UUID) -> asyncpg.Record | None:
    """The row of a job, whoever's it is."""
    async with parts[Database].read_driver() as connection:
        return await connection.fetchrow("SELECT * FROM jobs WHERE job_id = $1", job_id)


async def ended(parts: Parts, job_id: UUID) -> asyncpg.Record:
    """The row of a job, once it has ended and the queue has let go of it."""
    found: list[asyncpg.Record] = []

    async def over() -> bool:
        async with parts[Database].read_driver() as connection:
            row = await connection.fetchrow("SELECT * FROM jobs WHERE job_id = $1", job_id)
            queued = await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", str(job_id))
        found[:] = [row]
        return row["state"] not in ("queued", "running") and queued == 0

    await until(over)
    return found[0]


@contextlib.asynccontextmanager
async def working(parts: Parts, url: str, handlers: Mapping[str, Handler]) -> AsyncIterator[JobWorker]:
    """A worker in this loop, with handlers of the test's own."""
    worker = JobWorker(parts, url, handlers=handlers)
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await worker.taking.wait()
        yield worker
    finally:
        worker.stop()
        await running


@contextlib.contextmanager
def process(environment: Mapping[str, str], log: Path) -> Iterator[Started]:
    """A real worker process that does jobs of `WAITING_KIND`; begun when this returns, killed at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "DATABASE_URL"))}
    with log.open("a") as stderr:
        worker = warm_program.start(
            "from tests.support.job_workers import main; main()",
            [],
            {**clean, **environment},
            stderr=stderr,
            alone=False,
        )
    assert worker.stdout is not None
    try:
        assert worker.stdout.readline() == "taking jobs\n", log.read_text()
        yield worker
    finally:
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()


async def _wait(attempt: Attempt) -> None:
    async with attempt.transaction() as tx:
        key: Any = attempt.arguments["lock"]
        await tx.session.execute(
            text("SELECT set_config('application_name', :name, true)"), {"name": f"job-{os.getpid()}"}
        )
        await tx.session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": key})
        await tx.session.execute(
            text("INSERT INTO installation (name, value) VALUES (:name, :value)"),
            {"name": f"done-{attempt.job_id}", "value": str(os.getpid())},
        )


def main() -> None:
    """Work as a process of its own."""
    settings = Settings()
    logging.configure("json", "INFO")
    assert settings.database.url is not None
    url = settings.database.url.get_secret_value()

    async def run() -> None:
        parts = build_parts(settings, url)
        worker = JobWorker(parts, url, handlers={WAITING_KIND: _wait})
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        running = asyncio.create_task(worker.run())
        await worker.taking.wait()
        print("taking jobs", flush=True)
        await running
        parts[VerifierHasher].close()
        await parts[Database].close()

    asyncio.run(run())

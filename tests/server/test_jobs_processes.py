"""Workers as real processes: what one leaves behind, killed or stopped, another does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support.job_workers import WAITING_KIND, ended, job_row, process, until
from tests.support.started import Started

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def environment(server_environment: dict[str, str], own_database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **server_environment,
        "DATABASE_URL": own_database_url,
        "LOCKLEAF_DATA_DIR": str(tmp_path / "data"),
        "LOCKLEAF_JOBS__HEARTBEAT_SECONDS": "1",
        "LOCKLEAF_JOBS__POLL_SECONDS": "0.2",
        "LOCKLEAF_JOBS__GRACE_SECONDS": "0",
    }


@pytest.fixture
async def parts(
    environment: dict[str, str], own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Parts]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    parts = build_parts(Settings(), own_database_url)
    yield parts
    parts[VerifierHasher].close()
    await parts[Database].close()


@pytest.fixture
async def gate(own_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the lock for which jobs wait."""
    connection = await asyncpg.connect(own_database_url)
    await connection.execute("SELECT pg_advisory_lock(1)")
    yield connection
    await connection.close()


async def _enqueue(parts: Parts) -> UUID:
    async with parts[Database].transaction() as tx:
        job = await jobs.enqueue(
            tx.session, user_id=uuid4(), kind=WAITING_KIND, arguments={"lock": 1}, now=datetime.now(UTC)
        )
    return job.job_id


async def _runs_in(parts: Parts, worker: Started) -> None:
    async def waits() -> bool:
        async with parts[Database].read_driver() as connection:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'advisory'"
            return bool(await connection.fetchval(waiting, f"job-{worker.pid}"))

    await until(waits)


async def _done_by(parts: Parts, job_id: UUID) -> str:
    async with parts[Database].read_driver() as connection:
        done_by: str = await connection.fetchval("SELECT value FROM installation WHERE name = $1", f"done-{job_id}")
        return done_by


async def test_the_job_of_a_worker_that_is_killed_is_done_by_another(
    parts: Parts, environment: dict[str, str], gate: asyncpg.Connection, tmp_path: Path
) -> None:
    with process(environment, tmp_path / "one.log") as one:
        job_id = await _enqueue(parts)
        await _runs_in(parts, one)
        one.send_signal(signal.SIGKILL)
        one.wait()
    with process(environment, tmp_path / "two.log") as two:
        await gate.execute("SELECT pg_advisory_unlock(1)")
        row = await ended(parts, job_id)
        assert row["state"] == "succeeded"
        assert row["attempts"] > 1
        # Once, and by the second: what the first had begun was taken back with its connection.
        assert await _done_by(parts, job_id) == str(two.pid)


async def test_a_worker_that_is_stopped_hands_its_job_to_another_at_once(
    parts: Parts, environment: dict[str, str], gate: asyncpg.Connection, tmp_path: Path
) -> None:
    with process(environment, tmp_path / "one.log") as one, process(environment, tmp_path / "two.log") as two:
        job_id = await _enqueue(parts)

        async def began() -> bool:
            row = await job_row(parts, job_id)
            return row is not None and row["state"] == "running"

        await until(began)
        waiting = [asyncio.create_task(_runs_in(parts, worker)) for worker in (one, two)]
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        first, second = (one, two) if waiting[0] in done else (two, one)
        first.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait, 20) == 0
        await _runs_in(parts, second)
        await gate.execute("SELECT pg_advisory_unlock(1)")
        row = await ended(parts, job_id)
        assert (row["state"], row["attempts"]) == ("succeeded", 1)
        assert await _done_by(parts, job_id) == str(second.pid)


async def test_of_several_workers_each_job_is_done_by_one(
    parts: Parts, environment: dict[str, str], tmp_path: Path
) -> None:
    with process(environment, tmp_path / "one.log"), process(environment, tmp_path / "two.log"):
        job_ids = [await _enqueue(parts) for _ in range(20)]
        rows = [await ended(parts, job_id) for job_id in job_ids]
        # Done twice, its second time would have failed: each notes itself under a name that can be taken once.
        assert {(row["state"], row["attempts"]) for row in rows} == {("succeeded", 1)}

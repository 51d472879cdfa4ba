"""The process of background work is there while there is work: it leaves without, and comes back for more."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.main.bell import Bell, Leaving, News, ring
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.errors import DatabaseBusy
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.jobs.attempt import Attempt
from lockleaf.server.platform.jobs.worker import LONGEST_REST_SECONDS, JobWorker, Schedule
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support.accounts import register
from tests.support.job_workers import PATIENCE_SECONDS, until
from tests.support.process import RunningServer, running_server
from tests.support.processes import job_workers, workers

IDLE = {"LOCKLEAF_JOBS__IDLE_SECONDS": "0.5", "LOCKLEAF_JOBS__GRACE_SECONDS": "0"}


# ---- a server ----


@pytest.fixture
def server(server_environment: dict[str, str], own_database_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    environment = {
        **server_environment,
        **IDLE,
        "DATABASE_URL": own_database_url,
        "LOCKLEAF_DATA_DIR": str(tmp_path),
        "LOCKLEAF_JOBS__IN_PROCESS": "true",
        "TMPDIR": str(tmp_path),
    }
    with running_server(environment, log=tmp_path / "log", workers=2) as running:
        yield running


async def until_it_has_left(server: RunningServer) -> None:
    async def left() -> bool:
        return not job_workers(server)

    await until(left)


async def test_it_leaves_and_comes_back_for_what_is_queued(server: RunningServer, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        owner = await register(http)
        for _ in range(2):
            await until_it_has_left(server)
            job = (await owner.request("POST", "/users/me/export")).json()

            async def done(job: dict[str, str] = job) -> bool:
                answer = (await owner.request("GET", f"/jobs/{job['id']}")).json()
                return bool(answer["state"] == "succeeded")

            await until(done)
        await until_it_has_left(server)
    # However often it came, it counts in the same files, and nothing tells of connections that it no longer has.
    counted = [re.fullmatch(r"(\w+)_(\w+)", file.stem) for file in tmp_path.glob("lockleaf-metrics-*/*.db")]
    names = {(found[1], found[2]) for found in counted if found is not None}
    assert {by for _, by in names} == {"jobs", str(server.pid), *(str(each.pid) for each in workers(server))}
    assert [kind for kind, by in names if by == "jobs" and "live" in kind] == []


async def test_it_comes_back_when_something_is_due(server: RunningServer, own_database_url: str) -> None:
    await until_it_has_left(server)
    connection = await asyncpg.connect(own_database_url)
    try:
        # Of nobody's: there is nothing to do for it but to take it out of the queue.
        await queue.put(connection, [("account.export", uuid4(), uuid4())], delay=timedelta(seconds=4))
        queued = "SELECT count(*) FROM pgqueuer WHERE status = 'queued'"
        # Told of it, it came to look, and has left again before it is due.
        await until_it_has_left(server)
        assert await connection.fetchval(queued) == 1

        async def taken() -> bool:
            return bool(await connection.fetchval(queued) == 0)

        await until(taken)
        await until_it_has_left(server)
    finally:
        await connection.close()


async def test_one_that_is_killed_is_replaced(
    server_environment: dict[str, str], own_database_url: str, tmp_path: Path
) -> None:
    environment = {
        **server_environment,
        "DATABASE_URL": own_database_url,
        "LOCKLEAF_DATA_DIR": str(tmp_path),
        "LOCKLEAF_JOBS__IN_PROCESS": "true",
    }
    with running_server(environment, log=tmp_path / "log") as server:

        async def there() -> bool:
            return bool(job_workers(server))

        await until(there)
        (killed,) = job_workers(server)
        killed.kill()

        async def replaced() -> bool:
            return [each.pid for each in job_workers(server)] not in ([], [killed.pid])

        await until(replaced)


# ---- a worker ----


@pytest.fixture
async def parts(settings: Settings, own_database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    for name, value in {**IDLE, "LOCKLEAF_JOBS__BACKOFF_SECONDS": "60"}.items():
        monkeypatch.setenv(name, value)
    parts = build_parts(Settings(), own_database_url)
    yield parts
    parts[VerifierHasher].close()
    await parts[Database].close()


async def left_by(worker: JobWorker, told: list[tuple[float, float]]) -> float:
    """Let a worker run until it leaves; return in how many seconds it says that it is due again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.run()
    ((looked_at, due_in),) = told
    assert looked_at <= time.monotonic()
    return due_in


async def _enqueue(parts: Parts, kind: str) -> None:
    async with parts[Database].transaction() as tx:
        await jobs.enqueue(tx.session, user_id=uuid4(), kind=kind, arguments={}, now=datetime.now(UTC))


def leaving(parts: Parts, url: str, **options: object) -> tuple[JobWorker, list[tuple[float, float]]]:
    told: list[tuple[float, float]] = []
    options.setdefault("handlers", {})
    worker = JobWorker(parts, url, leave=lambda *said: told.append(said), **options)  # type: ignore[arg-type]
    return worker, told


async def test_without_anything_to_do_it_looks_again_by_and_by(parts: Parts, own_database_url: str) -> None:
    assert await left_by(*leaving(parts, own_database_url)) == LONGEST_REST_SECONDS


async def test_it_does_what_is_there_and_says_when_an_attempt_is_made_again(
    parts: Parts, own_database_url: str
) -> None:
    done: list[int] = []

    async def handler(attempt: Attempt) -> None:
        done.append(attempt.number)
        if len(done) == 1:
            raise DatabaseBusy

    await _enqueue(parts, "tests.fails")
    await _enqueue(parts, "tests.fails")
    due_in = await left_by(*leaving(parts, own_database_url, handlers={"tests.fails": handler}))
    assert done == [1, 1]
    assert 20 < due_in <= 60


async def test_a_job_that_another_process_took_is_due_where_that_gives_no_sign(
    parts: Parts, own_database_url: str
) -> None:
    async with parts[Database].transaction() as tx:
        await queue.put(tx.connection, [("tests.taken", uuid4(), uuid4())])
        await tx.connection.execute(
            "UPDATE pgqueuer SET status = 'picked', queue_manager_id = $1, heartbeat = now() - interval '10 seconds'",
            uuid4(),
        )

    async def handler(attempt: Attempt) -> None:
        raise AssertionError("it was not due")

    heartbeat = parts[Settings].jobs.heartbeat_seconds
    due_in = await left_by(*leaving(parts, own_database_url, handlers={"tests.taken": handler}))
    assert heartbeat - 15 < due_in <= heartbeat - 10


async def test_it_is_due_for_its_schedules_and_for_nobody_elses(parts: Parts, own_database_url: str) -> None:
    async def run() -> None:
        pass

    other, told = leaving(parts, own_database_url, schedules=[Schedule("tests.other", "* * * * *", run)])
    assert await left_by(other, told) <= 60
    async with parts[Database].transaction() as tx:
        await tx.connection.execute("UPDATE pgqueuer_schedules SET next_run = now() - interval '1 day'")
        await queue.put(tx.connection, [("tests.of_an_earlier_version", uuid4(), uuid4())])
    in_years = Schedule("tests.ours", "0 0 29 2 *", run)
    assert await left_by(*leaving(parts, own_database_url, schedules=[in_years])) == LONGEST_REST_SECONDS


# ---- the bell ----


def test_messages_come_as_they_were_sent() -> None:
    bell = Bell()
    sent = [News.JOBS_QUEUED, Leaving(12.5, 300.25), News.SIGNALLED]
    for each in sent:
        ring(bell.rope, each)
    assert bell.wait(0) == sent
    assert bell.wait(0) == []
    bell.rope.send(b"l-of-some-other-length")
    bell.rope.send(b"?")
    assert bell.wait(0) == []
    bell.close()
    ring(bell.rope, News.JOBS_QUEUED)  # nobody listens any more, and nobody is harmed


def test_a_bell_that_nobody_hears_holds_nobody_up() -> None:
    bell = Bell()
    for _ in range(10_000):
        ring(bell.rope, News.JOBS_QUEUED)
    heard = bell.wait(0)
    assert 0 < len(heard) < 10_000
    assert set(heard) == {News.JOBS_QUEUED}
    bell.close()


@pytest.mark.parametrize(
    ("payload", "new"),
    [
        ('{"channel": "ch_pgqueuer", "operation": "insert", "table": "pgqueuer"}', True),
        ('{"channel": "ch_pgqueuer", "operation": "update", "table": "pgqueuer"}', False),
        ('{"channel": "ch_pgqueuer", "operation": "delete", "table": "pgqueuer"}', False),
        ('{"type": "health_check_event"}', False),
        ("[]", False),
        ("insert", False),
    ],
)
def test_only_what_was_put_into_the_queue_is_new(payload: str, new: bool) -> None:
    assert queue.tells_of_new(payload) is new

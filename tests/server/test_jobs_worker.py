"""What workers make of jobs: done, tried again, failed for a reason that is a code, given up, handed back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.main.app import build_parts
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.errors import DatabaseBusy
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.jobs.attempt import Attempt
from lockleaf.server.platform.jobs.errors import JobNotFound
from lockleaf.server.platform.jobs.upkeep import forget, mend
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support.job_workers import ended, job_row, until, working

CANARY = "heliotrope-canary-7f3a"


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    quick = {"BACKOFF_SECONDS": "0.01", "HEARTBEAT_SECONDS": "1", "POLL_SECONDS": "0.2", "GRACE_SECONDS": "0"}
    for name, value in {**quick, "MAX_ATTEMPTS": "3"}.items():
        monkeypatch.setenv(f"LOCKLEAF_JOBS__{name}", value)
    return Settings()


@pytest.fixture
async def parts(settings: Settings, database_url: str) -> AsyncIterator[Parts]:
    parts = build_parts(settings, database_url)
    yield parts
    parts[VerifierHasher].close()
    await parts[Database].close()


@pytest.fixture
def kind() -> str:
    """A kind of job that only this test's workers know."""
    return f"tests.{uuid4().hex}"


async def _enqueue(parts: Parts, kind: str, user_id: UUID | None = None, **arguments: Any) -> UUID:
    async with parts[Database].transaction() as tx:
        job = await jobs.enqueue(
            tx.session, user_id=user_id or uuid4(), kind=kind, arguments=arguments, now=datetime.now(UTC)
        )
    return job.job_id


def _raising(*errors: Callable[[], Exception]) -> tuple[list[int], Any]:
    """A handler that fails in these ways, one after another, and then does not."""
    attempts: list[int] = []

    async def handler(attempt: Attempt) -> None:
        attempts.append(attempt.number)
        if attempt.number <= len(errors):
            raise errors[attempt.number - 1]()

    return attempts, handler


async def test_a_job_is_done_once_with_what_it_was_given(parts: Parts, database_url: str, kind: str) -> None:
    given: list[dict[str, Any]] = []

    async def handler(attempt: Attempt) -> None:
        given.append(attempt.arguments)

    async with working(parts, database_url, {kind: handler}):
        job_id = await _enqueue(parts, kind, number=7)
        row = await ended(parts, job_id)
    assert given == [{"number": 7}]
    assert (row["state"], row["attempts"], row["error_code"]) == ("succeeded", 1, None)
    assert row["created_at"] <= row["started_at"] <= row["finished_at"]


async def test_a_job_that_waited_for_a_worker_is_done_by_the_first(parts: Parts, database_url: str, kind: str) -> None:
    job_id = await _enqueue(parts, kind)
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        assert (await ended(parts, job_id))["state"] == "succeeded"


async def test_a_kind_that_a_worker_does_not_know_waits_for_one_that_does(
    parts: Parts, database_url: str, kind: str
) -> None:
    unknown, known = await _enqueue(parts, f"{kind}.newer"), await _enqueue(parts, kind)
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        await ended(parts, known)
    row = await job_row(parts, unknown)
    assert row is not None
    assert (row["state"], row["attempts"]) == ("queued", 0)


async def test_progress_is_seen_while_the_job_runs(parts: Parts, database_url: str, kind: str) -> None:
    told, go_on = asyncio.Event(), asyncio.Event()

    async def handler(attempt: Attempt) -> None:
        await attempt.progress(3, 10)
        told.set()
        await go_on.wait()

    async with working(parts, database_url, {kind: handler}):
        job_id = await _enqueue(parts, kind)
        await told.wait()
        row = await job_row(parts, job_id)
        assert row is not None
        assert (row["state"], row["done"], row["total"]) == ("running", 3, 10)
        go_on.set()
        row = await ended(parts, job_id)
    assert (row["done"], row["total"]) == (10, 10)


async def test_what_may_pass_is_tried_again_and_what_it_wrote_before_is_taken_back(
    parts: Parts, database_url: str, kind: str
) -> None:
    async def handler(attempt: Attempt) -> None:
        async with attempt.transaction() as tx:
            await tx.session.execute(
                text("INSERT INTO installation VALUES (:name, :value)"),
                {"name": f"{kind}", "value": str(attempt.number)},
            )
            if attempt.number < 3:
                raise DatabaseBusy

    async with working(parts, database_url, {kind: handler}):
        row = await ended(parts, await _enqueue(parts, kind))
    assert (row["state"], row["attempts"], row["error_code"]) == ("succeeded", 3, None)
    async with parts[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT value FROM installation WHERE name = $1", kind) == "3"


async def test_what_cannot_pass_fails_at_once_with_its_code(parts: Parts, database_url: str, kind: str) -> None:
    attempts, handler = _raising(JobNotFound)
    async with working(parts, database_url, {kind: handler}):
        row = await ended(parts, await _enqueue(parts, kind))
    assert (row["state"], row["error_code"], attempts) == ("failed", "not_found", [1])
    assert row["finished_at"] is not None


async def test_a_job_that_always_fails_is_given_up_after_the_last_attempt(
    parts: Parts, database_url: str, kind: str
) -> None:
    attempts, handler = _raising(*[lambda: RuntimeError("broken")] * 9)
    async with working(parts, database_url, {kind: handler}):
        row = await ended(parts, await _enqueue(parts, kind))
    assert (row["state"], row["error_code"], attempts) == ("failed", "internal_error", [1, 2, 3])


async def test_a_job_that_kills_its_workers_is_given_up_too(parts: Parts, database_url: str, kind: str) -> None:
    job_id = await _enqueue(parts, kind)
    async with parts[Database].transaction() as tx:
        await tx.session.execute(
            text("UPDATE jobs SET state = 'running', attempts = 3 WHERE job_id = :id"), {"id": job_id}
        )
    attempts, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        row = await ended(parts, job_id)
    assert (row["state"], row["error_code"], attempts) == ("failed", "internal_error", [])


async def test_nothing_that_a_handler_raises_is_stored_or_logged(
    parts: Parts, database_url: str, kind: str, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    def with_content() -> Exception:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            group = ExceptionGroup(CANARY, [error])
            group.add_note(CANARY)
            return group

    _, handler = _raising(*[with_content] * 3)
    async with working(parts, database_url, {kind: handler}):
        row = await ended(parts, await _enqueue(parts, kind))
    assert row["error_code"] == "internal_error"
    assert "a job's attempt failed" in log.getvalue()
    async with parts[Database].read_driver() as connection:
        kept = await connection.fetch(
            "SELECT to_jsonb(l)::text AS t FROM pgqueuer_log l WHERE entrypoint = $1"
            " UNION ALL SELECT to_jsonb(j)::text FROM jobs j WHERE kind = $1"
            " UNION ALL SELECT to_jsonb(q)::text FROM pgqueuer q WHERE entrypoint = $1",
            kind,
        )
    stored = "\n".join(row["t"] for row in kept)
    assert "JobFailed" in stored  # the library did keep a traceback: of a code
    captured = capsys.readouterr()
    assert CANARY not in stored + log.getvalue() + captured.out + captured.err


async def test_a_job_of_an_account_that_is_gone_does_nothing(parts: Parts, database_url: str, kind: str) -> None:
    user_id = uuid4()
    job_id = await _enqueue(parts, kind, user_id)
    async with parts[Database].transaction() as tx:
        await jobs.HOLDING.delete(tx, user_id)
    attempts, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        await _out_of_the_queue(parts, job_id)
    assert attempts == []
    assert await job_row(parts, job_id) is None


async def test_a_job_that_is_given_up_while_it_runs_commits_nothing_more(
    parts: Parts, database_url: str, kind: str
) -> None:
    user_id, begun, go_on = uuid4(), asyncio.Event(), asyncio.Event()

    async def handler(attempt: Attempt) -> None:
        async with attempt.transaction() as tx:
            await tx.session.execute(text("INSERT INTO installation VALUES (:name, '')"), {"name": kind})
            begun.set()
            await go_on.wait()

    async with working(parts, database_url, {kind: handler}):
        job_id = await _enqueue(parts, kind, user_id)
        await begun.wait()
        async with parts[Database].transaction() as tx:
            assert await jobs.cancel(tx.session, user_id, kind) == 1
        go_on.set()
        row = await ended(parts, job_id)
    assert row["state"] == "cancelled"
    async with parts[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM installation WHERE name = $1", kind) == 0


async def test_a_worker_that_stops_hands_back_what_it_cannot_finish_and_does_not_count_it(
    parts: Parts, database_url: str, kind: str
) -> None:
    begun = asyncio.Event()

    async def endless(attempt: Attempt) -> None:
        begun.set()
        await asyncio.Event().wait()

    job_id = await _enqueue(parts, kind)
    async with working(parts, database_url, {kind: endless}):
        await begun.wait()
    row = await job_row(parts, job_id)
    assert row is not None
    assert (row["state"], row["attempts"]) == ("queued", 0)
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        assert (await ended(parts, job_id))["attempts"] == 1


async def test_a_worker_goes_on_when_its_connection_is_lost(parts: Parts, database_url: str, kind: str) -> None:
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        await ended(parts, await _enqueue(parts, kind))
        async with parts[Database].transaction() as tx:
            lost = await tx.session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'lockleaf-jobs' AND datname = current_database()"
                )
            )
            assert lost.all()
        assert (await ended(parts, await _enqueue(parts, kind)))["state"] == "succeeded"


async def test_a_job_that_the_queue_has_lost_is_queued_again(parts: Parts, database_url: str, kind: str) -> None:
    job_id = await _enqueue(parts, kind)
    async with parts[Database].transaction() as tx:
        await tx.session.execute(text("DELETE FROM pgqueuer WHERE dedupe_key = :key"), {"key": str(job_id)})
    await asyncio.gather(*(mend(parts[Database]) for _ in range(3)))
    async with parts[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", str(job_id)) == 1
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        assert (await ended(parts, job_id))["state"] == "succeeded"


async def test_jobs_that_ended_long_ago_are_forgotten_and_still_counted(
    parts: Parts, database_url: str, kind: str
) -> None:
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        old, new = await _enqueue(parts, kind), await _enqueue(parts, kind)
        await ended(parts, old)
        await ended(parts, new)
    async with parts[Database].transaction() as tx:
        long_ago = "now() - interval '31 days'"
        await tx.session.execute(text(f"UPDATE jobs SET finished_at = {long_ago} WHERE job_id = :id"), {"id": old})
        await tx.session.execute(
            text("UPDATE pgqueuer_log SET aggregated = true WHERE entrypoint = :kind"), {"kind": kind}
        )
        await tx.session.execute(
            text(f"UPDATE pgqueuer_log SET created = {long_ago} WHERE entrypoint = :kind"), {"kind": kind}
        )
        for days in (31, 32):
            await tx.session.execute(
                text(
                    "INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)"
                    " VALUES (now() - make_interval(days => :days), 2, 0, 'successful', :kind)"
                ),
                {"days": days, "kind": kind},
            )
    await asyncio.gather(*(forget(parts[Clock], parts[Database], parts[Settings]) for _ in range(3)))
    await forget(parts[Clock], parts[Database], parts[Settings])
    assert await job_row(parts, old) is None
    assert await job_row(parts, new) is not None
    async with parts[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer_log WHERE entrypoint = $1", kind) == 0
        counts = await connection.fetch("SELECT count FROM pgqueuer_statistics WHERE entrypoint = $1", kind)
    assert [row["count"] for row in counts] == [4]


async def test_the_metrics_tell_what_waits_and_what_became_of_the_rest(
    http: httpx.AsyncClient, parts: Parts, database_url: str, kind: str
) -> None:
    async def told() -> dict[str, float]:
        text = (await http.get("http://lockleaf.test/metrics")).text
        lines = [line for line in text.splitlines() if f'kind="{kind}"' in line]
        return {line.replace(kind, "it").rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    _, handler = _raising(JobNotFound)
    async with working(parts, database_url, {kind: handler}):
        await ended(parts, await _enqueue(parts, kind))
    _, handler = _raising()
    async with working(parts, database_url, {kind: handler}):
        for _ in range(2):
            await ended(parts, await _enqueue(parts, kind))
    counts = {
        'lockleaf_jobs_ended_total{kind="it",outcome="failed"}': 1,
        'lockleaf_jobs_ended_total{kind="it",outcome="succeeded"}': 2,
    }
    assert await told() == counts
    await _enqueue(parts, kind)
    now = await told()
    assert now.pop('lockleaf_jobs_overdue_seconds{kind="it"}') > 0
    assert now == {**counts, 'lockleaf_jobs_present{kind="it",state="queued"}': 1}


async def _out_of_the_queue(parts: Parts, job_id: UUID) -> None:
    async def gone() -> bool:
        async with parts[Database].read_driver() as connection:
            return not await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", str(job_id))

    await until(gone)

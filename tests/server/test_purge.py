"""What was deleted a month ago is dropped for good: payloads and earlier revisions, never a leaf or a tombstone."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest

from lockleaf.server.identity.auth.upkeep import forget_expired
from lockleaf.server.main.features import SCHEDULES
from lockleaf.server.platform.db.by_account import BATCH
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs.worker import JobWorker
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records.purge import purge
from lockleaf.wire.codec import unpack
from tests.support.account_holders import Clock, Clocked
from tests.support.accounts import Owner, change, following, register
from tests.support.job_workers import PATIENCE_SECONDS, until

Server = tuple[Parts, Clock, Owner]


@pytest.fixture
async def server(clocked: Clocked) -> Server:
    """A server whose clock can be moved, and somebody with an account."""
    return clocked.app.state.parts, clocked.clock, await register(clocked.http)


async def _count(parts: Parts, table: str, owner: Owner) -> int:
    async with parts[Database].read_driver() as connection:
        counted: int = await connection.fetchval(
            f"SELECT count(*) FROM {table} WHERE user_id = $1", UUID(owner.answer["id"])
        )
        return counted


def _deletion(earlier: dict[str, Any]) -> dict[str, Any]:
    return following(earlier, deleted=True)


async def test_the_revisions_before_a_deletion_are_dropped_after_a_month(server: Server) -> None:
    parts, clock, owner = server
    gone, kept = change(), change()
    await owner.results(gone, kept)
    await owner.results(second := following(gone), following(kept))
    await owner.results(_deletion(second))
    before = await owner.feed()
    assert await _count(parts, "revisions", owner) == 3
    clock.advance(days=29)
    await parts.call(purge)
    assert await _count(parts, "revisions", owner) == 3
    clock.advance(days=2)
    await parts.call(purge)
    async with parts[Database].read_driver() as connection:
        (revision,) = await connection.fetch(
            "SELECT record_id FROM revisions WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert revision["record_id"] == kept["record_id"]  # only what was deleted is dropped, however old the rest is
    assert await _count(parts, "changes", owner) == 5
    await _log_in(owner)
    # Leaves, tombstone and head: what a new device verifies is what it was.
    assert await owner.feed() == before


async def _log_in(owner: Owner) -> None:
    answer = await owner.http.post("/auth/login", json={"email": owner.email, "password": owner.password})
    owner.answer = {**owner.answer, **answer.json()}


async def test_a_retry_from_before_the_purge_is_still_known(server: Server) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(_deletion(first))
    clock.advance(days=31)
    await parts.call(purge)
    await _log_in(owner)
    assert [result["status"] for result in await owner.results(first)] == ["unchanged"]


async def test_what_is_restored_and_deleted_again_is_purged_again(server: Server) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(deletion := _deletion(first))
    clock.advance(days=31)
    await parts.call(purge)
    await _log_in(owner)
    restored = following(deletion, deleted=False)
    await owner.results(restored)
    assert await _count(parts, "revisions", owner) == 1  # the tombstone
    await owner.results(_deletion(restored))
    clock.advance(days=31)
    await parts.call(purge)
    assert await _count(parts, "revisions", owner) == 0


async def test_what_somebody_writes_at_that_moment_is_passed_over_and_nobody_waits(server: Server) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(_deletion(first))
    clock.advance(days=31)
    async with parts[Database].transaction() as writing:
        await writing.connection.execute("SELECT 1 FROM heads WHERE user_id = $1 FOR UPDATE", UUID(owner.answer["id"]))
        await asyncio.wait_for(parts.call(purge), PATIENCE_SECONDS)
        assert await _count(parts, "revisions", owner) == 1
    await parts.call(purge)
    assert await _count(parts, "revisions", owner) == 0


async def test_more_than_a_batch_is_purged_by_many_at_once(server: Server) -> None:
    parts, clock, owner = server
    made = [change() for _ in range(BATCH // 2 + 1)]
    for _ in range(2):
        await owner.results(*made)
        await owner.results(*(_deletion(each) for each in made))
        made = [change() for _ in made]
    clock.advance(days=31)
    await asyncio.gather(*(parts.call(purge) for _ in range(3)))
    await parts.call(purge)
    assert await _count(parts, "revisions", owner) == 0
    assert await _count(parts, "records", owner) == 2 * len(made) > BATCH


async def test_the_content_of_a_decided_conflict_is_dropped_and_of_an_open_one_kept(server: Server) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(following(first))
    refused = [change(record_id=first["record_id"], on_conflict="keep") for _ in range(2)]
    decided, left = [result["conflict_id"] for result in await owner.results(*refused)]
    answer = await owner.request("POST", f"/sync/conflicts/{decided}/resolve", json={"chosen_version": "remote"})
    assert answer.status_code == 200, answer.text
    clock.advance(days=31)
    await parts.call(purge)
    await _log_in(owner)
    async with parts[Database].read_driver() as connection:
        rows = await connection.fetch(
            "SELECT conflict_id, payload FROM conflicts WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert {str(row["conflict_id"]): row["payload"] for row in rows} == {decided: b"", left: refused[1]["payload"]}
    again = await owner.request("POST", f"/sync/conflicts/{decided}/resolve", json={"chosen_version": "remote"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict_resolved")


async def test_sessions_and_keys_whose_time_is_over_are_forgotten(server: Server) -> None:
    parts, clock, owner = server
    user_id = UUID(owner.answer["id"])
    async with parts[Database].transaction() as tx:
        for generation, moment in enumerate((clock(), clock().replace(year=clock().year + 1))):
            await tx.connection.execute(
                "INSERT INTO session_keys (user_id, session_id, generation, sealed_kek, expires_at)"
                " VALUES ($1, $2, $3, $4, $5)",
                user_id, uuid4(), generation, secrets.token_bytes(8), moment,
            )  # fmt: skip
    await asyncio.gather(*(parts.call(forget_expired) for _ in range(3)))
    assert (await _count(parts, "sessions", owner), await _count(parts, "session_keys", owner)) == (1, 1)
    clock.advance(days=31)
    await parts.call(forget_expired)
    assert (await _count(parts, "sessions", owner), await _count(parts, "session_keys", owner)) == (0, 1)


async def test_what_is_due_by_the_clock_is_done_by_one_worker_of_several(server: Server, database_url: str) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(_deletion(first))
    clock.advance(days=31)

    async def queue(statement: str) -> Any:
        async with parts[Database].transaction() as tx:
            return await tx.connection.fetchval(statement)

    workers = [JobWorker(parts, database_url, handlers={}, schedules=SCHEDULES) for _ in range(2)]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        known = "SELECT count(*) FROM pgqueuer_schedules WHERE entrypoint NOT LIKE 'tests.%'"  # others' are there too
        await until(lambda: _is(queue(known), len(SCHEDULES)))
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)
    # As if its time had come while nobody worked.
    await queue("UPDATE pgqueuer_schedules SET next_run = now() - interval '1 hour' WHERE entrypoint = 'records.purge'")
    workers = [JobWorker(parts, database_url, handlers={}, schedules=SCHEDULES) for _ in range(2)]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        done = (
            "SELECT count(*) FROM pgqueuer_schedules"
            " WHERE entrypoint = 'records.purge' AND last_run IS NOT NULL AND next_run > now() AND status = 'queued'"
        )
        await until(lambda: _is(queue(done), 1))
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)
    assert await _count(parts, "revisions", owner) == 0


async def _is(value: Any, expected: object) -> bool:
    return bool(await value == expected)


async def test_a_tombstone_still_says_what_was_deleted(server: Server) -> None:
    parts, clock, owner = server
    first = change()
    await owner.results(first)
    await owner.results(deletion := _deletion(first))
    clock.advance(days=31)
    await parts.call(purge)
    async with parts[Database].read_driver() as connection:
        row = await connection.fetchrow(
            "SELECT packed, purged_at FROM records WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert unpack(row["packed"])["payload"] == deletion["payload"]
    assert row["purged_at"] is not None

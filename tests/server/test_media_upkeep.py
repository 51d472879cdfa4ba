"""What is deleted leaves the database first and the store behind it, whatever stops it in between."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from lockleaf.server.features.media import upkeep
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock, Person, problem, served
from tests.support.accounts import Owner, register
from tests.support.job_workers import until
from tests.support.media import (
    attach,
    complete,
    declaration,
    declare,
    fetch,
    in_parts,
    keys_in_store,
    object_key,
    send,
    sent,
    two_parts,
)

Server = tuple[Parts, Clock, Owner]


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Server]:
    """A server whose clock can be moved, and somebody with an account."""
    clock = Clock()
    async with served(settings, clock=clock) as (app, http):
        yield app.state.parts, clock, await register(http)


async def again(owner: Owner) -> None:
    """Log in anew, when the clock has moved."""
    answer = await owner.http.post("/auth/login", json={"email": owner.email, "password": owner.password})
    owner.answer = {**owner.answer, **answer.json()}


async def staged(running: Parts) -> int:
    async with running[Database].read_driver() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM media_removals")
    return count


async def none_left(running: Parts) -> bool:
    return not await keys_in_store(running) and await staged(running) == 0


async def test_a_file_is_purged_a_month_after_its_deletion_and_not_before(server: Server) -> None:
    running, clock, owner = server
    kept, gone = await attach(owner, b"kept"), await attach(owner, b"gone")
    key = await object_key(running, owner, kept)
    await owner.request("DELETE", f"/media/{gone}")
    clock.advance(days=29)
    await asyncio.gather(*(running.call(upkeep.purge) for _ in range(3)))
    await again(owner)
    assert (await owner.request("POST", f"/media/{gone}/restore")).status_code == 200
    assert await fetch(owner, gone) == b"gone"
    await owner.request("DELETE", f"/media/{gone}")
    clock.advance(days=31)
    await asyncio.gather(*(running.call(upkeep.purge) for _ in range(3)))
    await again(owner)
    problem(await owner.request("POST", f"/media/{gone}/restore"), 404, "not_found")
    assert await fetch(owner, kept) == b"kept"
    assert await keys_in_store(running) == {key}
    assert await staged(running) == 0


async def test_an_upload_that_nobody_goes_on_with_is_forgotten_with_its_parts(server: Server) -> None:
    running, clock, owner = server
    parts = two_parts()
    left = await declare(owner, in_parts(parts))
    await sent(owner.http, left["parts"][1], parts[1])
    lost = await declare(owner, declaration(b"lost"))
    await sent(owner.http, lost["upload"], b"lost")
    going_on = await declare(owner, in_parts(parts))
    clock.advance(hours=23)
    await again(owner)
    await owner.request("POST", f"/media/{going_on['id']}/parts")
    clock.advance(hours=2)
    await asyncio.gather(*(running.call(upkeep.forget_unfinished) for _ in range(3)))
    await again(owner)
    listed = (await owner.request("GET", "/media")).json()["items"]
    assert [item["id"] for item in listed] == [going_on["id"]]
    assert await keys_in_store(running) == set()
    for forgotten in (left, lost):
        problem(await complete(owner, forgotten["id"]), 404, "not_found")
    # Its id is free again, for the same upload too.
    assert (await declare(owner, in_parts(parts, id=left["id"])))["state"] == "uploading"
    stale = await send(owner.http, left["parts"][0], parts[0])
    assert not stale.is_success


async def test_an_account_takes_its_files_with_it(server: Server) -> None:
    running, _, other = server
    kept = await attach(other, b"kept")
    ada = await Person().sign_up(other.http)
    owner = Owner(other.http, ada.email, ada.secret, ada.tokens)
    await attach(owner, b"one")
    deleted = await attach(owner, b"two")
    await owner.request("DELETE", f"/media/{deleted}")
    parts = two_parts()
    unfinished = await declare(owner, in_parts(parts))
    await sent(owner.http, unfinished["parts"][1], parts[1])
    answer = await owner.request("DELETE", "/users/me", json={"current_password": owner.password})
    assert answer.status_code == 204
    key = await object_key(running, other, kept)

    async def only_the_others() -> bool:
        return await keys_in_store(running) == {key} and await staged(running) == 0

    await until(only_the_others)
    # An address that was signed before is good for nothing that would stay.
    assert not (await send(other.http, unfinished["parts"][0], parts[0])).is_success


async def test_a_lowered_tier_counts_and_deletes_files(server: Server) -> None:
    running, _, owner = server
    for data in (b"one", b"two"):
        await attach(owner, data)
    await declare(owner, declaration(b"three"))
    answer = await owner.request("DELETE", "/users/me/privacy/revoke")
    assert answer.json()["deleted_media"] == 3
    await until(lambda: none_left(running))
    problem(await owner.request("GET", "/media"), 403, "tier_required")


async def test_a_tier_that_is_lowered_leaves_no_file_that_came_at_the_same_moment(server: Server) -> None:
    running, _, owner = server
    *declared, lowered = await asyncio.gather(
        *(owner.request("POST", "/media/upload", json=declaration(bytes([size] * size))) for size in range(1, 7)),
        owner.request("DELETE", "/users/me/privacy/revoke"),
    )
    assert lowered.status_code == 200
    assert {answer.status_code for answer in declared} <= {201, 403}
    async with running[Database].read_driver() as connection:
        left = await connection.fetchval("SELECT count(*) FROM media WHERE user_id = $1", UUID(owner.answer["id"]))
    assert left == 0
    assert lowered.json()["deleted_media"] == sum(answer.status_code == 201 for answer in declared)


async def test_what_a_crash_left_staged_is_deleted_by_any_number_of_sweeps(server: Server) -> None:
    running, _, owner = server
    media_id = await attach(owner, b"sealed")
    key = await object_key(running, owner, media_id)
    async with running[Database].transaction() as tx:
        # As a process leaves it that dies behind its commit.
        await tx.connection.execute(
            "WITH gone AS (DELETE FROM media WHERE user_id = $1 RETURNING object_key)"
            " INSERT INTO media_removals (object_key) SELECT object_key FROM gone",
            UUID(owner.answer["id"]),
        )
    assert await keys_in_store(running) == {key}
    await asyncio.gather(*(running.call(upkeep.remove_staged) for _ in range(3)))
    assert await none_left(running)


async def test_objects_that_nobody_knows_are_deleted_after_two_days(server: Server) -> None:
    running, clock, owner = server
    kept = await attach(owner, b"kept")
    known = await object_key(running, owner, kept)
    orphan = known[:8] + secrets.token_hex(16)
    foreign = f"{int(known[:8], 16) ^ 1:08x}" + secrets.token_hex(16)
    for key in (orphan, foreign):
        await _put(running, owner.http, key, b"x")
    clock.advance(hours=47)
    await running.call(upkeep.sweep_orphans)
    assert await keys_in_store(running) == {known, orphan, foreign}
    clock.advance(hours=2)
    await asyncio.gather(*(running.call(upkeep.sweep_orphans) for _ in range(3)))
    # What another database put into the same store is not this one's to judge.
    assert await keys_in_store(running) == {known, foreign}


async def test_orphans_are_left_alone_where_the_operator_says_so(settings: Settings) -> None:
    chosen = settings.model_copy(update={"media": settings.media.model_copy(update={"orphan_hours": 0})})
    clock = Clock()
    async with served(chosen, clock=clock) as (app, http):
        running = app.state.parts
        owner = await register(http)
        known = await object_key(running, owner, await attach(owner, b"kept"))
        orphan = known[:8] + secrets.token_hex(16)
        await _put(running, http, orphan, b"x")
        clock.advance(days=3650)
        await running.call(upkeep.sweep_orphans)
        assert await keys_in_store(running) == {known, orphan}


async def _put(running: Parts, http: httpx.AsyncClient, key: str, data: bytes) -> None:
    told = declaration(data)
    signed = await running[ObjectStore].sign_upload(
        key, size=len(data), sha256=bytes.fromhex(told["sha256"]), seconds=60
    )
    answer = await http.put(f"http://lockleaf.test{signed.url}", headers=signed.headers, content=data)
    assert answer.is_success


async def test_an_address_is_good_for_its_time_and_a_fresh_one_goes_on(server: Server) -> None:
    running, clock, owner = server
    declared = await declare(owner, declaration(b"sealed"))
    seconds = running[Settings].media.upload_seconds
    clock.advance(seconds=seconds + 1)
    assert (await send(owner.http, declared["upload"], b"sealed")).status_code == 403
    await again(owner)
    fresh = await declare(owner, declaration(b"sealed", id=declared["id"]))
    await sent(owner.http, fresh["upload"], b"sealed")
    await complete(owner, declared["id"])
    told = (await owner.request("GET", f"/media/{declared['id']}/download")).json()
    clock.advance(seconds=running[Settings].media.download_seconds + 1)
    assert (await owner.http.request(told["method"], told["url"], headers=told["headers"])).status_code == 403
    assert timedelta(0) < timedelta(seconds=running[Settings].media.download_seconds) <= timedelta(minutes=15)

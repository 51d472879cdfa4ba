"""Pushes that come together are written together: each with its own result, none at the cost of another."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.identity.principal import Asking
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import usage
from lockleaf.server.records.outcomes import Pushed
from lockleaf.server.records.writer import Rules, Written
from lockleaf.wire.sync import Push
from tests.support.accounts import Owner, change, following, register, sealed


class TwoProcesses(Gathering):
    """What writes pushes in two processes, which know nothing of each other; each takes every other push."""

    def __init__(self, database: Database, clock: Clock, rules: Rules) -> None:
        self.turns = itertools.cycle([Gathering(database, clock, rules) for _ in range(2)])

    async def push(self, asking: Asking, body: Push) -> Pushed:
        """Let the next one write."""
        return await next(self.turns).push(asking, body)


class Groups:
    """Counts the transactions in which pushes are written."""

    def __init__(self, database: Database) -> None:
        self.sizes: list[int] = []
        self.refused: UUID | None = None
        self._database = database
        self._last: object = None

    async def __call__(self, written: Written) -> None:
        """Count a push, and refuse those of one account."""
        if written.tx is not self._last:
            self.sizes.append(0)
            self._last = written.tx
        self.sizes[-1] += 1
        if written.author.user_id == self.refused:
            raise ZeroDivisionError


@pytest.fixture
def groups(replaceable: Parts) -> Groups:
    found, parts = Groups(replaceable[Database]), replaceable
    rules = parts.add(Rules, replace(parts[Rules], observers=(*parts[Rules].observers, found)))
    parts.add(Gathering, Gathering(parts[Database], parts[Clock], rules))
    return found


@pytest.fixture
async def people(http: httpx.AsyncClient, groups: Groups) -> list[Owner]:
    return [await register(http) for _ in range(6)]


async def all_at_once(*pushes: Any) -> list[Any]:
    return await asyncio.gather(*pushes, return_exceptions=True)


def statuses(answer: Any) -> list[str]:
    return [each["status"] for each in answer["results"]]


async def checked(owner: Owner) -> int:
    """Return how long a history is, which has to be without gaps."""
    page = await owner.feed()
    assert [each["seq"] for each in page["changes"]] == list(range(1, page["seq"] + 1))
    return len(page["changes"])


async def test_pushes_of_several_accounts_share_a_transaction(people: list[Owner], groups: Groups) -> None:
    answers = await all_at_once(*(each.push(change(), change()) for each in people for _ in range(2)))
    assert [statuses(answer) for answer in answers] == [["applied", "applied"]] * 12
    assert sum(groups.sizes) == 12
    assert len(groups.sizes) < 12
    assert max(groups.sizes) > len(people)
    for each in people:
        assert await checked(each) == 4


async def test_writers_of_one_account_follow_each_other_without_a_gap(people: list[Owner], groups: Groups) -> None:
    owner = people[0]
    answers = await all_at_once(*(owner.push(change()) for _ in range(20)))
    assert sorted(answer["results"][0]["seq"] for answer in answers) == list(range(1, 21))
    # Each is told the end as it was behind its own change: what another device wrote later is still to be read.
    assert all(answer["seq"] == answer["results"][0]["seq"] for answer in answers)
    assert len({answer["head"] for answer in answers}) == 20
    assert len(groups.sizes) < 20
    assert await checked(owner) == 20


async def test_what_one_of_them_sends_is_no_matter_of_the_others(
    people: list[Owner], groups: Groups, http: httpx.AsyncClient
) -> None:
    first = change()
    await people[0].push(first)
    conflicting = following(first)
    await people[0].push(following(first))
    gone = people[1]
    await gone.request("POST", "/auth/logout")
    low = await register(http, privacy_tier="local_only")
    limited = await http.post(
        "/auth/login", json={"email": people[5].email, "password": people[5].password, "scope": "sync:read"}
    )
    reader = Owner(http, people[5].email, people[5].password, limited.json())
    answers = await all_at_once(
        people[0].push(conflicting),
        gone.push(change()),
        low.push(change()),
        people[2].push(change(), change(payload=b"", deleted=False, base_revision=7)),
        people[3].push(change(), epoch="another"),
        reader.push(change()),
        people[4].push(change()),
        people[0].push(first),
        people[4].push(change()),
    )
    assert statuses(answers[0]) == ["conflict"]
    assert "session_revoked" in str(answers[1])
    assert "tier_required" in str(answers[2])
    assert statuses(answers[3])[0] == "applied"
    assert "epoch_changed" in str(answers[4])
    assert "insufficient_scope" in str(answers[5])
    assert [statuses(answer) for answer in answers[6:]] == [["applied"], ["unchanged"], ["applied"]]
    assert [await checked(people[at]) for at in (0, 2, 3, 4)] == [2, 1, 0, 2]


async def test_one_that_cannot_be_written_fails_alone(people: list[Owner], groups: Groups) -> None:
    groups.refused = UUID(people[3].answer["id"])
    answers = await all_at_once(*(each.push(change()) for each in people))
    assert "internal_error" in str(answers[3])
    assert [statuses(each) for at, each in enumerate(answers) if at != 3] == [["applied"]] * 5
    assert [await checked(each) for each in people] == [1, 1, 1, 0, 1, 1]


async def test_nobody_waits_for_an_account_that_somebody_holds(people: list[Owner], app: FastAPI) -> None:
    held = people[0]
    async with app.state.parts[Database].transaction() as tx:
        await tx.connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", UUID(held.answer["id"]))
        waiting = asyncio.create_task(held.push(change()))
        answers = await all_at_once(*(each.push(change()) for each in people[1:]))
        assert [statuses(each) for each in answers] == [["applied"]] * 5
        assert not waiting.done()
    assert statuses(await waiting) == ["applied"]


async def until_somebody_waits_for_a_lock(database: Database) -> int:
    """Wait, and return how many do."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with database.read_driver() as connection:
        while not (count := await connection.fetchval(waiting)):
            await asyncio.sleep(0.01)
    return int(count)


async def test_what_waits_for_one_head_waits_and_is_written_together(
    people: list[Owner], groups: Groups, app: FastAPI
) -> None:
    database, held = app.state.parts[Database], people[0]
    first = change()
    for each in (first, following(first)):
        await held.push(each)
    async with database.transaction() as tx:
        await tx.connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", UUID(held.answer["id"]))
        waiting = [asyncio.create_task(held.push(change()))]
        assert await until_somebody_waits_for_a_lock(database) == 1
        before = len(groups.sizes)
        waiting += [asyncio.create_task(held.push(change())) for _ in range(9)]
        waiting.append(asyncio.create_task(held.push(following(first))))
        others = await all_at_once(*(each.push(change()) for each in people[1:]))
        assert [statuses(each) for each in others] == [["applied"]] * 5
        written_by_others = len(groups.sizes) - before
        assert await until_somebody_waits_for_a_lock(database) == 1
        assert not any(each.done() for each in waiting)
    answers = await asyncio.gather(*waiting)
    assert [statuses(each) for each in answers] == [["applied"]] * 10 + [["conflict"]]
    # One transaction for those who waited, and one for the conflict, which goes alone.
    assert len(groups.sizes) - before - written_by_others <= 2
    assert await checked(held) == 12


async def test_two_processes_that_write_one_account_leave_no_gap(
    people: list[Owner], groups: Groups, app: FastAPI
) -> None:
    parts = app.state.parts
    parts.add(Gathering, TwoProcesses(parts[Database], parts[Clock], parts[Rules]))

    async def writer(owner: Owner) -> int:
        last = change()
        seqs = [(await owner.push(last))["results"][0]["seq"]]
        for _ in range(5):
            last = following(last)
            answer = await owner.push(last, change())
            assert statuses(answer) == ["applied", "applied"]
            seqs += [each["seq"] for each in answer["results"]]
            assert answer["seq"] == seqs[-1]
        assert seqs == sorted(seqs)
        return len(seqs)

    # Of one account many, and of others some: these are written with each other, and never wait for that one.
    writers = [writer(people[0]) for _ in range(12)] + [writer(each) for each in people[1:]]
    assert await asyncio.gather(*writers) == [11] * 17
    assert [await checked(each) for each in people] == [12 * 11, 11, 11, 11, 11, 11]
    assert len(groups.sizes) < sum(groups.sizes)


async def test_a_head_that_stays_held_is_said_once_and_nothing_is_written(
    people: list[Owner], groups: Groups, app: FastAPI, settings: Settings
) -> None:
    parts, held = app.state.parts, people[0]
    impatient = settings.database.model_copy(update={"lock_timeout_seconds": 0.2})
    database = Database(parts[Database].writing.url.render_as_string(hide_password=False), impatient)
    parts.add(Gathering, Gathering(database, parts[Clock], parts[Rules]))
    try:
        async with parts[Database].transaction() as tx:
            await tx.connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", UUID(held.answer["id"]))
            answers = await all_at_once(*(held.push(change()) for _ in range(5)))
            assert all("database_busy" in str(each) for each in answers)
        answers = await all_at_once(*(held.push(change()) for _ in range(5)))
        assert [statuses(each) for each in answers] == [["applied"]] * 5
    finally:
        await database.close()
    assert await checked(held) == 5


async def test_a_session_that_ends_while_its_push_waits_for_the_head_writes_nothing(
    people: list[Owner], app: FastAPI
) -> None:
    database, held = app.state.parts[Database], people[0]
    async with database.transaction() as tx:
        await tx.connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", UUID(held.answer["id"]))
        waiting = asyncio.create_task(all_at_once(held.push(change()), held.push(change())))
        await until_somebody_waits_for_a_lock(database)
        await held.request("POST", "/auth/logout")
    assert all("session_revoked" in str(each) for each in await waiting)
    async with database.read_driver() as connection:
        assert await connection.fetchval("SELECT seq FROM heads WHERE user_id = $1", UUID(held.answer["id"])) == 0


async def test_who_leaves_before_the_commit_takes_nobody_along(people: list[Owner], groups: Groups) -> None:
    tasks = [asyncio.create_task(each.push(change())) for each in people]
    await asyncio.sleep(0)
    tasks[2].cancel()
    answers = await all_at_once(*tasks)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert [statuses(each) for at, each in enumerate(answers) if at != 2] == [["applied"]] * 5
    assert statuses(await people[2].push(change())) == ["applied"]


async def test_a_quota_holds_for_its_account_alone(people: list[Owner], app: FastAPI) -> None:
    database = app.state.parts[Database]
    async with database.transaction() as tx:
        full = UUID(people[0].answer["id"])
        await tx.connection.execute("UPDATE accounts SET quota_bytes = 2000 WHERE user_id = $1", full)
    large = [change(payload=sealed(1000)) for _ in range(3)]
    answers = await all_at_once(
        *(people[0].push(each) for each in large), *(each.push(change()) for each in people[1:])
    )
    assert sorted(each["results"][0].get("code", "") for each in answers[:3]) == [
        "",
        "quota_exceeded",
        "quota_exceeded",
    ]
    assert [statuses(each) for each in answers[3:]] == [["applied"]] * 5


async def test_an_edit_keeps_what_it_replaces_in_a_group_as_alone(people: list[Owner], app: FastAPI) -> None:
    firsts = [change() for _ in people]
    await all_at_once(*(each.push(first) for each, first in zip(people, firsts, strict=True)))
    seconds = [following(first) for first in firsts]
    thirds = [following(second) for second in seconds]
    answers = await all_at_once(
        *(each.push(two, three) for each, two, three in zip(people, seconds, thirds, strict=True))
    )
    assert [statuses(each) for each in answers] == [["applied", "applied"]] * 6
    for each, first in zip(people, firsts, strict=True):
        listed = (await each.request("GET", f"/entries/{first['record_id']}/history")).json()["items"]
        assert sorted(item["revision"] for item in listed) == [1, 2, 3]
        for number in (1, 2, 3):
            found = await each.request("GET", f"/entries/{first['record_id']}/revisions/{number}")
            assert found.status_code == 200
    async with app.state.parts[Database].read_driver() as connection:
        found = await usage.differences(connection, [usage.OF_RECORDS])
    assert {each.user_id for each in found}.isdisjoint(UUID(each.answer["id"]) for each in people)

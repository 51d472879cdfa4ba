"""Pushes that come together are written together: each with its own result, none at the cost of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import usage
from lockleaf.server.records.writer import Rules, Written
from tests.support.accounts import Owner, change, following, register, sealed


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
async def groups(app: FastAPI) -> AsyncIterator[Groups]:
    parts = app.state.parts
    found = Groups(parts[Database])
    rules = parts.add(Rules, replace(parts[Rules], observers=(*parts[Rules].observers, found)))
    parts.add(Gathering, Gathering(parts[Database], parts[Clock], rules))
    yield found


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

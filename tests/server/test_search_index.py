"""The search index as a whole: built in slices, switched on and off, in the language of its account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.search.indexer import MOST_CHARACTERS
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs.upkeep import mend
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, change, following, register
from tests.support.diaries import FullClient, thin
from tests.support.searching import build, contents, found, index_rows, write

SEA, RAIN = bytes([1]) * 8, bytes([2]) * 8
COUNT, READABLE = 230, 40


@pytest.fixture
async def slow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A server that has time for one batch of a hundred entries in a slice."""
    monkeypatch.setenv("LOCKLEAF_SEARCH__SLICE_SECONDS", "0")
    async with served(Settings()) as (app, http):
        yield app, http


async def switch(owner: Owner, enabled: bool) -> dict[str, Any]:
    """The answer to switching the index on or off."""
    answer = await owner.request("PUT", "/search/index", json={"enabled": enabled})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def stats(owner: Owner) -> dict[str, Any]:
    """How the index stands."""
    told: dict[str, Any] = (await owner.request("GET", "/search/stats")).json()
    return told


async def test_an_index_is_built_in_slices_that_go_on_from_one_another(slow: tuple[FastAPI, httpx.AsyncClient]) -> None:
    app, http = slow
    owner = await thin(http)
    await switch(owner, False)
    full = await FullClient.of(owner)
    for number in range(READABLE):
        await full.push({"type": "entry", "body": f"house number {number}"})
    # Those that do not open take their place in the slices like all others.
    await owner.results(*(change() for _ in range(COUNT - READABLE)))
    await switch(owner, True)
    assert (await stats(owner))["pending"] == COUNT
    first = await build(owner)
    job = first["job"]
    assert (first["stored"], job["state"], job["progress"]) == (100, "running", {"done": 100, "total": COUNT})
    told = await found(owner, "house")
    assert 0 < told["total"] < READABLE
    assert told["index"] == {"complete": False}
    # A slice that is cut short before its commit is as if it had not been.
    async with app.state.parts[Database].transaction() as tx:
        await tx.connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;"
            "CREATE CONSTRAINT TRIGGER refused AFTER UPDATE ON search_indexes"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        assert (await owner.request("POST", "/search/index")).status_code == 500
    finally:
        async with app.state.parts[Database].transaction() as tx:
            await tx.connection.execute("DROP FUNCTION refuse() CASCADE")
    assert len(await index_rows(app, owner)) == 100
    shown = (await owner.request("GET", f"/jobs/{job['id']}")).json()
    assert (shown["state"], shown["progress"]) == ("running", {"done": 100, "total": COUNT})
    # Neither lost nor anybody's but the user's.
    await mend(app.state.parts[Database])
    async with app.state.parts[Database].read_driver() as connection:
        assert not await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", job["id"])
    # What is written meanwhile is in the index at once.
    await write(owner, "house of yesterday")
    assert await contents(owner, "yesterday") == {"house of yesterday"}
    second, third = await build(owner), await build(owner)
    assert [each["job"]["id"] for each in (second, third)] == [job["id"], job["id"]]
    assert (second["job"]["progress"]["done"], third["stored"]) == (201, 30)
    assert (third["job"]["state"], third["index"]["complete"], third["index"]["pending"]) == ("succeeded", True, 0)
    assert third["index"]["built_at"] is not None
    told = await found(owner, "house", limit=500)
    assert (told["total"], len(told["items"]), told["index"]) == (READABLE + 1, READABLE + 1, {"complete": True})
    again = await build(owner)
    assert (again["stored"], again["job"]) == (0, third["job"])


async def test_switched_off_an_index_leaves_nothing_and_switched_on_it_begins_anew(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await thin(http)
    await write(owner, "a walk by the river")
    told = await switch(owner, False)
    assert (told["enabled"], told["documents"], told["tokens"], told["pending"]) == (False, 0, 0, 0)
    assert "holds no index" in told["reveals"]
    assert await index_rows(app, owner) == {}
    await write(owner, "another walk")
    assert await index_rows(app, owner) == {}
    problem(await owner.request("POST", "/search", json={"query": "walk"}), 409, "search_off")
    features = (await owner.request("GET", "/auth/features")).json()["features"]
    assert features["server_search"] is False
    told = await switch(owner, True)
    assert (told["enabled"], told["complete"], told["pending"]) == (True, False, 2)
    assert await contents(owner, "walk") == set()
    assert (await build(owner))["job"]["state"] == "succeeded"
    assert await contents(owner, "walk") == {"a walk by the river", "another walk"}
    assert (await switch(owner, True))["complete"] is True


async def test_switching_off_gives_up_the_job_that_builds(slow: tuple[FastAPI, httpx.AsyncClient]) -> None:
    _, http = slow
    owner = await register(http)
    await owner.results(change(), change())
    await switch(owner, True)
    job = (await build(owner))["job"]
    assert job["state"] == "running"
    await switch(owner, False)
    assert (await owner.request("GET", f"/jobs/{job['id']}")).json()["state"] == "cancelled"


async def test_another_language_makes_an_index_stale_until_it_is_built_anew(http: httpx.AsyncClient) -> None:
    owner = await thin(http, locale="en-GB")
    await write(owner, "Häuser am Fluss, houses by the river")
    assert (await stats(owner))["language"] == "english"
    assert await contents(owner, "house") and not await contents(owner, "Haus")
    await owner.request("PUT", "/users/me", json={"locale": "de-AT"})
    told = await stats(owner)
    assert (told["language"], told["stale"]) == ("english", True)
    assert await contents(owner, "house")
    built = await build(owner)
    assert (built["index"]["language"], built["index"]["stale"], built["job"]["state"]) == (
        "german",
        False,
        "succeeded",
    )
    assert await contents(owner, "Haus")


async def test_begun_anew_an_index_holds_what_the_entries_say(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await thin(http)
    made = await write(owner, "a walk by the river")
    before = await index_rows(app, owner)
    async with app.state.parts[Database].transaction() as tx:
        await tx.connection.execute("UPDATE search_documents SET tokens = '{1}' WHERE record_id = $1", made["id"])
    assert await contents(owner, "river") == set()
    first = (await build(owner, restart=True))["job"]
    assert await index_rows(app, owner) == before
    assert (await build(owner, restart=True))["job"]["id"] != first["id"]


async def test_an_account_from_before_the_index_builds_it_when_it_is_asked(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    owner = await thin(http)
    for number in range(3):
        await write(owner, f"house number {number}")
    user_id = UUID((await owner.request("GET", "/auth/me")).json()["id"])
    async with app.state.parts[Database].transaction() as tx:
        for table in ("search_documents", "search_indexes"):
            await tx.connection.execute(f"DELETE FROM {table} WHERE user_id = $1", user_id)
    assert (await stats(owner))["pending"] == 3
    assert (await found(owner, "house"))["index"] == {"complete": False}
    await write(owner, "house number 3")
    told = await found(owner, "house")
    assert (told["total"], told["index"]) == (1, {"complete": False})
    assert (await build(owner))["index"]["complete"] is True
    assert (await found(owner, "house"))["total"] == 4


async def test_whatever_happens_at_once_the_index_ends_up_with_what_the_entries_say(
    slow: tuple[FastAPI, httpx.AsyncClient],
) -> None:
    app, http = slow
    owner = await thin(http)
    await switch(owner, False)
    made = [await write(owner, f"house number {number}") for number in range(12)]
    await switch(owner, True)

    async def live(number: int, entry: dict[str, Any]) -> None:
        path = f"/entries/{entry['id']}"
        if number % 3:
            await owner.request("PUT", path, json={"content": f"garden number {number}", "revision": 2})
        if number % 4 == 0:
            await owner.request("DELETE", path)
        if number % 8 == 0:
            await owner.request("POST", f"{path}/restore")

    async def look() -> None:
        for _ in range(4):
            told = await found(owner, "house OR garden")
            assert len(told["items"]) == told["total"] <= len(made)
            for hit in told["items"]:
                assert any(each["marks"] for each in hit["highlights"])

    async def keep_building() -> None:
        for _ in range(4):
            await build(owner)

    await asyncio.gather(keep_building(), keep_building(), look(), *(live(*each) for each in enumerate(made)))
    assert (await build(owner))["index"]["complete"] is True
    rows = await index_rows(app, owner)
    alive = {number for number in range(12) if number % 4 or number % 8 == 0}
    assert rows.keys() == {made[number]["id"] for number in alive}
    assert await contents(owner, "garden") == {f"garden number {number}" for number in alive if number % 3}
    assert await contents(owner, "house") == {f"house number {number}" for number in alive if not number % 3}
    await build(owner, restart=True)
    assert await index_rows(app, owner) == rows


# ---- e2e ----


async def test_a_client_brings_the_tokens_of_what_waits(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    entries = [change() for _ in range(3)]
    gone = change()
    await owner.results(*entries, gone, following(gone, deleted=True))
    await switch(owner, True)
    wanted = (await build(owner))["wanted"]
    assert {each["record_id"]: each["revision"] for each in wanted} == {each["record_id"]: 1 for each in entries}
    moved = following(entries[0], tokens=None)
    await owner.results(moved)
    documents = [{**each, "tokens": [encode_base64(SEA)]} for each in wanted]
    documents.append({"record_id": gone["record_id"], "revision": 2, "tokens": [encode_base64(SEA)]})
    documents.append({"record_id": "of-nobody", "revision": 1, "tokens": []})
    told = await build(owner, documents=documents)
    # The one that has moved on is wanted as it is now.
    assert (told["stored"], told["wanted"]) == (2, [{"record_id": moved["record_id"], "revision": 2}])
    assert told["job"]["progress"] == {"done": 2, "total": 3}
    told = await build(owner, documents=[{**told["wanted"][0], "tokens": [encode_base64(RAIN)]}])
    assert (told["stored"], told["wanted"], told["job"]["state"]) == (1, [], "succeeded")
    rows = await index_rows(app, owner)
    assert rows[moved["record_id"]] == {encode_base64(RAIN)}


async def test_no_more_tokens_are_taken_than_an_entry_may_have(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    await switch(owner, True)
    for tokens in (["AAAA"], ["AAAAAAAAAAA"], [7], "AAAAAAAAAAA=", ["AAAAAAAAAAA="] * 20_001):
        document = {"record_id": "x", "revision": 1, "tokens": tokens}
        problem(await owner.request("POST", "/search/index", json={"documents": [document]}), 422, "invalid_request")
    entry = change(tokens=[number.to_bytes(8) for number in range(20_000)])
    [result] = await owner.results(entry)
    assert result["status"] == "applied"
    assert (await stats(owner))["tokens"] == 20_000


async def test_expressions_over_tokens_mean_what_they_say(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    await switch(owner, True)
    both, sea = change(tokens=[SEA, RAIN], labels=[b"l" * 16]), change(tokens=[SEA], occurred_at="2026-03-01T00:00:00Z")
    await owner.results(both, sea, change(tokens=[]))
    one, two = encode_base64(SEA), encode_base64(RAIN)
    label = encode_base64(b"l" * 16)
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({"tokens": {"all": [one, two]}}, {both["record_id"]}),
        ({"tokens": {"any": [one, two]}}, {both["record_id"], sea["record_id"]}),
        ({"tokens": {"all": [one, {"none": [two]}]}}, {sea["record_id"]}),
        ({"tokens": {"all": [{"any": [one]}, {"none": [{"all": [one, two]}]}]}}, {sea["record_id"]}),
        ({"tokens": {"none": [two]}}, set()),
        ({"tokens": {"all": []}}, set()),
        ({"tokens": {"any": []}}, set()),
        ({"tokens": {"any": [one]}, "labels": [label]}, {both["record_id"]}),
        ({"tokens": {"none": [two]}, "to": "2026-03-02"}, {sea["record_id"]}),
        ({"tokens": {"any": [one]}, "from": "2026-03-02"}, {both["record_id"]}),
        ({"tokens": {"all": []}, "labels": [label]}, {both["record_id"]}),
    ]
    for body, ids in expected:
        told = await found(owner, **body)
        assert {hit["entry"]["id"] for hit in told["items"]} == ids, body
        assert (told["total"], told["total_exact"]) == (len(ids), True)
    first = await found(owner, tokens={"any": [one]}, limit=1)
    second = await found(owner, tokens={"any": [one]}, limit=1, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    assert {first["items"][0]["entry"]["id"], second["items"][0]["entry"]["id"]} == {
        both["record_id"],
        sea["record_id"],
    }
    for tokens in ({}, {"all": [one], "any": [two]}, {"all": one}, {"some": [one]}, {"all": ["AAAA"]}, [one], one):
        problem(await owner.request("POST", "/search", json={"tokens": tokens}), 422, "invalid_request")
    deep: dict[str, Any] = {"all": [one]}
    for _ in range(40):
        deep = {"all": [deep]}
    problem(await owner.request("POST", "/search", json={"tokens": deep}), 422, "query_too_long")


async def test_of_a_very_long_entry_the_beginning_is_searched(http: httpx.AsyncClient) -> None:
    owner = await thin(http)
    filler = "and so on " * (MOST_CHARACTERS // 10)
    await write(owner, f"lighthouse {filler} seagull")
    await write(owner, "a seagull")
    assert (await found(owner, "lighthouse"))["total"] == 1
    assert (await found(owner, "seagull"))["total"] == 1
    assert (await stats(owner))["pending"] == 0

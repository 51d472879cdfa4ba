"""The list of entries: its order, its pages and its filters."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import diary
from lockleaf.wire.codec import unpack
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, change, register, sealed
from tests.support.diaries import thin

DAY = datetime(2026, 3, 14, tzinfo=UTC)


def rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def dated(at: datetime | None, **fields: Any) -> dict[str, Any]:
    return change(**({} if at is None else {"occurred_at": rfc3339(at)}), **fields)


async def listed(owner: Owner, **params: Any) -> list[dict[str, Any]]:
    """Every page of a list, joined."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await owner.request("GET", "/entries", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params = {**params, "cursor": page["next_cursor"]}


async def ids(owner: Owner, **params: Any) -> list[str]:
    return [item["id"] for item in await listed(owner, **params)]


def newest_first(entries: list[dict[str, Any]]) -> list[str]:
    def place(entry: dict[str, Any]) -> tuple[datetime, str]:
        return datetime.fromisoformat(entry["occurred_at"] or entry["created_at"]), entry["id"]

    return [entry["id"] for entry in sorted(entries, key=place, reverse=True)]


# Few moments, so that several entries share one; some entries have none of their own.
MOMENTS = st.one_of(
    st.none(),
    st.integers(-3, 3).map(lambda hours: DAY + timedelta(hours=hours)),
    st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]),
)


def test_pages_join_to_the_whole_in_order_whatever_is_written_meanwhile(settings: Settings) -> None:
    async def check(
        http: httpx.AsyncClient, before: list[datetime | None], meanwhile: list[list[datetime | None]], limit: int
    ) -> None:
        owner = await register(http)
        if before:
            await owner.push(*map(dated, before))
        expected = newest_first(await listed(owner))
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": limit}
        arrivals = iter(meanwhile)
        while True:
            page = (await owner.request("GET", "/entries", params=params)).json()
            assert len(page["items"]) <= limit
            found += page["items"]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
            if arriving := next(arrivals, []):
                await owner.push(*map(dated, arriving))
        places = [entry["id"] for entry in found]
        assert places == newest_first(found)
        assert len(set(places)) == len(places)
        assert [each for each in places if each in set(expected)] == expected

    with asyncio.Runner() as runner:
        serving = served(settings)
        _, http = runner.run(serving.__aenter__())

        @hypothesis_settings(max_examples=30)
        @given(
            before=st.lists(MOMENTS, max_size=14),
            meanwhile=st.lists(st.lists(MOMENTS, max_size=3), max_size=6),
            limit=st.integers(1, 5),
        )
        def holds(before: list[datetime | None], meanwhile: list[list[datetime | None]], limit: int) -> None:
            runner.run(check(http, before, meanwhile, limit))

        try:
            holds()
        finally:
            runner.run(serving.__aexit__(None, None, None))


async def test_entries_without_a_date_stand_where_they_were_made(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    now = datetime.now(UTC)
    undated, past, future = dated(None), dated(now - timedelta(days=1)), dated(now + timedelta(days=1))
    await owner.push(past, undated, future)
    assert await ids(owner) == [future["record_id"], undated["record_id"], past["record_id"]]


async def test_labels_are_found_in_either_writing_and_all_must_fit(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    a, b = b"a" * 16, b"\xfb\xff" * 8
    both, only_a, neither = dated(DAY, labels=[a, b]), dated(DAY, labels=[a]), dated(DAY)
    await owner.push(both, only_a, neither)
    assert set(await ids(owner, label=a.hex())) == {both["record_id"], only_a["record_id"]}
    assert await ids(owner, label=encode_base64(b)) == [both["record_id"]]
    assert await ids(owner, label=[a.hex(), encode_base64(b)]) == [both["record_id"]]
    assert await ids(owner, label=[a.hex(), "0" * 32]) == []


async def test_both_ends_belong_to_a_range_and_a_day_is_whole(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    moments = [DAY - timedelta(seconds=1), DAY, DAY + timedelta(hours=23, minutes=59), DAY + timedelta(days=1)]
    entries = [dated(at) for at in moments]
    await owner.push(*entries)
    before, first, last, after = (entry["record_id"] for entry in entries)
    assert await ids(owner, **{"from": "2026-03-14", "to": "2026-03-14"}) == [last, first]
    assert await ids(owner, **{"from": rfc3339(moments[1]), "to": rfc3339(moments[2])}) == [last, first]
    assert await ids(owner, **{"from": "2026-03-14T01:00:00+01:00", "to": "2026-03-14T00:00:00"}) == [first]
    assert await ids(owner, **{"from": "2026-03-15"}) == [after]
    assert await ids(owner, to="2026-03-13") == [before]
    assert await ids(owner, **{"from": "2026-03-15", "to": "2026-03-14"}) == []
    assert len(await ids(owner, **{"from": "0001-01-01", "to": "9999-12-31", "limit": 1})) == 4


async def test_deleted_entries_are_listed_where_they_are_asked_for(http: httpx.AsyncClient) -> None:
    ada = await thin(http)
    made = {}
    for n in range(4):
        body = {"content": f"day {n}", "occurred_at": f"2026-03-0{n + 1}"}
        made[n] = (await ada.request("POST", "/entries", json=body)).json()["id"]
    for n in (1, 3):
        await ada.request("DELETE", f"/entries/{made[n]}")
    assert await ids(ada, deleted="false") == await ids(ada) == [made[2], made[0]]
    trash = await listed(ada, deleted="true", limit=1)
    assert [(item["id"], item["content"]) for item in trash] == [(made[3], "day 3"), (made[1], "day 1")]
    assert await ids(ada, deleted="all", limit=2) == [made[3], made[2], made[1], made[0]]
    assert await ids(ada, deleted="true", to="2026-03-02") == [made[1]]


async def test_plain_filters_find_every_spelling_and_all_must_fit(http: httpx.AsyncClient) -> None:
    ada = await thin(http)
    made = {}
    for name, fields in {
        "one": {"mood": "Glad", "tags": ["Café", "river"], "source": "web"},
        "two": {"mood": "glad", "tags": ["river"], "source": "mobile"},
        "three": {"mood": "sad", "tags": ["glad"]},
    }.items():
        made[(await ada.request("POST", "/entries", json={"content": name, **fields})).json()["id"]] = name

    async def found(**params: Any) -> set[str]:
        return {made[each] for each in await ids(ada, **params)}

    assert await found(mood="GLAD") == {"one", "two"}
    assert await found(tag="cafe\u0301") == {"one"}
    assert await found(tag=["River", "café"]) == {"one"}
    assert await found(tag="river", source="Mobile") == {"two"}
    assert await found(tag="river", mood="sad") == set()
    assert await found(tag="glad") == {"three"}
    label = next(tag["id"] for tag in (await ada.request("GET", "/tags")).json() if tag["name"] == "river")
    assert await found(label=label) == {"one", "two"}


async def test_a_long_page_of_a_thin_client_is_opened_whole(http: httpx.AsyncClient) -> None:
    ada = await thin(http)
    for n in range(25):
        await ada.request("POST", "/entries", json={"content": f"{n}", "occurred_at": f"2026-01-{n + 1:02}"})
    items = await listed(ada)
    assert [item["content"] for item in items] == [f"{n}" for n in reversed(range(25))]


async def test_large_entries_end_a_page_before_its_limit(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    large = [dated(DAY + timedelta(hours=n), payload=sealed(900_000)) for n in range(12)]
    for each in large:
        await owner.push(each)
    page = (await owner.request("GET", "/entries", params={"limit": 500})).json()
    assert 0 < len(page["items"]) < 12
    assert page["next_cursor"] is not None
    assert await ids(owner, limit=500) == [each["record_id"] for each in reversed(large)]


async def test_parameters_that_are_none_are_refused(http: httpx.AsyncClient) -> None:
    owner, other = await register(http), await register(http)
    for params in (
        {"limit": 0},
        {"limit": 501},
        {"from": "yesterday"},
        {"to": "2026-02-30"},
        {"from": "2026-W05-1"},
        {"label": "0" * 31},
        {"label": "AAAA"},
        {"deleted": "perhaps"},
        {"mood": ""},
        {"mood": "x" * 201},
    ):
        problem(await owner.request("GET", "/entries", params=params), 422, "invalid_request")
    await owner.push(dated(DAY), dated(DAY))
    cursor = (await owner.request("GET", "/entries", params={"limit": 1})).json()["next_cursor"]
    for wrong in ("x", "é", cursor[:-2], cursor[::-1]):
        problem(await owner.request("GET", "/entries", params={"cursor": wrong}), 422, "invalid_cursor")
    problem(await other.request("GET", "/entries", params={"cursor": cursor}), 422, "invalid_cursor")
    problem(await owner.request("GET", "/sync/changes", params={"after": cursor}), 422, "invalid_cursor")


async def test_a_list_shows_nothing_of_others(http: httpx.AsyncClient) -> None:
    owner, other = await register(http), await register(http)
    label = b"same label......"
    mine, theirs = dated(DAY, labels=[label]), dated(DAY, labels=[label])
    await owner.push(mine)
    await other.push(theirs)
    assert await ids(owner, label=label.hex()) == [mine["record_id"]]
    assert await ids(other, label=label.hex()) == [theirs["record_id"]]


async def test_a_page_is_one_range_of_the_index_of_dates(app: FastAPI) -> None:
    async with app.state.parts[Database].read_driver() as connection:
        starts: dict[diary._Start, tuple[str, str]] = {
            "first": ("", ""),
            "after": (", timestamptz, text", ", '2025-01-01', 'x'"),
            "skip": (", bigint", ", 50"),
        }
        # Two sets of labels are asked for after a rotation.
        kinds = itertools.product(diary._WHICH, (False, True), starts, (1, 2))
        for deleted, with_last, start, sets in kinds:
            statement = diary._list(deleted, with_last, start, sets)
            ranges = ", timestamptz" * 4
            further, further_ = starts[start]
            types = f"uuid, int, bigint{ranges}{further}{', bytea[]' * sets}"
            given_ = f"'{uuid4()}', 50, 8388608, '2020-01-01', '2030-01-01', '-infinity', 'infinity'"
            further_ += ", '{}'" * sets
            await connection.execute(f"PREPARE tried ({types}) AS {statement}")
            try:
                plan = "\n".join(
                    row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE tried ({given_}{further_})")
                )
            finally:
                await connection.execute("DEALLOCATE tried")
            assert "Scan Backward using ix_records_date" in plan, (deleted, with_last)
            assert "Seq Scan" not in plan
            assert "Sort Key: (COALESCE" not in plan


async def test_what_is_kept_of_an_entry_travels_as_it_is_stored(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    pushed = dated(DAY, source="cli", labels=[b"l" * 16])
    await owner.push(pushed)
    async with app.state.parts[Database].read_driver() as connection:
        held = await diary.read(connection, UUID(owner.answer["id"]), "entries", pushed["record_id"])
        packed = await connection.fetchval("SELECT packed FROM records WHERE record_id = $1", pushed["record_id"])
    assert held is not None
    assert held.record.payload == unpack(packed)["payload"] == pushed["payload"]

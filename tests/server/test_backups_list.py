"""The list of backups: by their clients' times, page by page, and without what the device that asks wrote itself."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import pages
from lockleaf.wire.fields import encode_base64
from tests.server.test_backups import at, backup, listed, store
from tests.support.account_holders import problem
from tests.support.accounts import Owner, register


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


async def test_backups_are_listed_by_their_clients_times(owner: Owner) -> None:
    for minute in (3, 1, 2, 1):
        await store(owner, backup(f"log-{minute}-{uuid4()}", minute=minute, device=f"device-{minute}"))
    assert [found["updated_at"] for found in (await listed(owner))["backups"]] == [at(1), at(1), at(2), at(3)]
    later = await listed(owner, since=at(1))
    assert ([found["updated_at"] for found in later["backups"]], later["total_count"]) == ([at(2), at(3)], 2)
    assert (await listed(owner, since=at(3)))["backups"] == []
    naive = at(1).removesuffix("Z")
    assert (await listed(owner, since=naive))["total_count"] == 2


async def test_a_device_that_names_itself_is_not_given_what_it_wrote(owner: Owner) -> None:
    for number, device in enumerate(["phone", "tablet", "phone", "laptop"]):
        await store(owner, backup(f"log-{number}", device=device, minute=number))
    # What the phone wrote first and the tablet last is news to the phone, and none to the tablet.
    await store(owner, backup("log-0", text="changed", device="tablet", minute=4, base_revision=1))
    expected = {
        "phone": ["log-1", "log-3", "log-0"],
        "tablet": ["log-2", "log-3"],
        "laptop": ["log-1", "log-2", "log-0"],
        "a-new-one": ["log-1", "log-2", "log-3", "log-0"],
    }
    for device, ids in expected.items():
        found = await listed(owner, device_id=device)
        assert ([each["id"] for each in found["backups"]], found["total_count"]) == (ids, len(ids))
    later = await listed(owner, device_id="phone", since=at(1))
    assert ([each["id"] for each in later["backups"]], later["total_count"]) == (["log-3", "log-0"], 2)
    first = await listed(owner, device_id="phone", limit=2)
    assert (first["has_more"], first["total_count"]) == (True, 3)
    rest = await listed(owner, device_id="phone", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in (*first["backups"], *rest["backups"])] == expected["phone"]


async def test_pages_by_since_leave_nothing_out(owner: Owner) -> None:
    minutes = [1, 2, 2, 3, 3, 4, 5, 5]
    for number, minute in enumerate(minutes):
        await store(owner, backup(f"log-{number}", minute=minute))
    found: list[str] = []
    since: dict[str, str] = {}
    while True:
        page = await listed(owner, limit=3, **since)
        assert len(page["backups"]) <= 3
        found += [each["id"] for each in page["backups"]]
        since = {"since": page["backups"][-1]["updated_at"]}
        if not page["has_more"]:
            break
    assert found == [f"log-{number}" for number in range(len(minutes))]


async def test_the_cursor_goes_on_within_one_time(owner: Owner, http: httpx.AsyncClient) -> None:
    for number in range(5):
        await store(owner, backup(f"log-{number}", device=f"device-{number % 2}"))
    page = await listed(owner, limit=2)
    assert (len(page["backups"]), page["has_more"], page["total_count"]) == (2, True, 5)
    found = [each["id"] for each in page["backups"]]
    while page["has_more"]:
        page = await listed(owner, limit=2, cursor=page["next_cursor"])
        assert page["total_count"] == 5
        found += [each["id"] for each in page["backups"]]
        if page["has_more"]:
            cursor = page["next_cursor"]
    assert found == [f"log-{number}" for number in range(5)]
    stranger = await register(http)
    answer = await stranger.request("GET", "/sync/backups", params={"cursor": cursor})
    problem(answer, 422, "invalid_cursor")


async def test_a_page_of_large_backups_ends_before_its_limit(owner: Owner) -> None:
    size = 900_000
    for number in range(11):
        await store(owner, backup(f"log-{number:02}", encrypted_content=encode_base64(bytes(size)), minute=number))
    page = await listed(owner)
    assert 0 < len(page["backups"]) <= pages.BYTES_A_PAGE // size + 1
    rest = await listed(owner, since=page["backups"][-1]["updated_at"])
    ids = [each["id"] for each in (*page["backups"], *rest["backups"])]
    assert ids == [f"log-{number:02}" for number in range(11)]


@pytest.mark.parametrize("extreme", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_the_ends_of_the_calendar_are_times_like_others(owner: Owner, extreme: str) -> None:
    for number in range(2):
        await store(owner, backup(f"log-{number}", updated_at=extreme, created_at=extreme))
    page = await listed(owner, limit=1)
    assert (page["backups"][0]["updated_at"], page["has_more"]) == (extreme, True)
    assert [each["id"] for each in (await listed(owner, cursor=page["next_cursor"]))["backups"]] == ["log-1"]


async def test_lists_are_read_from_their_indexes(app: FastAPI) -> None:
    after = "'2024-01-01', 'a'"
    plans = {
        f"EXECUTE tried ('{uuid4()}', 'backups', 100, 8388608, {after})": (
            pages._BY_TIME,
            "uuid, text, bigint, bigint, timestamptz, text",
        ),
        f"EXECUTE tried ('{uuid4()}', 'backups', 100, 8388608, {after}, 'd')": (
            pages._BY_TIME_BUT_DEVICE,
            "uuid, text, bigint, bigint, timestamptz, text, text",
        ),
        f"EXECUTE tried ('{uuid4()}', {after})": (pages._COUNT, "uuid, timestamptz, text"),
    }
    for call, (statement, types) in plans.items():
        async with app.state.parts[Database].read_driver() as connection:
            await connection.execute(f"PREPARE tried ({types}) AS {statement}")
            try:
                plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {call}"))
            finally:
                await connection.execute("DEALLOCATE tried")
        assert "ix_records_backups" in plan, plan
        assert "Seq Scan" not in plan
        assert "Sort Key: r.occurred_at" not in plan

"""An entry's day is the day where it was written: in lists, filters, searches and statistics of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lockleaf.wire.days import shared_time
from tests.support.accounts import Owner, change, register
from tests.support.diaries import thin
from tests.support.searching import contents

# In the order of their local times, each with the day that its writer's calendar showed.
WRITTEN = (
    ("evening in Honolulu", {"occurred_at": "2026-11-20T23:30:00-10:00"}, "2026-11-20"),
    ("a day", {"occurred_at": "2026-11-21"}, "2026-11-21"),
    ("noon, wherever", {"occurred_at": "2026-11-21T12:00:00"}, "2026-11-21"),
    ("evening in UTC", {"occurred_at": "2026-11-21T19:00:00Z"}, "2026-11-21"),
    ("morning in Auckland", {"occurred_at": "2026-11-22T07:00:00+13:00"}, "2026-11-22"),
    (
        "morning in Auckland, by its zone",
        {"occurred_at": "2026-11-21T19:00:00Z", "time_zone": "Pacific/Auckland"},
        "2026-11-22",
    ),
)
LATEST_FIRST = [text for text, _, _ in reversed(WRITTEN)]


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    owner = await thin(http)
    for text, fields, _ in WRITTEN:
        answer = await owner.request("POST", "/entries", json={"content": text, **fields})
        assert answer.status_code == 201, answer.text
    return owner


async def listed(owner: Owner, **params: str) -> list[str]:
    answer = await owner.request("GET", "/entries", params=params)
    assert answer.status_code == 200, answer.text
    return [item["content"] for item in answer.json()["items"]]


async def test_a_thin_client_finds_entries_by_the_day_where_they_were_written(ada: Owner) -> None:
    assert await listed(ada) == LATEST_FIRST
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        of_day = [text for text, _, own in reversed(WRITTEN) if own == day]
        assert await listed(ada, **{"from": day, "to": day}) == of_day
        assert await contents(ada, "", **{"from": day, "to": day}) == set(of_day)
        assert await contents(ada, f"from:{day} to:{day}") == set(of_day)


async def test_a_time_as_a_bound_is_an_instant(ada: Owner) -> None:
    between = {"from": "2026-11-22T07:59:00+13:00", "to": "2026-11-21T19:00:00Z"}
    same_instant = {"evening in UTC", "morning in Auckland, by its zone"}
    assert set(await listed(ada, **between)) == same_instant
    assert await contents(ada, "", **between) == same_instant
    assert await contents(ada, "morning", **between) == {"morning in Auckland, by its zone"}
    assert await contents(ada, "morning", **between | {"to": "2026-11-22"}) == {"morning in Auckland, by its zone"}


async def test_pages_go_on_by_local_times(ada: Owner) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "1"} if cursor is None else {"limit": "1", "cursor": cursor}
        page = (await ada.request("GET", "/entries", params=params)).json()
        seen += [item["content"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == LATEST_FIRST


async def test_dates_that_a_client_shares_are_of_the_same_days(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    sent = {
        text: change(occurred_at=shared_time(fields["occurred_at"], fields.get("time_zone")))
        for text, fields, _ in WRITTEN
    }
    await owner.push(*sent.values())
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        answer = await owner.request("GET", "/entries", params={"from": day, "to": day})
        of_day = [sent[text]["record_id"] for text, _, own in reversed(WRITTEN) if own == day]
        assert [item["id"] for item in answer.json()["items"]] == of_day


async def test_an_edit_moves_an_entry_to_its_new_day(ada: Owner) -> None:
    first = (await ada.request("GET", "/entries", params={"from": "2026-11-22"})).json()["items"][0]
    moved = {"occurred_at": "2026-12-24T23:30:00-10:00", "time_zone": None, "revision": first["revision"] + 1}
    assert (await ada.request("PUT", f"/entries/{first['id']}", json=moved)).status_code == 200
    assert await listed(ada, **{"from": "2026-12-24", "to": "2026-12-24"}) == [first["content"]]
    assert await listed(ada, **{"from": "2026-12-25"}) == []


async def test_the_streak_counts_days_of_entries_and_not_of_their_arrival(http: httpx.AsyncClient) -> None:
    owner = await thin(http)
    today = datetime.now(UTC).date()
    for ago in (0, 1, 2, 4):
        body = {"content": f"{ago}", "occurred_at": (today - timedelta(days=ago)).isoformat()}
        await owner.request("POST", "/entries", json=body)
    answer = (await owner.request("GET", "/users/me/stats", params={"days": 2})).json()
    assert (answer["total_logs"], answer["recent_logs"], answer["writing_streak"]) == (4, 2, 3)

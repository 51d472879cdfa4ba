"""Tags, moods, calendar, numbers and other years."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

from lockleaf.app.routes.overview import _streak
from tests.support.local_page import Page


async def test_the_journal_is_seen_from_above(page: Page) -> None:
    await page.write("one two", entry_date="2024-02-29T10:00:00", mood="calm", tags=["Home"], metrics={"sleep": 7})
    await page.write("three", entry_date="2024-02-29T20:00:00", mood="Calm", metrics={"sleep": 8})
    await page.write("four", entry_date="2025-06-01", mood="glad", tags=["home", "sea"])
    calendar = await page.get("/calendar/2024")
    assert calendar["days"] == {"2024-02-29": {"entries": 2, "words": 3, "mood": "Calm"}}
    assert calendar["years"] == [2024, 2025]
    tags = {each["name"].lower(): each["count"] for each in (await page.get("/tags"))["tags"]}
    assert tags == {"home": 2, "sea": 1}
    found = await page.get("/moods")
    moods = [(each["name"].lower(), each["count"]) for each in found["moods"]]
    assert moods == [("calm", 2), ("glad", 1)]
    assert found["sources"] == [each["source"] for each in (await page.post("/entries/find", {"limit": 1}))["entries"]]
    assert [each["words"] for each in (await page.get("/on-this-day/02-29"))["entries"]] == [1, 2]
    numbers = await page.get("/numbers")
    assert numbers["totals"] == {"entries": 3, "words": 4, "days": 2}
    assert numbers["words_by_month"] == [["2024-02", 3], ["2025-06", 1]]
    assert numbers["metrics"] == {"sleep": [["2024-02-29", 7.5]]}
    recolored = await page.post("/tags/color", {"name": "sea", "color": "#0377d2"}, method="PUT")
    assert [each["color"] for each in recolored["tags"] if each["name"] == "sea"] == ["#0377d2"]


def test_a_day_that_is_not_over_breaks_no_streak() -> None:
    today = date(2026, 3, 10)
    days = {date(2026, 3, 9), date(2026, 3, 8), date(2026, 3, 1), date(2026, 2, 28), date(2026, 2, 27)}
    assert _streak(days, today).model_dump() == {"current": 2, "longest": 3}
    assert _streak({date(2026, 3, 7)}, today).current == 0


async def test_a_daily_goal_is_remembered_on_this_device(page: Page) -> None:
    assert (await page.get("/state"))["daily_goal"] is None
    state = await page.post("/settings", {"daily_goal": 500}, method="PUT")
    assert (state["daily_goal"], state["words_today"]) == (500, 0)
    await page.write("three more words")
    assert (await page.get("/state"))["words_today"] == 3


async def test_the_index_of_words_is_made_before_anybody_searches(page: Page, home: Path) -> None:
    lines = [json.dumps({"body": f"entry {n} of herons", "date": f"2026-01-01T08:{n:02}:00Z"}) for n in range(50)]
    await page.ask("POST", "/import", content="\n".join(lines).encode(), headers={"X-File-Name": "old.jsonl"})
    index = home / "profiles" / "laptop" / "store.sqlite3-search"
    while not index.exists():
        await asyncio.sleep(0.01)
    found = await page.post("/entries/find", {"query": "herons", "limit": 5})
    assert (found["total"], len(found["entries"])) == (50, 5)

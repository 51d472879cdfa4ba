"""Journals of years in the local page: one comes in as an archive, and one is scrolled through from end to end."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.command_line import CommandLine
from tests.support.journal_page import Opens, Window, drop_files
from tests.support.journals.dayone import entry, write_dayone
from tests.support.journals.pepys import diary_of

DAYS = 2000

WATCHED = """() => {
  // What a person sees in each frame: whether the rows cover the window where the list is, and which entries are in it.
  const seen = window.seen = {order: [], frames: 0, gaps: []};
  const look = () => {
    const list = document.querySelector(".rows");
    if (list) {
      const frame = list.getBoundingClientRect();
      const top = Math.max(0, frame.top), bottom = Math.min(innerHeight, frame.bottom);
      let y = top;
      for (const row of list.querySelectorAll(".placed")) {
        const box = row.getBoundingClientRect();
        if (box.bottom <= top || box.top >= bottom) continue;
        if (box.top > y + 1) seen.gaps.push([scrollY, y, box.top]);
        y = Math.max(y, box.bottom);
        const entry = row.querySelector("[aria-posinset]");
        const place = entry ? Number(entry.getAttribute("aria-posinset")) : 0;
        if (place > (seen.order.at(-1)?.[0] ?? 0)) {
          seen.order.push([place, row.querySelector(".entry-link").getAttribute("href").split("/").pop()]);
        }
      }
      if (bottom > top && y < bottom - 1) seen.gaps.push([scrollY, y, bottom]);
      seen.frames += 1;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
SCROLLED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
  [scrollY + innerHeight >= document.documentElement.scrollHeight - 1, !!document.querySelector(".absent")]
))))"""


@pytest.fixture
def alone(home: Path) -> CommandLine:
    """A machine that has no account."""
    return CommandLine(home, "default")


@pytest.fixture
def opened(opens: Opens, alone: CommandLine) -> Window:
    """A window on its journal."""
    return opens(alone, viewport={"width": 1280, "height": 900})


def test_two_thousand_entries_of_day_one_are_dropped_tried_and_brought_in(
    opened: Window, alone: CommandLine, tmp_path: Path
) -> None:
    page = opened.page
    alone.run("write", "-", "--title", "Here before", stdin=b"Written here.")
    first = date(2015, 1, 1)
    archive = write_dayone(
        tmp_path / "Day One.zip",
        {
            "Journal": [
                entry(f"What was on day {n}.", f"{first + timedelta(days=n)}T04:00:00Z", tags=["old"])
                for n in range(DAYS)
            ]
        },
    )
    opened.go("")
    expect(page.get_by_role("link", name="Here before")).to_be_visible()
    drop_files(page, [archive], at=(700, 500))
    expect(page.get_by_role("heading", name="2,000 entries would come in")).to_be_visible()
    expect(page.get_by_text("Day One", exact=False).first).to_be_visible()
    assert len(alone.run("--json", "list", "--all").values()) == 1
    page.get_by_role("button", name="Bring them in").click()
    expect(page.get_by_role("heading", name="2,000 entries came in")).to_be_visible()
    opened.go("")
    expect(page.get_by_text("2,001 entries")).to_be_visible()
    texts = [each["body"] for each in alone.run("--json", "list", "--all").values()]
    assert sorted(texts) == sorted(["Written here.", *(f"What was on day {n}." for n in range(DAYS))])
    drop_files(page, [archive], at=(700, 500))
    expect(page.get_by_role("heading", name="Nothing new is in it")).to_be_visible()


def scroll_to_the_end(page: Page) -> None:
    """Turn the wheel until the last entry is there, each turn by less than a window."""
    page.mouse.move(700, 450)
    while True:
        page.mouse.wheel(0, 700)
        at_end, absent = page.evaluate(SCROLLED)
        if at_end and not absent:
            return


def test_ten_years_scroll_by_in_order_and_no_window_is_empty(
    opened: Window, alone: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    diary = diary_of(shared_data)
    path = tmp_path / "diary.jsonl"
    path.write_text("".join(json.dumps({"date": day, "text": text}) + "\n" for day, text in diary), "utf-8")
    alone.run("import", str(path), "--from", "jsonl")
    page = opened.page
    page.reload()
    opened.go("")
    expect(page.get_by_text(f"{len(diary):,} entries")).to_be_visible()
    expect(page.locator(".entry-row").first).to_be_visible()
    page.evaluate(WATCHED)
    scroll_to_the_end(page)
    seen = page.evaluate("seen")
    expected = [each["id"] for each in alone.run("--json", "list", "--all").values()]
    assert len(expected) == len(diary) == 3415
    assert [place for place, _ in seen["order"]] == list(range(1, len(diary) + 1))
    assert [entry for _, entry in seen["order"]] == expected
    assert seen["frames"] > 500
    assert seen["gaps"] == []

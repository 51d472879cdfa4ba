"""Journals come in and go out by the page."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from tests.support.local_page import Page, page_of


async def test_an_archive_that_is_dropped_is_tried_first_and_then_imported_once(page: Page, home: Path) -> None:
    lines = [json.dumps({"body": f"entry {n}", "date": f"2026-01-0{n}T08:00:00Z"}) for n in range(1, 4)]
    data, headers = "\n".join(lines).encode(), {"X-File-Name": "old%20diary.jsonl"}
    tried = await page.ask("POST", "/import", content=data, headers={**headers, "X-Dry-Run": "1"})
    assert (tried.status_code, tried.json()["added"], tried.json()["dry_run"]) == (200, 3, True)
    assert (await page.get("/state"))["counts"]["entries"] == 0
    done = await page.ask("POST", "/import", content=data, headers=headers)
    assert (done.json()["added"], done.json()["importer"], done.json()["complete"]) == (3, "jsonl", True)
    again = await page.ask("POST", "/import", content=data, headers=headers)
    assert (again.json()["added"], again.json()["present"]) == (0, 3)
    refused = await page.ask("POST", "/import", content=b"\x00\x01", headers={"X-File-Name": "a.zip"})
    assert refused.status_code == 422
    assert list((home / "profiles" / "laptop").glob("lockleaf-page-*")) == []


async def test_what_is_exported_comes_in_again_under_its_ids(page: Page, home: Path) -> None:
    written = await page.write("to keep", title="Kept", tags=["one"])
    await page.write("not this one")
    answer = await page.ask("POST", "/export", {"tags": ["one"], "format": "json"})
    assert (answer.status_code, answer.headers["x-entries"]) == (200, "1")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
    async with page_of(home, profile="other") as other:
        came = await other.ask("POST", "/import", content=answer.content, headers={"X-File-Name": "journal.zip"})
        assert came.json()["added"] == 1, came.text
        assert (await other.get(f"/entries/{written['id']}"))["title"] == "Kept"
    assert list((home / "profiles" / "laptop").glob("lockleaf-page-*")) == []


async def test_an_export_holds_what_the_list_shows_and_no_more(page: Page) -> None:
    for number, (text, tags) in enumerate(
        [("a heron by the river", ["birds", "walks"]), ("a heron again", ["birds"]), ("rain on the river", ["walks"])]
    ):
        await page.write(text, tags=tags, entry_date=f"2026-05-0{number + 1}T08:00:00Z")
    for wanted, texts in (
        ({}, {"a heron by the river", "a heron again", "rain on the river"}),
        ({"query": "heron"}, {"a heron by the river", "a heron again"}),
        ({"query": "heron -again"}, {"a heron by the river"}),
        ({"tags": ["birds", "walks"]}, {"a heron by the river"}),
        ({"query": "river", "since": "2026-05-02"}, {"rain on the river"}),
        ({"query": "nowhere"}, set()),
    ):
        found = await page.post("/entries/find", wanted)
        answer = await page.ask("POST", "/export", {**wanted, "format": "json"})
        assert answer.headers["x-entries"] == str(found["total"]) == str(len(texts)), wanted
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            [document] = [json.loads(archive.read(name)) for name in archive.namelist() if name == "journal.json"]
        assert {entry["body"] for entry in document["entries"]} == texts


async def test_an_inbox_in_which_nothing_waits_is_empty(page: Page) -> None:
    assert (await page.get("/inbox"))["items"] == []
    missing = await page.ask("POST", "/inbox/00000000-0000-4000-8000-000000000000/accept")
    assert (missing.status_code, missing.json()["code"]) == (404, "inbox_item_not_found")

"""Writing, reading and finding in the page."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from tests.support.local_page import Page, page_of


async def test_an_entry_is_written_read_edited_deleted_and_brought_back(page: Page) -> None:
    written = await page.write("Up **betimes**.", title="First", tags=["home"], mood="calm", metrics={"sleep": 7.5})
    read = await page.get(f"/entries/{written['id']}")
    assert (read["title"], read["html"], read["words"]) == ("First", "<p>Up <strong>betimes</strong>.</p>\n", 2)
    assert (read["metrics"], read["tags"], read["source"]) == ({"sleep": 7.5}, ["home"], "app")
    path = f"/entries/{written['id']}"
    edited = await page.post(path, {"base": read["version"], "title": None, "body": "Late."}, method="PUT")
    assert (edited["title"], edited["body"], edited["mood"]) == (None, "Late.", "calm")
    await page.post(f"{path}/delete", {"base": edited["version"]})
    assert (await page.post("/entries/find", {}))["entries"] == []
    [deleted] = (await page.post("/entries/find", {"deleted": True}))["entries"]
    assert deleted["deleted"]
    await page.post(f"{path}/restore", {})
    assert (await page.get(path))["body"] == "Late."


async def test_a_repeated_request_writes_once(page: Page) -> None:
    body = {"id": str(uuid4()), "body": "once", "entry_date": "2026-01-01T08:00:00+01:00"}
    first, second = await page.post("/entries", body), await page.post("/entries", body)
    assert first["id"] == second["id"] == body["id"]
    assert (await page.get("/state"))["counts"]["entries"] == 1


async def test_an_edit_of_what_another_changed_in_the_same_place_becomes_a_conflict(page: Page) -> None:
    entry = await page.write("one")
    path = f"/entries/{entry['id']}"
    await page.post(path, {"base": entry["version"], "body": "two"}, method="PUT")
    answer = await page.ask("PUT", path, {"base": entry["version"], "body": "three"})
    assert (answer.status_code, answer.json()["code"]) == (409, "edit_conflict")
    assert answer.json()["conflict_id"]
    state = await page.get("/state")
    assert (state["counts"]["conflicts"], state["counts"]["entries"]) == (1, 1)


async def test_lists_are_whole_in_pages_newest_first(page: Page) -> None:
    for day in range(1, 8):
        await page.write(f"day {day}", entry_date=f"2026-03-0{day}", tags=["odd" if day % 2 else "even"])
    seen, cursor = [], None
    while True:
        found = await page.post("/entries/find", {"limit": 3, "cursor": cursor, "tags": ["ODD"]})
        assert found["total"] == 4
        seen += [each["day"] for each in found["entries"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert seen == ["2026-03-07", "2026-03-05", "2026-03-03", "2026-03-01"]
    found = await page.post("/entries/find", {"since": "2026-03-02", "until": "2026-03-03"})
    assert [each["day"] for each in found["entries"]] == ["2026-03-03", "2026-03-02"]


async def test_a_search_marks_what_it_found_in_units_of_the_browser(page: Page) -> None:
    await page.write("\U0001f426 a heron stood")
    await page.write("no bird")
    found = await page.post("/entries/find", {"query": "herons"})
    [entry] = found["entries"]
    [[first, last]] = entry["marks"]
    in_utf16 = entry["excerpt"].encode("utf-16-le")
    assert in_utf16[2 * first : 2 * last].decode("utf-16-le") == "heron"
    assert found["words"] == ["heron"]


async def test_a_draft_is_kept_sealed_and_found_by_the_next_page(home: Path) -> None:
    fields = {"body": "Zanzibar at dawn", "title": "Quaint"}
    async with page_of(home) as page:
        await page.post("/drafts/0a1b2c3d", {"fields": fields}, method="PUT")
        await page.post("/drafts/0a1b2c3e", {"fields": {"title": "A title alone"}}, method="PUT")
    for file in (home / "profiles" / "laptop").rglob("*"):
        if file.is_file():
            assert b"Zanzibar" not in file.read_bytes(), file
            assert b"Quaint" not in file.read_bytes(), file
    async with page_of(home) as page:
        drafts = (await page.get("/drafts"))["drafts"]
        assert {each["title"] for each in drafts} == {"Quaint", "A title alone"}
        kept = await page.get("/drafts/0a1b2c3d")
        assert {name: kept["fields"][name] for name in fields} == fields
        await page.write("Zanzibar at dawn", draft="0a1b2c3d")
        assert [each["key"] for each in (await page.get("/drafts"))["drafts"]] == ["0a1b2c3e"]
        answer = await page.ask("DELETE", "/drafts/0a1b2c3e")
        assert (answer.status_code, (await page.get("/drafts"))["drafts"]) == (204, [])


async def test_what_another_program_writes_is_in_the_next_list(page: Page) -> None:
    await page.write("mine")
    await page.desk.journal.write(body="from a command")
    bodies = {each["excerpt"] for each in (await page.post("/entries/find", {}))["entries"]}
    assert bodies == {"mine", "from a command"}

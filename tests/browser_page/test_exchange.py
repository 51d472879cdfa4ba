"""What comes into a journal by the local page and goes out of it, and the account's second factor there."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pyotp
import pytest
from playwright.sync_api import expect

from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, axe_finds, give_file, profile
from tests.support.process import RunningServer
from tests.support.senders import POST, put_in
from tests.support.terminals import Terminal

SECRET = re.compile(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})")
CODE = re.compile(r"^    ([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$", re.MULTILINE)
OLD = b"\n".join(
    json.dumps(
        {"date": f"2019-05-0{n}T08:00:00+00:00", "title": f"Old {n}", "body": f"Of day {n}.", "tags": ["attic"]}
    ).encode()
    for n in (1, 2, 3)
)


@pytest.fixture
def imported(device: CommandLine, tmp_path: Path) -> None:
    """The old entries are there: what came in before is known again."""
    file = tmp_path / "old diary.jsonl"
    file.write_bytes(OLD)
    device.run("import", file)


def test_an_archive_dropped_on_the_journal_is_tried_first_and_written_when_one_says_so(
    window: Window, device: CommandLine
) -> None:
    page = window.page
    window.go("")
    expect(page.locator(".timeline")).to_be_attached()
    give_file(page, "old diary.jsonl", OLD + b"\nnot an entry", to="main")
    expect(page.get_by_role("heading", name="3 entries would come in")).to_be_visible()
    expect(page.get_by_text("Left out (1)")).to_be_visible()
    assert axe_finds(page) == []
    assert device.run("list").out == ""
    page.get_by_role("button", name="Bring them in").click()
    expect(page.get_by_role("heading", name="3 entries came in")).to_be_visible()
    assert len(device.run("--json", "list").values()) == 3

    give_file(page, "old diary.jsonl", OLD, to=".drop-zone")
    expect(page.get_by_role("heading", name="Nothing new is in it")).to_be_visible()
    give_file(page, "broken.zip", b"PK\x00", to=".drop-zone")
    expect(page.get_by_role("alert")).not_to_be_empty()


def test_entries_are_narrowed_by_where_they_came_from_and_what_is_shown_is_saved(
    imported: None, window: Window
) -> None:
    page = window.page
    window.write("Written here.", title="Of today")
    window.done()
    window.go("search")
    page.get_by_role("button", name="Narrow by").click()
    page.get_by_label("Came from").select_option("jsonl")
    expect(page.locator(".entry-row")).to_have_count(3)
    page.get_by_role("button", name="Export these entries").click()
    page.get_by_role("combobox", name="As", exact=True).select_option("json")
    assert axe_finds(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    assert download.value.suggested_filename == "journal.zip"
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        text = b"".join(map(archive.read, archive.namelist())).decode()
    assert [f"Of day {n}." in text for n in (1, 2, 3)] == [True, True, True]
    assert "Written here." not in text
    expect(page.get_by_text("3 entries exported.")).to_be_visible()


def test_a_tag_gets_another_colour_for_all_devices(imported: None, window: Window, device: CommandLine) -> None:
    page = window.page
    window.go("account/tags")
    page.get_by_label("attic").fill("#0377d2")
    expect(page.locator(".tag-colors .dot")).to_have_css("background-color", "rgb(3, 119, 210)")
    assert axe_finds(page) == []
    assert "#0377d2" in device.run("--json", "tags").out


def test_what_waits_in_the_inbox_is_made_an_entry_or_refused(
    window: Window, device: CommandLine, settings: Settings
) -> None:
    user_id = UUID(device.run("--json", "status").value()["user_id"])

    async def send() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await put_in(app, user_id, "1")
            await put_in(app, user_id, "2", {**POST, "title": "Not mine <img src=x onerror=alert(1)>"})

    # The browser's events fill this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, send()).result()
    page = window.page
    window.go("")
    page.get_by_role("button", name="Sync now").click()
    page.get_by_role("link", name="Inbox 2").click()
    wanted = page.locator(".inbox-item", has_text="A picture")
    expect(wanted.locator(".rendered")).to_have_text("The sea at noon.")
    assert axe_finds(page) == []
    wanted.get_by_role("button", name="Make it an entry").click()
    page.get_by_role("button", name="Open it").click()
    expect(page.locator(".reading h1")).to_have_text("A picture")
    window.go("inbox")
    page.locator(".inbox-item", has_text="Not mine").get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    expect(page.get_by_role("link", name="Inbox")).to_have_count(0)


@pytest.fixture
def guarded(opens: Opens, home: Path, server: RunningServer) -> tuple[Window, list[str], CommandLine]:
    """A journal whose account has a second factor: a window on it, its factor codes, its device."""
    laptop = profile(home, server.url, fresh_email())
    with Terminal(laptop, "factors", "add", "totp", "--name", "my phone") as terminal:
        found = SECRET.search(terminal.wait_for("Code that the app shows now: "))
        assert found is not None
        terminal.type(pyotp.TOTP(found[1].replace(" ", "")).now())
        assert terminal.end() == 0
    laptop.run("write", "-", "--title", "On the server", stdin=b"Sent.")
    laptop.run("sync")
    return opens(laptop), CODE.findall(terminal.seen), laptop


def test_a_lower_tier_says_what_it_deletes_and_asks_for_password_and_second_factor(
    guarded: tuple[Window, list[str], CommandLine],
) -> None:
    window, codes, device = guarded
    page = window.page
    window.go("account")
    expect(page.get_by_role("radio", name="The encrypted journal")).to_be_checked()
    page.get_by_role("radio", name="Nothing").check()
    expect(page.locator(".warning li")).to_have_text(["entries (1)", "all encrypted numbers"])
    assert axe_finds(page) == []
    page.locator("form", has=page.locator(".warning")).get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Delete this from the server").click()
    field = page.get_by_label("Code of the second factor")
    expect(field).to_be_focused()
    assert device.run("--json", "privacy").value()["current_tier"] == "full_sync"
    field.fill("000-wrong")
    page.keyboard.press("Enter")
    expect(page.locator("form").get_by_role("alert")).not_to_be_empty()
    field.fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.get_by_text("Changed. The server deleted encrypted records (")).to_be_visible()
    assert device.run("--json", "privacy").value()["current_tier"] == "local_only"
    window.go("")
    expect(page.get_by_role("link", name="On the server")).to_be_visible()

    window.go("account")
    page.get_by_role("button", name="New recovery codes").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code of the second factor").fill(codes[1])
    page.keyboard.press("Enter")
    expect(page.locator(".code-list li")).to_have_count(10)

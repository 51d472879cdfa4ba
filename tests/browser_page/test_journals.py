"""What becomes of a journal in the local page: its beginning, its account, its conflicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, axe_finds, profile, synced
from tests.support.process import RunningServer, running_server


@pytest.fixture
def fresh(opens: Opens, home: Path) -> tuple[Window, CommandLine]:
    """A window on a machine that has no journal yet."""
    device = CommandLine(home, "default")
    return opens(device), device


def test_a_person_without_an_account_writes_first_and_registers_later(
    fresh: tuple[Window, CommandLine], server: RunningServer
) -> None:
    window, device = fresh
    page = window.page
    assert axe_finds(page) == []
    expect(page.get_by_role("button", name="Write the first entry")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("The first line of all.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".rendered")).to_have_text("The first line of all.")

    window.go("account/register")
    page.get_by_role("textbox", name="Server").fill(server.url)
    page.get_by_label("Email, or a name").fill(fresh_email())
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator(".code-list li")).to_have_count(10)
    assert axe_finds(page) == []
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    window.go("")
    expect(page.get_by_role("link", name="The first line of all.")).to_be_visible()

    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_role("heading", name="Your journal is locked")).to_be_visible()
    assert axe_finds(page) == []
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    assert "The first line of all." in device.run("list").out


def test_with_the_server_gone_one_writes_on_and_all_is_sent_when_it_is_back(
    opens: Opens, home: Path, server_environment: dict[str, str], tmp_path: Path
) -> None:
    where = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path / "server")}
    with running_server(where, log=tmp_path / "log") as server:
        email = fresh_email()
        laptop = profile(home, server.url, email)
        window = opens(laptop)
        page = window.page
        window.write("Before it went.")
        window.done()
        state = page.locator(".sync [role=status]")
        synced(laptop)
        expect(state).to_have_text("Up to date")

    window.write("While it was away.")
    window.done()
    page.get_by_role("button", name="Sync now").click()
    expect(state).to_have_text("Offline · 1 change to send")
    page.reload()
    expect(state).to_have_text("Offline · 1 change to send")
    window.go("")
    expect(page.get_by_role("link", name="While it was away.")).to_be_visible()
    assert axe_finds(page) == []

    with running_server(where, log=tmp_path / "log", port=server.port):
        page.get_by_role("button", name="Sync now").click()
        expect(state).to_have_text("Up to date")
        phone = profile(home, server.url, email, name="phone", new=False)
        phone.run("sync")
        assert {each["body"] for each in phone.run("--json", "list").values()} == {
            "Before it went.",
            "While it was away.",
        }
    assert window.faults == []


def test_two_devices_that_wrote_the_same_line_are_shown_beside_each_other_and_made_one(
    opens: Opens, home: Path, server: RunningServer
) -> None:
    email = fresh_email()
    laptop = profile(home, server.url, email)
    entry = laptop.run("write", "-", "--title", "Shared", stdin=b"The one line.").out.strip()
    laptop.run("sync")
    phone = profile(home, server.url, email, name="phone", new=False)
    phone.run("sync")
    phone.run("edit", entry, "-", stdin=b"The line of the phone.")
    phone.run("sync")
    laptop.run("edit", entry, "-", stdin=b"The line of the laptop.")
    laptop.run("sync", code=None)

    window = opens(laptop)
    page = window.page
    page.get_by_role("link", name="Two versions").first.click()
    expect(page.locator(".version")).to_have_count(2)
    assert axe_finds(page) == []
    page.get_by_role("button", name="Make one of both").click()
    expect(page.locator(".merging .cm-content")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("The line of both.")
    page.get_by_role("button", name="Keep the merged text").click()
    expect(page.locator(".rendered")).to_have_text("The line of both.")

    page.get_by_role("link", name="Earlier versions").click()
    expect(page.locator(".revision").first).to_be_visible()
    assert axe_finds(page) == []
    assert window.faults == []

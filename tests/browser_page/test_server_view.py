"""What the server sees, as the local page shows it: to a person with an account in each custody, and to one without."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.command_line import CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, is_sound, synced
from tests.support.process import RunningServer


def test_an_entry_stands_beside_the_sealed_bytes_that_the_server_has_of_it(window: Window, device: CommandLine) -> None:
    page = window.page
    device.run("write", "-", "--title", "The weir", "--mood", "calm", "--tag", "walks", stdin=b"A heron stood there.")
    synced(device)
    window.go("account")
    page.get_by_role("link", name="What the server sees").press("Enter")
    expect(page.get_by_role("heading", name="What the server sees")).to_be_visible()
    mine, its = page.locator(".seen-entry > div").first, page.locator(".seen-entry > div").last
    expect(mine).to_contain_text("A heron stood there.")
    sealed = its.locator("code.sealed").inner_text().replace(" ", "").rstrip("…")
    assert len(bytes.fromhex(sealed)) == 96
    expect(its).to_contain_text("These are the bytes that your devices sealed.", ignore_case=True)
    expect(its).to_contain_text("(mood calm)")
    expect(its).not_to_contain_text("heron")
    never = page.locator(".sight-never")
    expect(never).to_contain_text("Text, title, mood, weather, place and tags of your entries")
    row = page.locator(".facts.broad > div", has=page.get_by_text("Entries", exact=True))
    expect(row.locator("dd")).to_have_text("1")
    is_sound(page)
    mine.get_by_role("link", name="The weir").click()
    expect(page.locator(".reading h1")).to_have_text("The weir")


def test_with_uce_the_page_says_what_the_server_can_read_and_when(
    opens: Opens, home: Path, server: RunningServer
) -> None:
    device = CommandLine(home, "laptop")
    account = ("--server", server.url, "--email", fresh_email(), "--device-name", "laptop", "--custody", "uce")
    device.run("register", *account)
    device.run("write", "-", stdin=b"A heron stood there.")
    synced(device)
    window = opens(device)
    page = window.page
    window.go("account/seen")
    its = page.locator(".seen-entry > div").last
    expect(its.get_by_role("heading", name="It can read, within a request")).to_be_visible()
    expect(its).to_contain_text("A heron stood there.")
    expect(page.locator(".sight-in_use")).to_contain_text("Text, title, mood, weather, place and tags of your entries")
    expect(page.get_by_role("heading", name="When it opened your journal, by its own word")).to_be_visible()
    is_sound(page)
    assert window.faults == []


def test_without_an_account_the_page_says_that_no_server_sees_anything(opens: Opens, home: Path) -> None:
    device = CommandLine(home, "default")
    device.run("write", "-", stdin=b"Alone.")
    window = opens(device)
    window.go("account")
    window.page.get_by_role("link", name="What a server sees").click()
    expect(window.page.get_by_text("no server sees anything of it")).to_be_visible()
    is_sound(window.page)
    assert window.faults == []

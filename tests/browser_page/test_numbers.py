"""Numbers of a journal in the local page: this machine's, and those that the server added up unread."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, axe_finds, synced
from tests.support.process import RunningServer


def test_the_servers_sums_stand_beside_those_of_this_machine(window: Window, device: CommandLine) -> None:
    pytest.importorskip("tenseal")
    page = window.page
    for text in ("One two three four.", "One two three four five six."):
        device.run("write", "-", stdin=text.encode())
    synced(device)
    window.go("numbers")
    page.get_by_role("button", name="Let the server add them up").click()
    row = page.get_by_role("row", name="words an entry")
    expect(row.get_by_role("cell")).to_have_text(["5 of 2 values", "5 of 2 values"])
    expect(page.get_by_text("Both come to the same.")).to_be_visible()
    assert axe_finds(page) == []
    device.run("write", "-", stdin=b"One two three four five six seven eight.")
    synced(device)
    expect(row.get_by_role("cell")).to_have_text(["6 of 3 values", "6 of 3 values"])
    page.get_by_role("button", name="Have the server delete its sums").click()
    expect(page.get_by_role("button", name="Let the server add them up")).to_be_visible()


def test_what_is_shown_of_the_sums_is_the_answer_to_the_last_question(window: Window, device: CommandLine) -> None:
    pytest.importorskip("tenseal")
    page = window.page
    off = page.get_by_role("button", name="Let the server add them up")
    device.run("write", "-", stdin=b"One two three four.")
    synced(device)
    count = len(device.run("list", "--all", "--json").values())
    window.go("numbers")
    off.click()
    drop = page.get_by_role("button", name="Have the server delete its sums")
    expect(drop).to_be_enabled()
    asked: list[Route] = []
    holding = True
    page.route("**/api/encrypted-sums", lambda route: asked.append(route) if holding else route.continue_())
    drop.click()
    device.run("write", "-", stdin=b"One two three four five six.")
    synced(device)
    expect(page.locator("dd").nth(2)).to_have_text(f"{count + 1}")
    # What was asked meanwhile was answered before the sums were deleted, and that answer takes its time.
    late = [(each, each.fetch()) for each in asked[1:]]
    asked[0].continue_()
    expect(off).to_be_visible()
    for route, answer in late:
        route.fulfill(response=answer)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert off.is_visible()
    holding = False
    for route in asked[1 + len(late) :]:
        route.continue_()
    expect(off).to_be_enabled()
    assert window.faults == []


def test_where_the_two_differ_the_page_says_so_and_why(opens: Opens, home: Path, server: RunningServer) -> None:
    pytest.importorskip("tenseal")
    device, email = CommandLine(home, "laptop"), fresh_email()
    device.run(*("register", "--server", server.url, "--email", email, "--device-name", "laptop", "--custody", "uce"))
    device.run("write", "-", stdin=b"One two three four.")
    synced(device)
    window = opens(device)
    page = window.page
    window.go("numbers")
    page.get_by_role("button", name="Let the server add them up").click()
    sides = page.get_by_role("row", name="words an entry").get_by_role("cell")
    expect(sides).to_have_text(["4 of 1 value", "4 of 1 value"])
    why = page.locator(".sums p.dim").last
    expect(why).to_contain_text("Both come to the same.")
    # A client without the SDK, which counts nothing.
    with httpx.Client(base_url=f"{server.url}/api/v1") as thin:
        tokens = thin.post("/auth/login", json={"email": email, "password": PASSWORD}).raise_for_status().json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        thin.post("/entries", json={"content": "One two three four five six."}, headers=bearer).raise_for_status()
    expect(sides).to_have_text(["4 of 1 value", "5 of 2 values"])
    expect(why).to_contain_text("The two differ. The server’s sums hold what every one of your devices sent")
    expect(why).to_contain_text("where an entry was written by a program that counts nothing")
    assert axe_finds(page) == []
    assert window.faults == []


def test_without_an_account_a_sentence_says_that_no_server_adds_anything_up(opens: Opens, home: Path) -> None:
    device = CommandLine(home, "default")
    device.run("write", "-", stdin=b"Alone.")
    window = opens(device)
    window.go("numbers")
    expect(window.page.get_by_text("no server adds anything up")).to_be_visible()
    expect(window.page.locator(".figures")).to_contain_text("1")

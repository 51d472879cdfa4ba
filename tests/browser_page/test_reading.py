"""Reading in the local page, and what its screens are like for everybody."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.chromium import chromium
from tests.support.command_line import CommandLine
from tests.support.journal_page import AppProcess, Window, axe_finds, open_window

DAYS = 600
SCREENS = (
    "",
    "search",
    "calendar/2026",
    "today",
    "numbers",
    "account",
    "account/login",
    "account/register",
    "account/tags",
    "account/seen",
    "import",
    "inbox",
    "deleted",
    "write",
)


@pytest.fixture(scope="module")
def device(device: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A device with entries of six hundred days."""
    path = tmp_path_factory.mktemp("journal") / "entries.jsonl"
    last = date(2026, 11, 20)
    path.write_text(
        "\n".join(
            json.dumps(
                {
                    "date": f"{last - timedelta(days=n)}T08:{n % 60:02}:00+00:00",
                    "title": f"Day {n}",
                    "body": f"What was on day {n}.",
                    "mood": "calm",
                    "tags": ["walks"],
                }
            )
            for n in range(DAYS)
        )
    )
    device.run("import", str(path), "--from", "jsonl")
    return device


def test_six_hundred_days_scroll_as_one_page_of_few_rows(window: Window) -> None:
    page = window.page
    window.go("")
    expect(page.get_by_text(f"{DAYS} entries")).to_be_visible()
    expect(page.get_by_role("link", name="Day 0", exact=True)).to_be_visible()
    page.wait_for_function("document.body.scrollHeight > 70000")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.get_by_role("link", name=f"Day {DAYS - 1}", exact=True)).to_be_visible()
    assert page.locator(".entry-row").count() < 40


def test_the_way_back_from_an_entry_leads_to_the_place_one_came_from(window: Window) -> None:
    page = window.page
    window.go("")
    page.evaluate("scrollTo(0, 20000)")
    link = page.locator(".entry-link").nth(12)
    name = link.inner_text()
    link.click()
    expect(page.locator(".reading h1")).to_have_text(name)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_in_viewport()


def test_whoever_goes_to_the_search_types_at_once(window: Window) -> None:
    page = window.page
    window.go("")
    expect(page.locator(".entry-row").first).to_be_visible()
    page.locator("h1").first.focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Search the journal")).to_be_focused()
    page.keyboard.type("day 7")
    expect(page.locator(".entry-row mark").first).to_be_visible()
    window.go("")


def test_a_deleted_entry_is_restored_from_the_sentence_that_says_so(window: Window) -> None:
    page = window.page
    window.write("Deleted in a moment.", title="Short-lived")
    window.done()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Restore").click()
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("link", name="Short-lived")).to_be_visible()


def test_who_only_reads_is_there_and_a_page_that_nobody_looks_at_is_not(window: Window, device: CommandLine) -> None:
    window.go("")
    page = window.page.context.new_page()
    page.clock.install()
    page.goto(window.page.url)
    expect(page.locator(".entry-row").first).to_be_visible()
    page.clock.fast_forward(60_000)
    with page.expect_request("**/entries/find") as asked:
        device.run("write", "-", "--title", "From the command line", stdin=b"While nobody looks.")
    assert int(asked.value.headers["x-idle"]) >= 60
    expect(page.get_by_text("From the command line").first).to_be_visible()
    with page.expect_request("**/present") as told:
        # What the page asks by itself after that tells for how long nobody was there: once is not always enough.
        for _ in range(5):
            page.clock.fast_forward(60_000)
            page.mouse.wheel(0, 200)
    assert told.value.headers["x-idle"] == "0"
    page.close()


def test_on_paper_an_entry_is_its_text_without_what_one_clicks(window: Window) -> None:
    page = window.page
    window.go("")
    page.get_by_role("link", name="Day 0", exact=True).click()
    expect(page.locator(".rendered")).to_have_text("What was on day 0.")
    chrome = (".rail", ".reading .bar")
    page.emulate_media(color_scheme="dark")
    for part in chrome:
        expect(page.locator(part).first).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    try:
        for part in (*chrome, ".skip", ".notice", "main button"):
            expect(page.locator(part).filter(visible=True)).to_have_count(0)
        expect(page.locator(".reading h1")).to_be_visible()
        expect(page.locator(".rendered")).to_be_visible()
        expect(page.locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")
        expect(page.locator(".rendered")).to_have_css("color", "rgb(0, 0, 0)")
    finally:
        page.emulate_media(media="screen")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_screen(
    browser: Browser, served: AppProcess, shared_window: Window, theme: str
) -> None:
    page = shared_window.page
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    found = {}
    for screen in SCREENS:
        shared_window.go(screen)
        expect(page.locator("h1").first).to_be_attached()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        found[screen] = axe_finds(page)
    shared_window.go("")
    page.locator(".entry-link").first.click()
    expect(page.locator(".rendered")).to_be_visible()
    found["entry"] = axe_finds(page)
    page.keyboard.press("?")
    found["keys"] = axe_finds(page)
    page.keyboard.press("Escape")
    assert {screen: finds for screen, finds in found.items() if finds} == {}


def test_at_phone_width_no_screen_is_wider_than_the_phone(shared_window: Window) -> None:
    page = shared_window.page
    page.set_viewport_size({"width": 360, "height": 740})
    try:
        for screen in SCREENS:
            shared_window.go(screen)
            expect(page.locator("h1").first).to_be_attached()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screen
    finally:
        page.set_viewport_size({"width": 1280, "height": 720})


CANARY = "zirkonwalfischlaterne"


def test_nothing_of_a_journal_is_on_disk_in_the_browsers_own_folder(
    browser: Browser, served: AppProcess, tmp_path: Path
) -> None:
    # The program that runs already says how a further browser gets in.
    again = AppProcess(served.device)
    kept = browser.browser_type.launch_persistent_context(
        tmp_path / "browser", executable_path=chromium(), args=["--no-sandbox"], locale="en-GB"
    )
    window = open_window(kept, again.start())
    window.write(f"A {CANARY} in the text.", title=f"A {CANARY} in the title")
    window.page.get_by_label("Add a tag").fill(CANARY)
    window.page.keyboard.press("Enter")
    window.done()
    window.go("search")
    window.page.get_by_label("Search the journal").fill(CANARY)
    expect(window.page.locator(".entry-row mark").first).to_be_visible()
    window.page.reload()
    expect(window.page.locator("h1").first).to_be_attached()
    kept.close()
    again.stop()
    forms = (CANARY.encode(), CANARY.encode("utf-16-le"))
    files = [path for path in (tmp_path / "browser").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if any(form in path.read_bytes() for form in forms)] == []

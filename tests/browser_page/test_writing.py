"""Writing in the local page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.command_line import CommandLine
from tests.support.journal_page import AppProcess, Window, give_file
from tests.support.photos import photo


def test_an_entry_is_written_read_found_and_edited(window: Window, device: CommandLine) -> None:
    page = window.page
    window.write("Walked to the **river** before breakfast.", title="The river")
    page.get_by_label("Add a tag").fill("walks")
    page.keyboard.press("Enter")
    window.done()
    expect(page.locator(".reading h1")).to_have_text("The river")
    expect(page.locator(".rendered strong")).to_have_text("river")

    window.go("search")
    page.get_by_label("Search the journal").fill("breakf")
    page.get_by_label("Search the journal").fill("breakfast")
    expect(page.locator(".entry-row mark")).to_have_text("breakfast")
    page.get_by_role("link", name="The river").click()
    page.get_by_role("button", name="Edit").click()
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" A heron stood there.")
    window.done()
    expect(page.locator(".rendered")).to_contain_text("breakfast. A heron stood there.")

    [entry] = device.run("--json", "search", "heron").values()
    assert entry["title"] == "The river"
    assert entry["tags"] == ["walks"]


def test_marks_look_as_they_will_be_read_while_one_types(window: Window) -> None:
    page = window.page
    window.write("# Morning\nSome *slow* and **loud** words, [here](https://example.org).\n\n- tea\nbread\n")
    expect(page.locator(".md-h1").last).to_have_text("Morning")
    expect(page.locator(".md-em").nth(1)).to_have_text("slow")
    expect(page.locator(".md-link")).to_have_text("here")
    # The next item of a list comes by itself.
    expect(page.locator(".md-line-list")).to_have_count(3)
    window.done()


def test_text_from_right_to_left_runs_from_the_right(window: Window) -> None:
    window.write("שלום עולם\nand back")
    lines = window.page.locator(".cm-line")
    assert lines.nth(0).evaluate("line => getComputedStyle(line).direction") == "rtl"
    assert lines.nth(1).evaluate("line => getComputedStyle(line).direction") == "ltr"
    window.done()


def test_everything_is_done_with_keys_alone(window: Window) -> None:
    page = window.page
    window.go("")
    page.locator("h1").first.focus()
    page.keyboard.press("n")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("By keys alone.")
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".reading h1")).to_have_text("Keys")
    page.keyboard.press("e")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".reading h1")).to_have_text("Keys")
    page.keyboard.press("Escape")
    expect(page.locator(".timeline")).to_be_attached()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".reading")).to_be_attached()
    page.keyboard.press("c")
    expect(page.locator(".calendar")).to_be_attached()


def test_pictures_come_in_by_drop_and_by_paste_and_stand_where_one_wrote(window: Window, device: CommandLine) -> None:
    page = window.page
    window.write("Before. ", title="With pictures")
    give_file(page, "dropped river.png", photo("png"), to=".cm-content", media_type="image/png")
    expect(page.locator(".file .thumb")).to_have_count(1)
    expect(page.locator(".cm-content")).to_contain_text("attachment:dropped%20river.png")
    give_file(page, "image.png", photo("png", frames=2), to=".cm-content", by="paste", media_type="image/png")
    expect(page.locator(".file .thumb")).to_have_count(2)
    expect(page.locator(".cm-content")).to_contain_text("attachment:image.png")
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" After.")
    window.done()
    pictures = page.locator(".rendered img.attached")
    expect(pictures).to_have_count(2)
    for n in range(2):
        expect(pictures.nth(n)).to_have_js_property("complete", True)
        assert pictures.nth(n).evaluate("image => image.naturalWidth") > 0
    expect(page.locator(".rendered")).to_contain_text("After.")
    entry = page.evaluate("location.hash.split('/').pop()")
    assert [each["name"] for each in device.run("--json", "show", entry).value()["attachments"]] == [
        "dropped river.png",
        "image.png",
    ]


def test_what_an_input_method_composes_stands_in_the_text_once(window: Window, device: CommandLine) -> None:
    page = window.page
    window.write("**")
    browser = page.context.new_cdp_session(page)
    for so_far in ("に", "にほ", "にほん", "日本"):
        browser.send(
            "Input.imeSetComposition",
            {"text": so_far, "selectionStart": len(so_far), "selectionEnd": len(so_far)},
        )
        expect(page.locator(".cm-content")).to_contain_text(so_far)
    browser.send("Input.insertText", {"text": "日本"})
    page.keyboard.type("** is where ")
    browser.send("Input.imeSetComposition", {"text": "が", "selectionStart": 1, "selectionEnd": 1})
    browser.send("Input.imeSetComposition", {"text": "", "selectionStart": 0, "selectionEnd": 0})
    page.keyboard.type("we were.")
    browser.detach()
    window.done()
    expect(page.locator(".rendered")).to_have_text("日本 is where we were.")
    expect(page.locator(".rendered strong")).to_have_text("日本")
    saved = [each["body"] for each in device.run("--json", "list", "--all").values() if "日本" in each["body"]]
    assert saved == ["**日本** is where we were."]


def test_an_edit_elsewhere_while_one_writes_is_merged_and_told(window: Window, device: CommandLine) -> None:
    page = window.page
    window.write("First paragraph.\n\nSecond paragraph.\n\nThird paragraph.", title="Merging")
    window.done()
    entry = page.evaluate("location.hash.split('/').pop()")
    page.get_by_role("button", name="Edit").click()
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" And more.")
    device.run("edit", entry, "-", stdin=b"First paragraph, changed.\n\nSecond paragraph.\n\nThird paragraph.")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.locator(".rendered")).to_contain_text("First paragraph, changed.")
    expect(page.locator(".rendered")).to_contain_text("Third paragraph. And more.")


def test_two_tabs_agree(window: Window) -> None:
    window.go("")
    other = window.page.context.new_page()
    other.goto(window.page.url)
    expect(other.locator(".timeline h1")).to_be_attached()
    window.write("Written in the first tab.", title="Seen in both tabs")
    window.done()
    expect(other.get_by_role("link", name="Seen in both tabs")).to_be_visible()
    other.close()


def test_a_hostile_entry_runs_nothing_and_fetches_nothing(window: Window, device: CommandLine) -> None:
    page = window.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>[go](javascript:alert(3)) ![far](https://example.org/spy.png)"
    title = "<img src=x onerror=alert(4)>"
    device.run(
        "write",
        "-",
        "--title",
        title,
        "--mood",
        "<b onclick=alert(5)>",
        "--tag",
        "<svg onload=alert(6)>",
        stdin=attack.encode(),
    )
    window.go("")
    page.get_by_role("link", name=title).click()
    expect(page.locator(".reading h1")).to_have_text(title)
    page.get_by_role("button", name="Edit").click()
    expect(page.locator(".cm-content")).to_contain_text("alert(2)")
    window.done()
    assert [url for url in asked if not re.match(r"http://127\.0\.0\.1:", url)] == []


def test_what_was_typed_outlives_the_death_of_the_program(
    browser: object, served: AppProcess, shared_window: Window
) -> None:
    page = shared_window.page
    shared_window.write("Written just before the end.")
    expect(page.locator(".saving")).to_have_text("Draft kept")
    served.kill()
    page.keyboard.type(" And a little after it.")
    expect(page.get_by_role("alert")).to_contain_text("Your text stays here")
    expect(page.locator(".cm-content")).to_contain_text("And a little after it.")

    page.goto(served.start())
    expect(page.locator(".timeline")).to_be_attached()
    page.get_by_role("link", name="draft").click()
    page.get_by_role("link", name="Without a title").click()
    expect(page.locator(".cm-content")).to_contain_text("Written just before the end.")
    shared_window.done()
    expect(page.locator(".rendered")).to_contain_text("Written just before the end.")

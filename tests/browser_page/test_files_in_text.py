"""Files given to the page while one writes: they stand in the text where they were dropped or pasted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.journal_page import Window, drop_files, give_file, place_of
from tests.support.photos import photo


@contextmanager
def held_uploads(page: Page) -> Iterator[list[Route]]:
    """Keep uploads on their way until the test lets each go."""
    held: list[Route] = []
    page.route("**/attachments", lambda route: held.append(route))  # noqa: PLW0108  (it is given attributes)
    yield held
    page.unroute("**/attachments")


def _lines(page: Page) -> list[str]:
    return [line.strip("\n") for line in page.locator(".cm-line").all_inner_texts()]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two pictures on disk."""
    paths = [tmp_path / "river.png", tmp_path / "heron (1).png"]
    for number, path in enumerate(paths):
        path.write_bytes(photo("PNG", frames=number + 1))
    return paths


def test_pictures_stand_where_they_were_dropped_whatever_is_typed_meanwhile(
    window: Window, pictures: list[Path]
) -> None:
    page = window.page
    window.write("First we walked. Then we rested.\n\nIn the evening it rained.")
    with held_uploads(page) as held:
        with page.expect_request("**/attachments"):
            drop_files(page, pictures, at=place_of(page, "Then"))
        expect(page.locator(".md-arriving")).to_have_text(["river.png …", "heron (1).png …"])
        page.keyboard.type(" For hours.")
        page.keyboard.press("Control+Home")
        page.keyboard.type("In May. ")
        with page.expect_request("**/attachments"):
            held[0].continue_()
        expect(page.locator(".md-arriving")).to_have_text(["heron (1).png …"])
        held[1].continue_()
        expect(page.locator(".md-arriving")).to_have_count(0)
        page.keyboard.type("Really. ")
    assert _lines(page) == [
        "In May. Really. First we walked.",
        "",
        "![](attachment:river.png)",
        "",
        "![](attachment:heron%20%281%29.png)",
        "",
        "Then we rested.",
        "",
        "In the evening it rained. For hours.",
    ]
    window.done()
    expect(page.locator(".rendered img.attached")).to_have_count(2)
    expect(page.locator(".rendered p").nth(0)).to_have_text("In May. Really. First we walked.")
    expect(page.locator(".rendered p").last).to_have_text("In the evening it rained. For hours.")


def test_a_pasted_picture_stands_where_the_cursor_was_and_one_undoes_it_alone(window: Window) -> None:
    page = window.page
    window.write("Before. ")
    with held_uploads(page) as held:
        with page.expect_request("**/attachments"):
            give_file(page, "image.png", photo("PNG"), to=".cm-content", by="paste", media_type="image/png")
        expect(page.locator(".md-arriving")).to_be_visible()
        page.keyboard.type("After, typed at once.")
        held[-1].continue_()
        expect(page.locator(".md-arriving")).to_have_count(0)
    arrived = ["Before.", "", "![](attachment:image.png)", "", "After, typed at once."]
    assert _lines(page) == arrived
    page.keyboard.type(" And on.")
    page.keyboard.press("Control+z")
    assert _lines(page) == arrived
    page.keyboard.press("Control+z")
    assert _lines(page) == ["Before. After, typed at once."]
    window.done()


def test_a_file_that_is_no_picture_becomes_a_link_in_its_line(window: Window, tmp_path: Path) -> None:
    page = window.page
    (tmp_path / "notes [old].txt").write_text("Kept.")
    window.write("See what I wrote then.")
    drop_files(page, [tmp_path / "notes [old].txt"], at=place_of(page, "what"))
    expect(page.locator(".cm-content")).to_contain_text(r"notes \[old\].txt")
    window.done()
    expect(page.locator(".rendered")).to_have_text("See notes [old].txt what I wrote then.")
    expect(page.get_by_role("link", name="notes [old].txt")).to_be_visible()


def test_what_arrives_after_its_writer_left_is_in_the_text_too(window: Window, pictures: list[Path]) -> None:
    page = window.page
    window.write("Above.\n\nBelow.")
    with held_uploads(page) as held:
        with page.expect_request("**/attachments"):
            drop_files(page, pictures[:1], at=place_of(page, "Below"))
        window.go("")
        expect(page.get_by_role("link", name="Above. Below.")).to_be_visible()
        held[-1].continue_()
        page.get_by_role("link", name="Above. Below.").click()
        expect(page.locator(".rendered img.attached")).to_have_count(1)
    texts = page.locator(".rendered p").all_inner_texts()
    assert [text.strip() for text in texts] == ["Above.", "", "Below."]

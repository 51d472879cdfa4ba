"""The account's screen in the local page, in a browser: what a person does there, with keys and without faults."""

from __future__ import annotations

import re

import pyotp
from playwright.sync_api import Page, expect

from tests.support.command_line import PASSWORD
from tests.support.journal_page import Window, axe_finds

PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 800}


def is_sound(page: Page) -> None:
    """See that the screen is accessible in both themes, and scrolls sideways at no width."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert axe_finds(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_finds(page) == []
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def test_an_app_is_added_asked_for_and_removed(window: Window) -> None:
    page = window.page
    window.go("account")
    card = page.locator("section.card").filter(has=page.get_by_role("heading", name="Second factors"))
    expect(card).to_contain_text("The password alone lets in.")
    expect(card).to_contain_text("lockleaf factors add passkey")
    card.get_by_role("button", name="Add an app").press("Enter")
    card.get_by_label("What you call it").fill("phone")
    card.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(card.get_by_role("img", name="The secret of the app as a QR code")).to_be_visible()
    is_sound(page)
    app = pyotp.TOTP(re.sub(r"\s", "", card.locator("code.wrapping").inner_text()))
    wrong = next(each for each in ("000000", "111111", "222222") if not app.verify(each, valid_window=3))
    field = card.get_by_label("The six digits that the app shows now")
    field.fill(wrong)
    page.keyboard.press("Enter")
    expect(card.get_by_role("alert")).to_contain_text("That is not what the app shows.")
    field.fill(app.now())
    page.keyboard.press("Enter")
    expect(page.locator(".code-list li")).to_have_count(10)
    expect(page.get_by_role("heading", name="Your factor codes")).to_be_visible()
    is_sound(page)
    codes = page.locator(".code-list code").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(card).to_contain_text("10 factor codes left.")

    card.get_by_role("button", name="Remove phone").click()
    expect(card.get_by_text("the password alone lets in")).to_be_visible()
    card.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(card.get_by_label("Code of the second factor")).to_be_focused()
    is_sound(page)
    page.keyboard.type(codes[0])
    page.keyboard.press("Enter")
    expect(card).to_contain_text("The password alone lets in.")

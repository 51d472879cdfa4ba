"""The account's screen in the local page, in a browser: what a person does there, with keys and without faults."""

from __future__ import annotations

import re
from pathlib import Path

import pyotp
from playwright.sync_api import expect

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, is_sound, profile
from tests.support.process import RunningServer


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


def test_a_lost_device_a_lost_password_and_the_end(opens: Opens, home: Path, server: RunningServer) -> None:
    email, other = fresh_email(), "quite another heron over the dyke"
    laptop = profile(home, server.url, email)
    laptop.run("write", "of the account")
    laptop.run("sync")
    window = opens(laptop)
    page = window.page
    window.go("account")
    page.get_by_role("button", name="Lost a device").press("Enter")
    expect(page.get_by_text("Your other devices are signed out: log in again there.")).to_be_visible()
    is_sound(page)
    page.get_by_label("Password now").fill(PASSWORD)
    page.get_by_label("New password").fill(other)
    page.get_by_label("The same again").fill(other)
    page.keyboard.press("Enter")
    expect(page.locator(".code-list li")).to_have_count(10)
    codes = page.locator(".code-list code").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()

    phone = CommandLine(home, "phone", laptop.environment)
    phone.run("write", "of the phone")
    joined = opens(phone)
    joined.go("account/login")
    their = joined.page
    their.get_by_role("button", name="With a recovery code").press("Enter")
    expect(their.get_by_text("What you have written here (1 entry) joins the account's journal.")).to_be_visible()
    is_sound(their)
    their.get_by_role("textbox", name="Server").fill(server.url)
    their.get_by_label("Email, or a name").fill(email)
    their.get_by_role("textbox", name="Recovery code").fill(codes[0].lower())
    their.get_by_role("textbox", name="New password").fill(PASSWORD)
    their.get_by_label("The same again").fill(PASSWORD)
    their.keyboard.press("Enter")
    expect(their.get_by_role("link", name="of the account")).to_be_visible()
    expect(their.get_by_role("link", name="of the phone")).to_be_visible()

    joined.go("account")
    their.get_by_role("button", name="Delete the account").press("Enter")
    expect(their.get_by_text("2 entries with their tags and earlier versions")).to_be_visible()
    is_sound(their)
    their.get_by_label("Password", exact=True).fill(PASSWORD)
    their.keyboard.press("Enter")
    expect(their.get_by_text("The account is deleted at the server")).to_be_visible()
    is_sound(their)
    joined.go("")
    expect(their.get_by_role("link", name="of the phone")).to_be_visible()
    assert window.faults == joined.faults == []

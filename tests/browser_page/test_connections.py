"""Social networks in the local page: connected, read, published to just as it was shown, and left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.command_line import CommandLine, fresh_email
from tests.support.journal_page import Opens, Window, is_sound, profile
from tests.support.photos import photo
from tests.support.reached_networks import Reached, reached_networks


@pytest.fixture(scope="module")
def reached(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    """A server that reaches both networks."""
    with reached_networks(server_environment, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def grace(opens: Opens, home: Path, reached: Reached) -> tuple[Window, CommandLine]:
    """A window on the journal of somebody who has an account there."""
    device = profile(home, reached.server.url, fresh_email())
    return opens(device), device


def test_a_network_is_connected_published_to_as_it_was_shown_and_left(
    grace: tuple[Window, CommandLine], reached: Reached, tmp_path: Path
) -> None:
    (window, device), instance = grace, reached.instance
    page = window.page
    window.go("account")
    page.get_by_role("link", name="Connections").press("Enter")
    expect(page.get_by_text("No network is connected.")).to_be_visible()
    is_sound(page)
    page.get_by_label("Your instance").fill("http://10.0.0.1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("instance")
    page.get_by_label("Your instance").fill(instance.url)
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name=f"Allow it at {instance.host}")
    expect(link).to_be_focused()
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    is_sound(page)
    address = link.get_attribute("href")
    assert address is not None
    field = page.get_by_label("The code, or the address")
    field.fill("https://somewhere.example/?error=access_denied")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "This address has no code: perhaps you did not allow it. Begin again."
    )
    field.fill(f"https://somewhere.example/?code={instance.allow(address)}")
    page.keyboard.press("Enter")
    expect(page.locator(".connection")).to_contain_text(f"@ada@{instance.host}")
    expect(page.locator(".connection")).to_contain_text("Mastodon, not looked at yet")
    is_sound(page)

    instance.write("The sea at noon.")
    page.get_by_role("button", name="Fetch posts").click()
    expect(page.get_by_text("1 post came into the inbox.")).to_be_visible()
    expect(page.get_by_role("link", name="Inbox 1")).to_be_visible()

    entry_id = device.run("write", "--json", "--title", "At sea", stdin=b"Said to <the> world.").value()["id"]
    for name, data in (("sea.png", photo("PNG")), ("notes.txt", b"not to be seen")):
        (tmp_path / name).write_bytes(data)
        device.run("attach", entry_id, str(tmp_path / name))
    window.go(f"entry/{entry_id}")
    page.get_by_role("link", name="Publish").click()
    expect(page.locator("blockquote")).to_have_text("At sea\n\nSaid to <the> world.")
    expect(page.get_by_text("Networks take no such file: notes.txt.")).to_be_visible()
    page.get_by_label("sea.png").check()
    expect(page.get_by_text("What a camera wrote into the pictures is removed.")).to_be_visible()
    expect(page.locator(".going-out li")).to_contain_text("sea.png, ")
    is_sound(page)
    page.get_by_label("Who can see it").select_option("unlisted")
    page.get_by_role("button", name="Publish on Mastodon").press("Enter")
    expect(page.get_by_role("heading", name="Published", exact=True)).to_be_visible()
    is_sound(page)
    status = instance.statuses[-1]
    assert (status.text, status.visibility, len(status.media)) == ("At sea\n\nSaid to <the> world.", "unlisted", 1)
    assert b"Canary" not in instance.pictures[status.media[0]][1]
    assert page.get_by_role("link", name="See it there").get_attribute("href") == f"{instance.url}/@ada/{status.id}"

    window.go("account/connections")
    page.get_by_role("button", name="Disconnect").click()
    is_sound(page)
    page.get_by_role("button", name="Disconnect it").click()
    expect(page.get_by_text("No network is connected.")).to_be_visible()
    assert instance.tokens == {}
    window.go(f"entry/{entry_id}/publish")
    expect(page.get_by_role("heading", name="No network is connected")).to_be_visible()
    is_sound(page)


def test_a_journal_without_an_account_is_told_the_way_to_one(opens: Opens, home: Path) -> None:
    window = opens(CommandLine(home, "default"))
    page = window.page
    window.go("account/connections")
    expect(page.get_by_role("heading", name="Connections need an account")).to_be_visible()
    is_sound(page)
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_label("Email, or a name")).to_be_visible()
    assert window.faults == []

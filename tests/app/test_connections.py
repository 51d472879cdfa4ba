"""Social networks in the page: connected, shown, read, published to just as it was shown, and left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import PASSWORD, fresh_email
from tests.support.connected import PNG
from tests.support.local_page import Page, page_of
from tests.support.photos import photo
from tests.support.process import RunningServer
from tests.support.reached_networks import Reached, reached_networks


@pytest.fixture(scope="module")
def reached(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    """A server that reaches both networks."""
    with reached_networks(server_environment, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
async def grace(tmp_path: Path, reached: Reached) -> AsyncIterator[Page]:
    """The page of somebody who has an account there."""
    async with page_of(tmp_path) as page:
        await register(page, reached.server)
        yield page


async def register(page: Page, server: RunningServer) -> None:
    await page.post("/account/register", {"server": server.url, "name": fresh_email(), "password": PASSWORD})


async def connect(page: Page, place: Any, **asked: str) -> dict[str, Any]:
    """Connect, as its user in a browser, who pastes the address that the network sent them to."""
    begun = await page.post("/connections", asked)
    assert begun["host"] == place.host
    code = place.allow(begun["address"])
    made: dict[str, Any] = await page.post(
        "/connections/finish", {"code": f" https://somewhere.example/?code={code}\n"}
    )
    return made


async def refused(page: Page, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """The status and the code with which something is refused."""
    answer = await page.ask("POST", path, body)
    assert answer.status_code >= 400, answer.text
    assert "lockleaf connect" not in answer.text  # the page has no command line
    return answer.status_code, answer.json()["code"]


async def attached(page: Page, entry: dict[str, Any], name: str, data: bytes, media_type: str) -> str:
    headers = {"X-File-Name": name, "Content-Type": media_type}
    answer = await page.ask("POST", f"/entries/{entry['id']}/attachments", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_network_is_connected_asked_for_posts_and_left(grace: Page, reached: Reached) -> None:
    instance = reached.instance
    assert (await grace.get("/connections"))["connections"] == []
    made = await connect(grace, instance, network="mastodon", instance=instance.url)
    listed = await grace.get("/connections")
    assert listed["connections"] == [made]
    assert (made["network"], made["connected"], made["trouble"]) == ("mastodon", True, None)
    assert (made["name"], made["visibilities"][:2]) == (f"@ada@{instance.host}", ["public", "unlisted"])
    instance.write("The sea at noon.")
    done = await grace.post(f"/connections/{made['id']}/pull")
    assert (done["added"] >= 1, done["complete"]) == (True, True)
    await inbox_has(grace, "The sea at noon.")
    left = await grace.ask("DELETE", f"/connections/{made['id']}")
    assert left.json() == {"connections": []}
    assert await refused(grace, f"/connections/{made['id']}/pull", {}) == (404, "not_found")


async def inbox_has(page: Page, body: str) -> None:
    """Wait until a sync brought it."""
    while body not in {each["body"] for each in (await page.get("/inbox"))["items"]}:
        await asyncio.sleep(0.05)


async def test_what_goes_out_is_what_was_shown_and_goes_once(grace: Page, reached: Reached) -> None:
    instance = reached.instance
    made = await connect(grace, instance, network="mastodon", instance=instance.url)
    written = await grace.write("Said to the world.", title="At sea")
    taken = photo("PNG")
    sea = await attached(grace, written, "sea.png", taken, "image/png")
    other = await attached(grace, written, "other.png", taken, "image/png")
    await attached(grace, written, "notes.txt", b"not to be seen", "text/plain")
    path = f"/entries/{written['id']}"
    nothing = await grace.post(f"{path}/publication")
    assert [each["taken"] for each in nothing["pictures"]] == [False, False]
    shown = await grace.post(f"{path}/publication", {"pictures": [sea]})
    assert shown["text"] == "At sea\n\nSaid to the world."
    assert [(each["name"], each["taken"]) for each in shown["pictures"]] == [("sea.png", True), ("other.png", False)]
    assert shown["others"] == ["notes.txt"]
    assert instance.statuses == [] or instance.statuses[-1].text != shown["text"]
    wanted = {"connection_id": made["id"], "version": shown["version"], "pictures": [sea], "visibility": "unlisted"}
    done = await grace.post(f"{path}/publish", wanted)
    assert (done["status"], done["url"].startswith(instance.url)) == ("published", True)
    status = instance.statuses[-1]
    assert (status.text, status.visibility) == (shown["text"], "unlisted")
    [picture] = [instance.pictures[each][1] for each in status.media]
    assert len(picture) == next(each["size"] for each in shown["pictures"] if each["id"] == sea)
    assert (b"Canary" in taken, b"Canary" in picture) == (True, False)
    again = await grace.post(f"{path}/publish", {**wanted, "version": (await grace.get(path))["version"]})
    assert (again["url"], [each.text for each in instance.statuses].count(status.text)) == (done["url"], 1)
    assert other not in wanted["pictures"]


async def test_a_lost_answer_is_told_and_the_same_again_finds_what_is_there(grace: Page, reached: Reached) -> None:
    instance = reached.instance
    made = await connect(grace, instance, network="mastodon", instance=instance.url)
    written = await grace.write("Was it heard?")
    path = f"/entries/{written['id']}"
    shown = await grace.post(f"{path}/publication")
    instance.troubles = ["lose"]
    wanted = {"connection_id": made["id"], "version": shown["version"]}
    assert await grace.post(f"{path}/publish", wanted) == {"status": "unknown", "url": None}
    assert [each["unknown"] for each in (await grace.get("/connections"))["connections"]] == [1]
    again = {**wanted, "version": (await grace.get(path))["version"]}
    done = await grace.post(f"{path}/publish", again)
    assert (done["status"], [each.text for each in instance.statuses].count("Was it heard?")) == ("published", 1)


async def test_an_entry_that_changed_since_it_was_shown_is_not_published(grace: Page, reached: Reached) -> None:
    instance = reached.instance
    made = await connect(grace, instance, network="mastodon", instance=instance.url)
    written = await grace.write("As it was shown.")
    path = f"/entries/{written['id']}"
    shown = await grace.post(f"{path}/publication")
    await grace.post(path, {"body": "Rather not.", "base": shown["version"]}, method="PUT")
    before = len(instance.statuses)
    wanted = {"connection_id": made["id"], "version": shown["version"]}
    assert await refused(grace, f"{path}/publish", wanted) == (409, "entry_changed")
    gone = {**wanted, "version": (await grace.get(path))["version"], "pictures": ["none-such"]}
    assert await refused(grace, f"{path}/publish", gone) == (409, "entry_changed")
    empty = await grace.write("", title="")
    assert await refused(grace, f"/entries/{empty['id']}/publication", {}) == (422, "nothing_to_publish")
    assert len(instance.statuses) == before


async def test_a_picture_goes_as_it_is_only_where_that_is_asked_for(grace: Page, reached: Reached) -> None:
    graph = reached.graph
    made = await connect(grace, graph, network="facebook")
    assert [each["name"] for each in made["pages"]][:1] == ["Ada's workshop"]
    written = await grace.write("At sea.")
    path = f"/entries/{written['id']}"
    named = photo("JPEG")
    whole = await attached(grace, written, "named.jpg", named, "image/jpeg")
    damaged = await attached(grace, written, "damaged.png", PNG, "image/png")
    assert await refused(grace, f"{path}/publication", {"pictures": [whole, damaged]}) == (422, "picture_unreadable")
    asked = {"pictures": [whole], "with_metadata": True}
    shown = await grace.post(f"{path}/publication", asked)
    assert shown["pictures"][0]["size"] == len(named)
    wanted = {**asked, "connection_id": made["id"], "version": shown["version"], "page": made["pages"][0]["id"]}
    await grace.post(f"{path}/publish", wanted)
    [post] = graph.fed[made["pages"][0]["id"]]
    assert [graph.photos[each][1] for each in post.photos] == [named]


async def test_each_failure_says_what_to_do(grace: Page, reached: Reached, server: RunningServer) -> None:
    instance = reached.instance
    assert await refused(grace, "/connections/finish", {"code": "123"}) == (409, "nothing_begun")
    bad = {"network": "mastodon", "instance": "http://10.0.0.1"}
    assert await refused(grace, "/connections", bad) == (409, "invalid_instance")
    assert (await refused(grace, "/connections", {"network": "myspace"}))[0] == 422
    await grace.post("/connections", {"network": "mastodon", "instance": instance.url})
    for pasted, code in (
        ("https://somewhere.example/?error=access_denied", "code_missing"),
        ("https://[", "code_missing"),
        ("https://somewhere.example/?code=1&state=another", "other_connection"),
        ("wrong", "authorization_refused"),
    ):
        assert (await refused(grace, "/connections/finish", {"code": pasted}))[1] == code
    made = await connect(grace, instance, network="mastodon", instance=instance.url)
    instance.revoke()
    assert await refused(grace, f"/connections/{made['id']}/pull", {}) == (409, "reconnect_required")
    [listed] = (await grace.get("/connections"))["connections"]
    assert (listed["connected"], "Connect again" in listed["trouble"]) == (False, True)
    written = await grace.write("Not there.")
    shown = await grace.post(f"/entries/{written['id']}/publication")
    wanted = {"connection_id": made["id"], "version": shown["version"]}
    assert await refused(grace, f"/entries/{written['id']}/publish", wanted) == (409, "reconnect_required")
    again = await connect(grace, instance, network="mastodon", instance=instance.url)
    assert (again["id"], again["connected"]) == (made["id"], True)


async def test_a_code_counts_for_what_was_begun_before_the_journal_was_locked(grace: Page, reached: Reached) -> None:
    await grace.post("/connections", {"network": "mastodon", "instance": reached.instance.url})
    await grace.post("/lock")
    await grace.post("/unlock", {"password": PASSWORD})
    assert await refused(grace, "/connections/finish", {"code": "123"}) == (409, "nothing_begun")


async def test_without_an_account_or_with_a_lower_tier_there_is_no_connection(
    tmp_path: Path, server: RunningServer
) -> None:
    async with page_of(tmp_path) as page:
        local = await page.ask("GET", "/connections")
        assert (local.status_code, local.json()["code"]) == (403, "not_logged_in")
        assert "Account" in local.json()["detail"]
        await register(page, server)
        facebook = await page.ask("POST", "/connections", {"network": "facebook"})
        assert (facebook.status_code, facebook.json()["code"]) == (409, "provider_not_configured")
        await page.post("/account/tier", {"tier": "local_only", "password": PASSWORD})
        lower = await page.ask("GET", "/connections")
        assert (lower.status_code, lower.json()["code"]) == (409, "tier_required")
        assert "What leaves this machine" in lower.json()["detail"]

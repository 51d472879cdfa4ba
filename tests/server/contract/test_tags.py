"""``/tags`` as its table has it, in either custody."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.wire.content import MAX_CONTENT_BYTES
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change, register
from tests.support.contract import Contract, shows
from tests.support.diaries import FullClient, thin

TAG = {"id", "name", "color", "created_at", "last_used_at"}


@pytest.fixture
async def ada(contract: Contract) -> Owner:
    """Somebody with an end-to-end encrypted account."""
    return await register(contract.http)


@pytest.fixture
async def uma(contract: Contract) -> Owner:
    """Somebody whose server opens what they wrote, while they ask it to."""
    return await thin(contract.http)


async def listed(owner: Owner) -> list[dict[str, Any]]:
    answer = await owner.request("GET", "/tags")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@shows("POST /tags 201", "POST /tags 200", "GET /tags 200")
async def test_a_tag_is_made_or_there(ada: Owner, uma: Owner) -> None:
    made = await uma.request("POST", "/tags", json={"name": "Sea", "color": "#336699"})
    assert (made.status_code, made.json()["name"], made.json()["color"]) == (201, "Sea", "#336699")
    assert made.json().keys() >= TAG
    there = await uma.request("POST", "/tags", json={"name": "sea"})
    assert (there.status_code, there.json()["id"]) == (200, made.json()["id"])
    for name in ("beach", "Alps"):
        assert (await uma.request("POST", "/tags", json={"name": name})).json()["color"]
    assert [tag["name"] for tag in await listed(uma)] == ["Alps", "beach", "Sea"]
    label = "0f" * 16
    made = await ada.request("POST", "/tags", json={"name": "opaque", "label": label})
    assert (made.status_code, made.json()["id"], made.json()["name"]) == (201, label, "opaque")
    assert (await ada.request("POST", "/tags", json={"name": "opaque again", "label": label})).status_code == 200
    assert [tag["id"] for tag in await listed(ada)] == [label]


@shows("GET /tags 200")
async def test_an_entry_that_names_a_new_tag_makes_it(uma: Owner) -> None:
    await uma.request("POST", "/entries", json={"content": "x", "tags": ["hill"]})
    [tag] = await listed(uma)
    assert (tag["name"], bool(tag["last_used_at"])) == ("hill", True)


@shows(
    "PUT /tags/{tag_id} 200",
    "PUT /tags/{tag_id} 404 not_found",
    "PUT /tags/{tag_id} 409 content_unreadable",
    "DELETE /tags/{tag_id} 204",
    "DELETE /tags/{tag_id} 404 not_found",
)
async def test_a_tag_is_changed_deleted_and_nobody_elses(contract: Contract, ada: Owner, uma: Owner) -> None:
    for owner, other in ((ada, await register(contract.http)), (uma, await thin(contract.http))):
        path = f"/tags/{(await owner.request('POST', '/tags', json={'name': 'sea'})).json()['id']}"
        foreign = [
            problem(await other.request("PUT", path, json={"color": "#000000"}), 404, "not_found"),
            problem(await other.request("DELETE", path), 404, "not_found"),
        ]
        assert await listed(other) == []
        changed = (await owner.request("PUT", path, json={"color": "#123456"})).json()
        assert (changed["name"], changed["color"]) == ("sea", "#123456")
        assert (await owner.request("DELETE", path)).status_code == 204
        assert await listed(owner) == []
        assert foreign == [
            problem(await owner.request("PUT", path, json={"color": "#000000"}), 404, "not_found"),
            problem(await owner.request("DELETE", path), 404, "not_found"),
        ]
    unreadable = change(collection="tags", record_id="0f" * 16)
    await uma.push(unreadable)
    refused = await uma.request("PUT", f"/tags/{'0f' * 16}", json={"color": "#000000"})
    problem(refused, 409, "content_unreadable")


@shows("PUT /tags/{tag_id} 413 payload_too_large")
async def test_a_name_for_which_an_entry_has_no_room_is_refused(uma: Owner) -> None:
    full = await FullClient.of(uma)
    await full.push({"type": "entry", "body": "x" * (MAX_CONTENT_BYTES + 350), "tags": ["sea"]})
    await uma.request("POST", "/tags", json={"name": "sea"})
    refused = await uma.request("PUT", f"/tags/{full.tag_id('sea')}", json={"name": "ocean " * 30})
    problem(refused, 413, "payload_too_large")


@shows("DELETE /tags/cleanup 200")
async def test_tags_that_nothing_has_are_cleaned_up(contract: Contract, ada: Owner, uma: Owner) -> None:
    await uma.request("POST", "/entries", json={"content": "x", "tags": ["used"]})
    for owner in (ada, uma):
        for name in ("one", "two"):
            await owner.request("POST", "/tags", json={"name": name})
        told = (await owner.request("DELETE", "/tags/cleanup", params={"days": 30})).json()
        assert (told["deleted_count"], bool(told["message"])) == (0, True)
        told = (await owner.request("DELETE", "/tags/cleanup", params={"days": 0})).json()
        assert told["deleted_count"] == (2 if owner is ada else 3)
        assert await listed(owner) == []

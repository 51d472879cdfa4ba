"""The door of tags: one record a name, whoever makes it and however it is spelled."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lockleaf.wire.codec import unpack
from lockleaf.wire.content import MAX_CONTENT_BYTES
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.palette import PALETTE, color_of
from tests.support.account_holders import Clocked, problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.diaries import FullClient, thin
from tests.support.feeds import Reader


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    """Somebody whose server makes the labels."""
    return await thin(http)


@pytest.fixture
async def eve(http: httpx.AsyncClient) -> Owner:
    """Somebody whose server can make none."""
    return await register(http)


async def tags(owner: Owner) -> list[dict[str, Any]]:
    answer = await owner.request("GET", "/tags")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def names(owner: Owner) -> list[str]:
    return [tag["name"] for tag in await tags(owner)]


async def made(owner: Owner, **body: Any) -> dict[str, Any]:
    answer = await owner.request("POST", "/tags", json=body)
    assert answer.status_code == 201, answer.text
    tag: dict[str, Any] = answer.json()
    return tag


async def written(owner: Owner, *tags: str) -> str:
    answer = await owner.request("POST", "/entries", json={"content": "text", "tags": list(tags)})
    assert answer.status_code == 201, answer.text
    entry_id: str = answer.json()["id"]
    return entry_id


# ---- uce ----


async def test_a_name_is_one_tag_in_every_spelling(ada: Owner) -> None:
    tag = await made(ada, name=" Café ")
    assert (tag["name"], tag["color"], tag["last_used_at"]) == ("Café", color_of("Café"), None)
    assert tag["color"] in PALETTE
    for spelling in ("Café", "CAFÉ", "cafe\u0301"):
        answer = await ada.request("POST", "/tags", json={"name": spelling, "color": "#ffffff"})
        assert (answer.status_code, answer.json()) == (200, tag)
    assert await tags(ada) == [tag]


async def test_tags_are_listed_by_the_alphabet(ada: Owner) -> None:
    for name in ("zebra", "Apple", "éclair", "apricot", "Zoo"):
        await made(ada, name=name)
    assert await names(ada) == ["Apple", "apricot", "zebra", "Zoo", "éclair"]


async def test_an_entry_that_names_a_new_tag_makes_it_and_none_twice(ada: Owner) -> None:
    chosen = await made(ada, name="river", color="#ABCDEF")
    await written(ada, "River", "walks", "Walks")
    found = {tag["name"]: tag for tag in await tags(ada)}
    assert set(found) == {"river", "walks"}
    assert found["river"]["color"] == chosen["color"] == "#abcdef"
    assert found["walks"]["color"] == color_of("walks")
    before = len(await Reader(ada).read_all())
    await written(ada, "river", "walks")
    assert len(await Reader(ada).read_all()) == before + 1


async def test_full_clients_and_thin_ones_make_the_same_records(ada: Owner) -> None:
    full = await FullClient.of(ada)
    tag = await made(ada, name="Work")
    assert tag["id"] == full.tag_id("work")
    assert (await full.pull())["tags", tag["id"]] == {"type": "tag", "name": "Work", "color": tag["color"]}
    theirs = full.tag_id("Rest")
    rest = {"type": "tag", "name": "Rest", "color": "#0377d2", "icon": "moon"}
    await full.push(rest, collection="tags", record_id=theirs)
    assert [(each["id"], each["color"]) for each in await tags(ada)] == [(theirs, "#0377d2"), (tag["id"], tag["color"])]
    answer = await ada.request("PUT", f"/tags/{theirs}", json={"color": "#D53B4B"})
    assert (answer.status_code, answer.json()["color"]) == (200, "#d53b4b")
    held = (await full.pull())["tags", theirs]
    assert held == {"type": "tag", "name": "Rest", "color": "#d53b4b", "icon": "moon"}


async def test_a_new_name_goes_into_every_entry_that_has_the_tag(ada: Owner) -> None:
    full = await FullClient.of(ada)
    both, one = await written(ada, "job", "river"), await written(ada, "Job")
    other = await written(ada, "river")
    tag = next(tag for tag in await tags(ada) if tag["name"] == "job")
    renamed = (await ada.request("PUT", f"/tags/{tag['id']}", json={"name": "Work"})).json()
    assert (renamed["name"], renamed["id"], renamed["color"]) == ("Work", full.tag_id("work"), tag["color"])
    assert await names(ada) == ["river", "Work"]
    found = {each: (await ada.request("GET", f"/entries/{each}")).json() for each in (both, one, other)}
    assert [found[each]["tags"] for each in (both, one, other)] == [["Work", "river"], ["Work"], ["river"]]
    assert (found[both]["revision"], found[other]["revision"]) == (2, 1)
    items = (await ada.request("GET", "/entries", params={"tag": "work"})).json()["items"]
    assert {item["id"] for item in items} == {both, one}
    assert (await ada.request("GET", "/entries", params={"tag": "job"})).json()["items"] == []
    await Reader(ada, limit=2).read_all()


async def test_another_spelling_keeps_the_tag_and_a_taken_name_joins_two(ada: Owner) -> None:
    entry = await written(ada, "work", "job")
    found = {tag["name"]: tag for tag in await tags(ada)}
    spelled = (await ada.request("PUT", f"/tags/{found['work']['id']}", json={"name": "WORK"})).json()
    assert (spelled["id"], spelled["name"]) == (found["work"]["id"], "WORK")
    joined = (await ada.request("PUT", f"/tags/{found['job']['id']}", json={"name": "work"})).json()
    assert (joined["id"], joined["name"]) == (spelled["id"], "WORK")
    assert await names(ada) == ["WORK"]
    assert (await ada.request("GET", f"/entries/{entry}")).json()["tags"] == ["WORK"]


async def test_a_deleted_tag_is_taken_off_its_entries_and_can_be_made_again(ada: Owner) -> None:
    full = await FullClient.of(ada)
    entry = await written(ada, "job", "river")
    tag = next(tag for tag in await tags(ada) if tag["name"] == "job")
    assert (await ada.request("DELETE", f"/tags/{tag['id']}")).status_code == 204
    assert await names(ada) == ["river"]
    assert (await ada.request("GET", f"/entries/{entry}")).json()["tags"] == ["river"]
    assert (await full.pull())["tags", tag["id"]] == {"type": "deleted"}
    problem(await ada.request("DELETE", f"/tags/{tag['id']}"), 404, "not_found")
    problem(await ada.request("PUT", f"/tags/{tag['id']}", json={"color": "#ffffff"}), 404, "not_found")
    again = await made(ada, name="Job")
    assert (again["id"], again["name"]) == (tag["id"], "Job")
    await ada.request("DELETE", f"/tags/{tag['id']}")
    await written(ada, "job")
    assert await names(ada) == ["job", "river"]


async def test_a_tag_that_is_asked_for_at_once_is_made_once(ada: Owner) -> None:
    answers = await asyncio.gather(*(ada.request("POST", "/tags", json={"name": "Same"}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    entries = [ada.request("POST", "/entries", json={"content": f"{n}", "tags": ["new"]}) for n in range(5)]
    assert {answer.status_code for answer in await asyncio.gather(*entries)} == {201}
    assert await names(ada) == ["new", "Same"]


async def test_unused_tags_are_cleaned_up_and_used_ones_stay(clocked: Clocked) -> None:
    _, http, clock = clocked
    for make in (thin, register):
        owner = await make(http)
        uce = owner.answer["encryption_tier"] == "uce"
        old, used, gone = [await made(owner, name=name) for name in ("old", "used", "gone")]
        old_use = await _use(owner, gone["id"], "gone", uce)
        await _delete(owner, old_use, uce)
        clock.advance(days=40)
        login = {"email": owner.email, "password": owner.password}
        owner.answer = (await http.post("/auth/login", json=login)).json()
        await _use(owner, used["id"], "used", uce)
        recent = await made(owner, name="recent")
        answer = await owner.request("DELETE", "/tags/cleanup", params={"days": 30})
        assert answer.json() == {"message": "2 unused tags were deleted.", "deleted_count": 2}
        assert {tag["id"] for tag in await tags(owner)} == {used["id"], recent["id"]}
        answer = await owner.request("DELETE", "/tags/cleanup", params={"days": 30})
        assert answer.json()["deleted_count"] == 0
        assert old["id"] not in {tag["id"] for tag in await tags(owner)}
        await Reader(owner).read_all()


async def _use(owner: Owner, tag_id: str, name: str, uce: bool) -> Any:
    if uce:
        return await written(owner, name)
    used = change(labels=[bytes.fromhex(tag_id)])
    await owner.push(used)
    return used


async def _delete(owner: Owner, entry: Any, uce: bool) -> None:
    if uce:
        await owner.request("DELETE", f"/entries/{entry}")
    else:
        await owner.push(following(entry, deleted=True, labels=[]))


async def test_when_a_tag_was_last_used_is_when_an_entry_with_it_was_last_written(ada: Owner) -> None:
    entry = await written(ada, "walks")
    [tag] = await tags(ada)
    found = (await ada.request("GET", f"/entries/{entry}")).json()
    assert tag["last_used_at"] == found["updated_at"]
    assert (await ada.request("POST", "/tags", json={"name": "walks"})).json() == tag
    changed = (await ada.request("PUT", f"/entries/{entry}", json={"content": "x", "revision": 2})).json()
    assert (await tags(ada))[0]["last_used_at"] == changed["updated_at"] != tag["last_used_at"]
    await ada.request("DELETE", f"/entries/{entry}")
    assert (await tags(ada))[0]["last_used_at"] is None


# ---- e2e ----


async def test_an_opaque_name_is_kept_as_it_came(eve: Owner) -> None:
    tag = await made(eve, name="c2VhbGVk", color="b3BhcXVl")
    assert (tag["name"], tag["color"]) == ("c2VhbGVk", "b3BhcXVl")
    again = await eve.request("POST", "/tags", json={"name": "c2VhbGVk"})
    assert (again.status_code, again.json()) == (200, tag)
    [record] = (await eve.feed())["changes"]
    assert unpack(record["payload"]) == {"name": "c2VhbGVk", "color": "b3BhcXVl"}
    assert (record["collection"], record["record_id"]) == ("tags", tag["id"])


async def test_a_label_is_the_tag_and_joins_it_to_its_entries(eve: Owner) -> None:
    label = b"\xfb" * 16
    tag = await made(eve, name="one sealing", label=encode_base64(label))
    assert (tag["id"], tag["color"]) == (label.hex(), color_of("one sealing"))
    again = await eve.request("POST", "/tags", json={"name": "another sealing", "label": label.hex()})
    assert (again.status_code, again.json()["name"]) == (200, "one sealing")
    await eve.push(change(labels=[label]))
    assert (await tags(eve))[0]["last_used_at"] is not None


async def test_a_tag_that_a_client_sealed_is_given_as_it_is_and_sorted_by_its_bytes(eve: Owner) -> None:
    payload = sealed()
    await eve.push(change(collection="tags", record_id="a" * 32, payload=payload))
    await made(eve, name="zz")
    await made(eve, name="AA")
    found = await tags(eve)
    assert [tag["name"] for tag in found] == [None, "AA", "zz"]
    assert (found[0]["payload"], found[0]["color"]) == (encode_base64(payload), None)
    answer = await eve.request("PUT", f"/tags/{'a' * 32}", json={"color": "#ffffff"})
    problem(answer, 422, "invalid_request")
    answer = await eve.request("PUT", f"/tags/{'a' * 32}", json={"name": "plain now"})
    assert answer.json()["name"] == "plain now"


async def test_an_opaque_tag_is_changed_and_deleted_without_a_key(eve: Owner) -> None:
    tag = await made(eve, name="one", color="red")
    answer = await eve.request("PUT", f"/tags/{tag['id']}", json={"name": "two"})
    assert (answer.json()["id"], answer.json()["name"], answer.json()["color"]) == (tag["id"], "two", "red")
    assert (await eve.request("DELETE", f"/tags/{tag['id']}")).status_code == 204
    assert await tags(eve) == []
    record = (await eve.feed())["changes"][-1]
    assert (record["deleted"], record["payload"]) == (True, b"")
    await Reader(eve).read_all()


# ---- both ----


async def test_malformed_tags_are_refused(ada: Owner, eve: Owner) -> None:
    for owner, body in (
        (ada, {}),
        (ada, {"name": "  "}),
        (ada, {"name": "x" * 201}),
        (ada, {"name": 7}),
        (ada, {"name": "x", "color": "red"}),
        (eve, {"name": ""}),
        (eve, {"name": "x" * 2049}),
        (eve, {"name": "x", "label": "00"}),
        (eve, {"name": "x", "label": "AAAA"}),
    ):
        problem(await owner.request("POST", "/tags", json=body), 422, "invalid_request")
        assert await tags(owner) == []
    for method, path in (("PUT", "/tags/none"), ("DELETE", "/tags/none"), ("DELETE", "/tags/cleanup?days=-1")):
        options = {"json": {"name": "x"}} if method == "PUT" else {}
        problem(await ada.request(method, path, **options), 422, "invalid_request")
    headers = {"Content-Type": "application/json"}
    problem(await ada.request("POST", "/tags", content=rb'{"name": "\ud800"}', headers=headers), 400, "malformed_body")


async def test_another_users_tag_is_not_there(http: httpx.AsyncClient, ada: Owner, eve: Owner) -> None:
    tag = await made(eve, name="mine")
    for other in (ada, await register(http)):
        assert await tags(other) == []
        for tag_id in (tag["id"], uuid4().hex):
            problem(await other.request("PUT", f"/tags/{tag_id}", json={"name": "x"}), 404, "not_found")
            problem(await other.request("DELETE", f"/tags/{tag_id}"), 404, "not_found")
        await other.request("DELETE", "/tags/cleanup", params={"days": 0})
    assert await names(eve) == ["mine"]


async def test_scope_and_tier_are_asked_for(http: httpx.AsyncClient, eve: Owner) -> None:
    login = {"email": eve.email, "password": eve.password, "scope": "tags:read entries"}
    reader = Owner(http, eve.email, eve.password, (await http.post("/auth/login", json=login)).json())
    assert await tags(reader) == []
    problem(await reader.request("POST", "/tags", json={"name": "x"}), 403, "insufficient_scope")
    problem(await reader.request("DELETE", "/tags/cleanup"), 403, "insufficient_scope")
    lower = await register(http, privacy_tier="analytics_sync")
    problem(await lower.request("GET", "/tags"), 403, "tier_required")


@pytest.mark.parametrize("foreign", [5, "abc", {"a": 1}, ["sea", 7, "", "z" * 300], ["sea", *map(str, range(61))]])
async def test_what_another_program_calls_tags_hinders_nobody(ada: Owner, foreign: Any) -> None:
    full = await FullClient.of(ada)
    entry_id = await full.push({"type": "entry", "body": "text", "tags": foreign})
    changed = await ada.request("PUT", f"/entries/{entry_id}", json={"title": "A title", "revision": 2})
    assert changed.status_code == 200, changed.text
    assert [tag["name"] for tag in await tags(ada)] == sorted(t for t in changed.json()["tags"] if t)
    if not isinstance(foreign, list):
        return
    renamed = await ada.request("PUT", f"/tags/{full.tag_id('sea')}", json={"name": "ocean"})
    assert renamed.status_code == 200, renamed.text
    shown = (await ada.request("GET", f"/entries/{entry_id}")).json()["tags"]
    assert shown == ["ocean", *(tag for tag in foreign[1:] if isinstance(tag, str) and tag)]
    assert (await ada.request("DELETE", f"/tags/{renamed.json()['id']}")).status_code == 204
    assert (await ada.request("GET", f"/entries/{entry_id}")).json()["tags"] == shown[1:]


async def test_an_entry_without_room_for_a_longer_tag_keeps_the_one_it_has(ada: Owner) -> None:
    full = await FullClient.of(ada)
    text = "x" * (MAX_CONTENT_BYTES + 350)  # within the room that is kept for a head
    entry_id = await full.push({"type": "entry", "body": text, "tags": ["sea"]})
    await made(ada, name="sea")
    longer = await ada.request("PUT", f"/tags/{full.tag_id('sea')}", json={"name": "ocean " * 30})
    problem(longer, 413, "payload_too_large")
    assert (await ada.request("GET", f"/entries/{entry_id}")).json()["tags"] == ["sea"]
    assert await names(ada) == ["sea"]

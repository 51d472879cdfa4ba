"""The diary of an end-to-end encrypted account: sealed bytes, compared and kept, never understood."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.events import EventHub
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, register, sealed
from tests.support.diaries import next_body, sealed_body, thin
from tests.support.feeds import Reader


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    return await register(http)


async def made(owner: Owner, **fields: Any) -> dict[str, Any]:
    answer = await owner.request("POST", "/entries", json=sealed_body(**fields))
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def test_an_entry_comes_back_to_the_byte(ada: Owner) -> None:
    body = sealed_body(labels=[b"m" * 16, b"t" * 16], source="mobile", occurred_at="2026-03-14T18:30:00+01:00")
    answer = await ada.request("POST", "/entries", json={**body, "tokens": ["AAAAAAAAAAA="]})
    entry = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    for name in ("id", "payload", "labels", "source", "occurred_at", "parent"):
        assert entry[name] == body[name]
    assert (await ada.request("GET", f"/entries/{body['id']}")).json() == entry


async def test_the_door_and_the_feed_are_of_one_store(ada: Owner) -> None:
    pushed = change(labels=[b"x" * 16], source="cli")
    assert [each["status"] for each in await ada.results(pushed)] == ["applied"]
    found = (await ada.request("GET", f"/entries/{pushed['record_id']}")).json()
    assert (decode_base64(found["payload"]), found["source"]) == (pushed["payload"], "cli")
    entry = await made(ada)
    [record] = [each for each in (await ada.feed())["changes"] if each["record_id"] == entry["id"]]
    assert (record["payload"], record["seq"]) == (decode_base64(entry["payload"]), entry["seq"])
    await ada.request("PUT", f"/entries/{entry['id']}", json=next_body(entry))
    leaves = await Reader(ada).read_all()
    assert [leaf.revision for leaf in leaves if leaf.record_id == entry["id"]] == [1, 2]


async def test_a_change_may_name_its_revision_in_each_way(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    for omitted, named, headers in (
        (None, {}, {}),
        ("base_revision", {"revision": 3}, {}),
        ("base_revision", {}, {"If-Match": '"3"'}),
        ("base_revision", {}, {"If-Match": "*"}),
    ):
        body = {name: value for name, value in (next_body(entry) | named).items() if name != omitted}
        answers = [await ada.request("PUT", path, json=body, headers=headers) for _ in range(2)]
        assert answers[0].status_code == 200, answers[0].text
        entry = answers[0].json()
        if headers.get("If-Match") == "*":  # what it had followed is not said, so nobody can know it again
            problem(answers[1], 422, "change_rejected")
        else:
            assert answers[1].json() == entry
    assert entry["revision"] == 5


async def test_a_change_that_follows_nothing_or_another_revision_is_refused(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    second = (await ada.request("PUT", path, json=next_body(entry))).json()
    without = {name: value for name, value in next_body(second).items() if name != "base_revision"}
    problem(await ada.request("PUT", path, json=without), 428, "revision_required")
    stale = problem(await ada.request("PUT", path, json=next_body(entry)), 409, "revision_conflict")
    assert stale["current_revision"] == 2
    outdated = await ada.request("PUT", path, json=without, headers={"If-Match": '"1"'})
    assert problem(outdated, 412, "precondition_failed")["current_revision"] == 2
    contradicting = await ada.request("PUT", path, json=next_body(second), headers={"If-Match": '"1"'})
    problem(contradicting, 412, "precondition_failed")
    contradicting = await ada.request("PUT", path, json=next_body(second, revision=9))
    problem(contradicting, 409, "revision_conflict")
    wrong_parent = await ada.request("PUT", path, json=next_body(second, parent=b"p" * 32))
    assert problem(wrong_parent, 422, "change_rejected")["reason"] == "parent_mismatch"
    assert (await ada.request("GET", path)).json() == second


@pytest.mark.parametrize("named", [{"revision": 0}, {"revision": 2**62 + 1}, {"base_revision": 2**62}])
async def test_a_revision_that_no_entry_can_have_is_refused(ada: Owner, named: dict[str, int]) -> None:
    entry = await made(ada)
    body = {**next_body(entry, base_revision=None), **named}
    problem(await ada.request("PUT", f"/entries/{entry['id']}", json=body), 422, "invalid_request")


async def test_a_repeated_creation_is_answered_like_the_first_also_when_the_entry_moved_on(ada: Owner) -> None:
    body = sealed_body()
    answers = [await ada.request("POST", "/entries", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    await ada.request("PUT", f"/entries/{body['id']}", json=next_body(answers[0].json()))
    assert (await ada.request("POST", "/entries", json=body)).json() == answers[0].json()
    other = await ada.request("POST", "/entries", json=sealed_body(id=body["id"]))
    assert problem(other, 409, "revision_conflict")["current_revision"] == 2


async def test_of_changes_at_once_one_is_made(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    bodies = [next_body(entry) for _ in range(6)]
    answers = await asyncio.gather(*(ada.request("PUT", path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    bodies = [sealed_body(id=str(uuid4())) for _ in range(2)]
    answers = await asyncio.gather(*(ada.request("POST", "/entries", json=body) for body in bodies * 3))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 2


async def test_deleting_and_restoring_carry_the_sealed_change(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    problem(await ada.request("DELETE", path), 422, "invalid_request")
    tombstone = next_body(entry)
    answers = [await ada.request("DELETE", path, json=tombstone) for _ in range(2)]
    deleted = answers[0].json()
    assert answers[1].json() == deleted
    assert (deleted["payload"], deleted["deleted_at"]) == (tombstone["payload"], deleted["updated_at"])
    problem(await ada.request("PUT", path, json=next_body(deleted)), 409, "entry_deleted")
    problem(await ada.request("DELETE", path, json=next_body(deleted)), 409, "revision_conflict")
    problem(await ada.request("POST", f"{path}/restore"), 422, "invalid_request")
    content = next_body(deleted)
    answers = [await ada.request("POST", f"{path}/restore", json=content) for _ in range(2)]
    restored = answers[0].json()
    assert answers[1].json() == restored
    assert (restored["revision"], restored["deleted_at"], restored["payload"]) == (3, None, content["payload"])
    problem(await ada.request("POST", f"{path}/restore", json=next_body(restored)), 409, "revision_conflict")
    outdated = await ada.request("DELETE", path, json=next_body(restored), headers={"If-Match": '"2"'})
    problem(outdated, 412, "precondition_failed")
    events = (await ada.request("GET", f"{path}/history")).json()["items"]
    assert [event["event"] for event in events] == ["created", "deleted", "restored"]
    past = await ada.request("GET", f"{path}/revisions/1")
    assert past.json() == entry


async def test_plain_filters_are_for_those_whose_labels_the_server_makes(ada: Owner) -> None:
    sealer = await Person().sign_up(ada.http)
    for params in ({"mood": "calm"}, {"source": "web"}, {"tag": "walks"}):
        told = problem(await ada.http.get("/entries", params=params, headers=sealer.headers), 403, "custody_required")
        assert told["required"] == "uce"


async def test_each_custody_has_its_own_bodies(http: httpx.AsyncClient, ada: Owner) -> None:
    problem(await ada.request("POST", "/entries", json={"content": "plain"}), 422, "invalid_request")
    bob = await thin(http)
    problem(await bob.request("POST", "/entries", json=sealed_body()), 422, "invalid_request")


async def test_malformed_bodies_are_refused(ada: Owner) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"id": "seven"}, 422, "invalid_request"),
        ({"payload": "%%%"}, 422, "invalid_request"),
        ({"parent": "AAAA"}, 422, "invalid_request"),
        ({"base_revision": 1}, 422, "invalid_request"),
        ({"labels": ["AAAA"]}, 422, "invalid_request"),
        ({"labels": [encode_base64(b"x" * 16)] * 2}, 422, "invalid_request"),
        ({"source": "a\0b"}, 422, "invalid_request"),
        ({"occurred_at": "2026-03-14"}, 422, "invalid_request"),
        ({"occurred_at": "2026-03-14T18:30:00"}, 422, "invalid_request"),
        ({"device_id": "a b"}, 422, "invalid_request"),
        ({"payload": encode_base64(b"no envelope")}, 422, "change_rejected"),
        ({"payload": encode_base64(b"")}, 422, "change_rejected"),
        ({"payload": encode_base64(sealed(MAX_PAYLOAD_BYTES))}, 413, "payload_too_large"),
    ]
    for fields, status, code in cases:
        answer = await ada.request("POST", "/entries", json={**sealed_body(), **fields})
        problem(answer, status, code)
    assert (await ada.request("GET", "/entries")).json()["items"] == []
    problem(await ada.request("GET", "/entries/seven"), 422, "invalid_request")
    problem(await ada.request("GET", f"/entries/{uuid4()}/revisions/0"), 422, "invalid_request")


async def test_a_source_with_a_nul_is_refused_by_the_feeds_door_too(ada: Owner) -> None:
    pushed = {**change(source="a\0b"), "client_updated_at": "2026-03-14T18:30:00Z"}
    body = {name: encode_base64(value) if isinstance(value, bytes) else value for name, value in pushed.items()}
    problem(await ada.request("POST", "/sync/push", json={"changes": [body]}), 422, "invalid_request")


async def test_a_written_entry_wakes_the_accounts_other_devices(app: FastAPI, ada: Owner) -> None:
    parts = app.state.parts
    user_id = (await ada.request("GET", "/auth/me")).json()["id"]
    with parts[EventHub].subscription(UUID(user_id)) as woken:
        async with asyncio.timeout(10):
            await made(ada)
            await woken.wait()

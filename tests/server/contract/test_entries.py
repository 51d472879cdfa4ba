"""``/entries`` as its table has it, in either custody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import purge
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.contract import Contract, shows
from tests.support.diaries import sealed_body, thin

SHOWN = {"id", "revision", "parent", "seq", "created_at", "updated_at", "deleted_at", "source"}
DAY = {
    "content": "The rain stopped.",
    "title": "Rain",
    "mood": "calm",
    "tags": ["weather", "Garden"],
    "source": "web",
    "occurred_at": "2026-01-02T08:00:00+01:00",
    "time_zone": "Europe/Vienna",
}


@pytest.fixture
async def ada(contract: Contract) -> Owner:
    """Somebody with an end-to-end encrypted account."""
    return await register(contract.http)


@pytest.fixture
async def uma(contract: Contract) -> Owner:
    """Somebody whose server opens what they wrote, while they ask it to."""
    return await thin(contract.http)


async def send(owner: Owner, method: str, path: str, if_match: str | None = None, **body: Any) -> httpx.Response:
    """Send plain fields, or what ``after`` and ``sealed_body`` make; without any, no body."""
    headers = {"If-Match": if_match} if if_match else {}
    return await owner.request(method, path, headers=headers, **({"json": body} if body else {}))


async def made(owner: Owner, **body: Any) -> dict[str, Any]:
    answer = await send(owner, "POST", "/entries", **body)
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def get(owner: Owner, path: str, **params: Any) -> Any:
    answer = await owner.request("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def body_of(pushed: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a door takes of a change."""
    taken = {name: pushed[name] for name in ("payload", "base_revision", "parent")}
    return sealed_body(**{"id": None, **taken, **fields})


# ---- making ----


@shows("POST /entries 201", "GET /entries/{entry_id} 200")
async def test_an_entry_is_made_in_plain_fields_or_sealed(ada: Owner, uma: Owner) -> None:
    plain = await made(uma, **DAY, id=str(uuid4()))
    assert plain.keys() >= SHOWN
    assert {name: plain[name] for name in DAY} == DAY
    again = await made(uma, **DAY, id=plain["id"])
    assert (again["id"], again["revision"]) == (plain["id"], 1)
    assert await get(uma, f"/entries/{plain['id']}") == plain
    body = sealed_body(labels=[bytes(16)], source="cli", occurred_at="2026-01-02T08:00:00+01:00")
    entry = await made(ada, **body)
    assert entry.keys() >= SHOWN | {"payload", "labels", "occurred_at"}
    assert (entry["payload"], entry["source"], entry["occurred_at"]) == (
        body["payload"],
        "cli",
        "2026-01-02T08:00:00+01:00",
    )
    assert (await made(ada, **body))["revision"] == 1
    read = await ada.request("GET", f"/entries/{entry['id']}")
    assert (read.json(), read.headers["etag"]) == (entry, '"1"')


@shows(
    "POST /entries 409 revision_conflict",
    "POST /entries 409 content_unreadable",
    "POST /entries 413 payload_too_large",
    "POST /entries 422 change_rejected",
)
async def test_an_entry_that_cannot_be_made_is_refused_by_name(ada: Owner, uma: Owner) -> None:
    entry = await made(ada, **sealed_body())
    problem(await send(ada, "POST", "/entries", **sealed_body(id=entry["id"])), 409, "revision_conflict")
    large = sealed_body(payload=sealed(MAX_PAYLOAD_BYTES))
    problem(await send(ada, "POST", "/entries", **large), 413, "payload_too_large")
    problem(await send(ada, "POST", "/entries", **sealed_body(payload=b"\x09")), 422, "change_rejected")
    plain = await made(uma, **DAY)
    problem(await send(uma, "POST", "/entries", content="another", id=plain["id"]), 409, "revision_conflict")
    foreign = await unreadable(uma)
    problem(await send(uma, "POST", "/entries", content="x", id=foreign), 409, "content_unreadable")
    problem(await send(uma, "POST", "/entries", content="x" * MAX_PAYLOAD_BYTES), 413, "payload_too_large")


async def unreadable(uma: Owner) -> str:
    """The id of an entry that does not open with the account's keys."""
    pushed = change()
    await uma.push(pushed)
    record_id: str = pushed["record_id"]
    return record_id


# ---- listing ----


@shows("GET /entries 200", "GET /entries 403 custody_required")
async def test_entries_are_listed_newest_first_and_by_what_they_have(ada: Owner, uma: Owner) -> None:
    days = [
        await made(uma, **{**DAY, "occurred_at": f"2026-01-0{day}", "mood": mood, "tags": tags, "source": source})
        for day, mood, tags, source in (
            (1, "calm", ["sea"], "web"),
            (3, "glad", ["sea", "sun"], "mobile"),
            (2, "calm", ["sun"], "web"),
        )
    ]
    ids = [days[index]["id"] for index in (1, 2, 0)]

    async def listed(**params: Any) -> list[str]:
        return [item["id"] for item in (await get(uma, "/entries", **params))["items"]]

    assert await listed() == ids
    page = await get(uma, "/entries", limit=2)
    assert [item["id"] for item in page["items"]] == ids[:2]
    assert await listed(cursor=page["next_cursor"]) == ids[2:]
    assert await listed(mood="CALM") == ids[1:]
    assert await listed(tag=["sun", "sea"]) == ids[:1]
    assert await listed(source="mobile") == ids[:1]
    assert await listed(**{"from": "2026-01-02", "to": "2026-01-02"}) == ids[1:2]
    await uma.request("DELETE", f"/entries/{ids[0]}")
    assert (await listed(), await listed(deleted="true"), await listed(deleted="all")) == (ids[1:], ids[:1], ids)

    labels = [bytes([number]) * 16 for number in range(2)]
    both, one = [(await made(ada, **sealed_body(labels=some)))["id"] for some in (labels, labels[:1])]
    for way in (bytes.hex, encode_base64):
        found = (await get(ada, "/entries", label=[way(label) for label in labels]))["items"]
        assert [item["id"] for item in found] == [both]
    assert {item["id"] for item in (await get(ada, "/entries", label=labels[0].hex()))["items"]} == {both, one}
    sealer = await Person().sign_up(ada.http)
    for name in ("mood", "tag", "source"):
        refused = await ada.http.get("/entries", params={name: "x"}, headers=sealer.headers)
        assert problem(refused, 403, "custody_required")["required"] == "uce"
    numbered = await get(ada, "/entries", page=2, page_size=1)
    assert (len(numbered["items"]), numbered["page"], numbered["page_size"], numbered["total"]) == (1, 2, 1, 2)


@shows("POST /entries 201", "POST /entries 200", "POST /entries 409 revision_conflict")
async def test_an_entry_sealed_by_a_scheme_of_the_clients_own_is_known_by_the_hash_of_its_content(ada: Owner) -> None:
    sent = {"encrypted_content": "b3BhcXVl", "content_hash": "ab" * 32, "tag_names": ["walks"], "mood": "calm"}
    first = await made(ada, **sent)
    assert {name: first[name] for name in sent} == sent
    again = await send(ada, "POST", "/entries", **{**sent, "encrypted_content": "YW5vdGhlciBub25jZQ=="})
    assert (again.status_code, again.json()) == (200, first)
    problem(await send(ada, "POST", "/entries", id=first["id"], encrypted_content="other"), 409, "revision_conflict")


# ---- changing ----


@shows(
    "PUT /entries/{entry_id} 200",
    "PUT /entries/{entry_id} 409 revision_conflict",
    "PUT /entries/{entry_id} 412 precondition_failed",
    "PUT /entries/{entry_id} 428 revision_required",
    "PUT /entries/{entry_id} 409 content_unreadable",
    "PUT /entries/{entry_id} 409 entry_deleted",
    "PUT /entries/{entry_id} 413 payload_too_large",
)
async def test_plain_fields_are_changed_one_by_one(uma: Owner) -> None:
    path = f"/entries/{(await made(uma, **DAY))['id']}"
    problem(await send(uma, "PUT", path, content="x"), 428, "revision_required")
    assert (
        problem(await send(uma, "PUT", path, content="x", revision=7), 409, "revision_conflict")["current_revision"]
        == 1
    )
    problem(await send(uma, "PUT", path, '"7"', content="x"), 412, "precondition_failed")
    problem(await send(uma, "PUT", path, content="x" * MAX_PAYLOAD_BYTES, revision=2), 413, "payload_too_large")
    changed = await send(uma, "PUT", path, '"1"', mood=None, title="Later")
    assert changed.json() == {**changed.json(), **DAY, "mood": None, "title": "Later", "revision": 2}
    assert changed.headers["etag"] == '"2"'
    assert (await send(uma, "PUT", path, content="x", revision=3)).json()["content"] == "x"
    await uma.request("DELETE", path)
    problem(await send(uma, "PUT", path, content="x", revision=5), 409, "entry_deleted")
    foreign = f"/entries/{await unreadable(uma)}"
    problem(await send(uma, "PUT", foreign, content="x", revision=2), 409, "content_unreadable")


@shows(
    "PUT /entries/{entry_id} 200",
    "PUT /entries/{entry_id} 422 change_rejected",
    "DELETE /entries/{entry_id} 200",
    "DELETE /entries/{entry_id} 409 revision_conflict",
    "DELETE /entries/{entry_id} 412 precondition_failed",
    "DELETE /entries/{entry_id} 413 payload_too_large",
    "DELETE /entries/{entry_id} 422 change_rejected",
    "POST /entries/{entry_id}/restore 200",
    "POST /entries/{entry_id}/restore 409 revision_conflict",
    "POST /entries/{entry_id}/restore 412 precondition_failed",
    "POST /entries/{entry_id}/restore 413 payload_too_large",
    "POST /entries/{entry_id}/restore 422 change_rejected",
)
async def test_each_step_of_a_sealed_entry_brings_its_change(ada: Owner) -> None:
    one = change()
    two = following(one)
    three = following(two)
    four = following(three)
    path = f"/entries/{one['record_id']}"
    await made(ada, **body_of(one, id=one["record_id"]))
    problem(await send(ada, "PUT", path, **body_of(two, payload=b"\x09")), 422, "change_rejected")
    changed = (await send(ada, "PUT", path, **body_of(two))).json()
    assert (changed["revision"], changed["payload"]) == (2, encode_base64(two["payload"]))
    assert (await send(ada, "PUT", path, **body_of(two))).json()["revision"] == 2
    for method, at, step in (("DELETE", path, three), ("POST", f"{path}/restore", four)):
        problem(await send(ada, method, at, **body_of(one, base_revision=1)), 409, "revision_conflict")
        problem(await send(ada, method, at, '"7"', **body_of(step)), 412, "precondition_failed")
        problem(
            await send(ada, method, at, **body_of(step, payload=sealed(MAX_PAYLOAD_BYTES))), 413, "payload_too_large"
        )
        problem(await send(ada, method, at, **body_of(step, payload=b"\x09")), 422, "change_rejected")
        stepped = (await send(ada, method, at, **body_of(step))).json()
        assert (stepped["revision"], stepped["payload"]) == (step["base_revision"] + 1, encode_base64(step["payload"]))
        assert (stepped["deleted_at"] is not None) == (step is three)


@shows(
    "DELETE /entries/{entry_id} 200",
    "DELETE /entries/{entry_id} 412 precondition_failed",
    "POST /entries/{entry_id}/restore 200",
    "POST /entries/{entry_id}/restore 412 precondition_failed",
    "POST /entries/{entry_id}/restore 409 content_unreadable",
    "POST /entries/{entry_id}/restore 409 entry_purged",
)
async def test_a_plain_entry_is_deleted_and_restored_without_a_body_until_it_is_purged(
    contract: Contract, uma: Owner
) -> None:
    path = f"/entries/{(await made(uma, **DAY))['id']}"
    problem(await send(uma, "DELETE", path, '"7"'), 412, "precondition_failed")
    assert (await send(uma, "DELETE", path)).json()["deleted_at"]
    problem(await send(uma, "POST", f"{path}/restore", '"7"'), 412, "precondition_failed")
    restored = (await send(uma, "POST", f"{path}/restore")).json()
    assert restored == {**restored, **DAY, "deleted_at": None, "revision": 3}
    foreign = f"/entries/{await unreadable(uma)}"
    await send(uma, "DELETE", foreign)
    problem(await send(uma, "POST", f"{foreign}/restore"), 409, "content_unreadable")
    await send(uma, "DELETE", path)
    contract.clock.advance(days=31)
    later = await purge_all(contract, uma)
    problem(await send(later, "POST", f"{path}/restore"), 409, "entry_purged")


async def purge_all(contract: Contract, owner: Owner) -> Owner:
    """Drop what was deleted long enough ago, and log the owner in again, whose session is over by then."""
    await purge.purge(
        contract.app.state.parts[Clock], contract.app.state.parts[Database], contract.app.state.parts[Settings]
    )
    tokens = (await contract.http.post("/auth/login", json={"email": owner.email, "password": owner.password})).json()
    return Owner(contract.http, owner.email, owner.password, tokens)


# ---- the past ----


@shows(
    "GET /entries/{entry_id}/history 200",
    "GET /entries/{entry_id}/revisions/{number} 200",
    "GET /entries/{entry_id}/revisions/{number} 404 revision_not_found",
)
async def test_what_happened_is_told_and_earlier_revisions_are_kept(uma: Owner) -> None:
    path = f"/entries/{(await made(uma, **DAY))['id']}"
    await send(uma, "PUT", path, content="second", revision=2)
    await send(uma, "DELETE", path)
    await send(uma, "POST", f"{path}/restore")
    events = (await get(uma, f"{path}/history"))["items"]
    assert [item["event"] for item in events] == ["created", "updated", "deleted", "restored"]
    assert [item["revision"] for item in events] == [1, 2, 3, 4]
    assert all(item.keys() == {"event", "revision", "at", "device_id"} for item in events)
    page = await get(uma, f"{path}/history", limit=3)
    assert len((await get(uma, f"{path}/history", cursor=page["next_cursor"]))["items"]) == 1
    assert (await get(uma, f"{path}/revisions/1"))["content"] == DAY["content"]
    assert (await get(uma, f"{path}/revisions/2"))["content"] == "second"
    problem(await uma.request("GET", f"{path}/revisions/9"), 404, "revision_not_found")


@shows(
    "GET /entries/{entry_id} 404 not_found",
    "PUT /entries/{entry_id} 404 not_found",
    "DELETE /entries/{entry_id} 404 not_found",
    "POST /entries/{entry_id}/restore 404 not_found",
    "GET /entries/{entry_id}/history 404 not_found",
    "GET /entries/{entry_id}/revisions/{number} 404 not_found",
)
@pytest.mark.parametrize("custody", ["e2e", "uce"])
async def test_another_users_entry_is_not_there(contract: Contract, custody: str) -> None:
    owner, other = [await (thin if custody == "uce" else register)(contract.http) for _ in range(2)]
    theirs = (await made(owner, **(DAY if custody == "uce" else sealed_body())))["id"]
    step = {} if custody == "uce" else body_of(following(change()))

    async def asked(entry_id: str) -> list[dict[str, Any]]:
        path = f"/entries/{entry_id}"
        answers = [
            await send(other, "GET", path),
            await send(other, "PUT", path, **(step or {"content": "x", "revision": 2})),
            await send(other, "DELETE", path, **step),
            await send(other, "POST", f"{path}/restore", **step),
            await send(other, "GET", f"{path}/history"),
            await send(other, "GET", f"{path}/revisions/1"),
        ]
        return [problem(answer, 404, "not_found") for answer in answers]

    assert await asked(theirs) == await asked(str(uuid4()))
    assert (await get(other, "/entries"))["items"] == []
    assert (await get(owner, f"/entries/{theirs}"))["revision"] == 1

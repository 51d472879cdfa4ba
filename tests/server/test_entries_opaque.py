"""Entries of clients that seal by a scheme of their own, in accounts without a keyring: kept, and given back."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records.opaque import opaque_map
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, register, sealed
from tests.support.diaries import next_body, sealed_body, thin

SENT = {
    "encrypted_content": "eyJjdCI6ICJhYmMifQ==",
    "encrypted_title": "eyJjdCI6ICJkZWYifQ==",
    "content_hash": "5f" * 32,
    "tag_names": ["walks", "U2FsdGVkX1+tag"],
    "mood": "calm",
    "weather": "fog",
    "location": "U2FsdGVkX1+somewhere",
    "source": "web",
    "occurred_at": "2026-03-14T18:30:00+01:00",
    "nonce": "a field of the client's own",
}


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    """Somebody whose client keeps its keys to itself."""
    return await register(http)


async def made(owner: Owner, status: int = 201, **fields: Any) -> dict[str, Any]:
    body = {name: value for name, value in {**SENT, **fields}.items() if value is not None}
    answer = await owner.request("POST", "/entries", json=body)
    assert answer.status_code == status, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def listed(owner: Owner, **params: Any) -> list[dict[str, Any]]:
    answer = await owner.request("GET", "/entries", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_what_a_client_sealed_comes_back_with_every_field_that_it_sent(ada: Owner) -> None:
    entry = await made(ada)
    assert {name: entry[name] for name in SENT} == SENT
    assert (entry["revision"], entry["deleted_at"]) == (1, None)
    read = await ada.request("GET", f"/entries/{entry['id']}")
    assert (read.json(), read.headers["etag"]) == (entry, '"1"')
    assert await listed(ada) == [entry]
    tags = (await ada.request("GET", "/tags")).json()
    assert {tag["name"] for tag in tags} == set(SENT["tag_names"])
    assert all(tag["last_used_at"] for tag in tags)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.text("abcdefgh_", min_size=1, max_size=20),
        st.text(st.characters(codec="utf-8"), max_size=40)
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=4),
        max_size=5,
    ),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
)
async def test_further_fields_of_any_client_come_back(ada: Owner, further: dict[str, Any], content: str) -> None:
    entry = await made(ada, **further, encrypted_content=content, content_hash=None)
    assert (entry["encrypted_content"], {name: entry[name] for name in further}) == (content, further)


async def test_the_same_content_sent_again_is_one_entry_and_on_another_day_another(ada: Owner) -> None:
    entry = await made(ada)
    assert await made(ada, 200, encrypted_content="another nonce", encrypted_title="too") == entry
    others = [
        await made(ada, occurred_at="2026-03-15"),
        await made(ada, mood="glad"),
        await made(ada, tag_names=["walks"]),
        await made(ada, content_hash="60" * 32),
        await made(ada, id=str(uuid4())),
    ]
    nameless = [await made(ada, content_hash=None) for _ in range(2)]
    assert len({each["id"] for each in [entry, *others, *nameless]}) == 8
    await ada.request("DELETE", f"/entries/{entry['id']}")
    await ada.request("DELETE", f"/entries/{others[-1]['id']}")
    again = await made(ada)  # what is deleted is not what is meant
    assert again["id"] not in {entry["id"], others[-1]["id"]}
    assert again["revision"] == 1


async def test_of_the_same_sent_twice_at_once_one_is_made(ada: Owner) -> None:
    answers = await asyncio.gather(*(ada.request("POST", "/entries", json=SENT) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_an_id_of_the_clients_choice_makes_a_request_repeatable(ada: Owner) -> None:
    fields = {"log_id": str(uuid4()), "content_hash": None}
    first, again = [await made(ada, **fields) for _ in range(2)]
    assert (first["id"], first) == (fields["log_id"], again)
    other = await ada.request("POST", "/entries", json={"id": first["id"], "encrypted_content": "other"})
    assert problem(other, 409, "revision_conflict")["current_revision"] == 1


async def test_a_change_names_its_revision_and_leaves_what_it_does_not_name(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    problem(await ada.request("PUT", path, json={"mood": "glad"}), 428, "revision_required")
    change = {"mood": "glad", "encrypted_content": "next", "weather": None, "nonce": "new", "revision": 2}
    for _ in range(2):
        answer = await ada.request("PUT", path, json=change)
        assert answer.status_code == 200, answer.text
        changed = answer.json()
    expected = {**SENT, **change, "weather": None}
    assert {name: changed[name] for name in expected} == expected
    refused = await ada.request("PUT", path, json={"mood": "sad", "revision": 2})
    assert problem(refused, 409, "revision_conflict")["current_revision"] == 2
    by_header = await ada.request("PUT", path, json={"tag_names": ["river"]}, headers={"If-Match": '"2"'})
    assert (by_header.json()["revision"], by_header.json()["tag_names"]) == (3, ["river"])
    outdated = await ada.request("PUT", path, json={"mood": "x"}, headers={"If-Match": '"2"'})
    problem(outdated, 412, "precondition_failed")
    problem(await ada.request("PUT", path, json={"encrypted_content": None, "revision": 4}), 422, "invalid_request")
    first = (await ada.request("GET", f"{path}/revisions/1")).json()
    assert {name: first[name] for name in SENT} == SENT


async def test_a_whole_entry_may_be_sent_back_with_its_changes_and_stays_the_same_one(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    whole = {name: value for name, value in entry.items() if value is not None}
    changed = await ada.request("PUT", path, json={**whole, "mood": "glad", "revision": 2})
    assert {**changed.json(), **{name: entry[name] for name in ("parent", "seq", "updated_at")}} == {
        **entry,
        "mood": "glad",
        "revision": 2,
    }
    for name in ("id", "log_id"):
        other = await ada.request("PUT", path, json={**whole, name: str(uuid4()), "revision": 3})
        assert [each["field"] for each in problem(other, 422, "invalid_request")["errors"]] == [name]
    # The same id as other platforms write it.
    spelt = {**whole, "id": entry["id"].upper(), "log_id": None, "revision": 3}
    assert (await ada.request("PUT", path, json=spelt)).status_code == 200


async def test_deleting_and_restoring_need_nothing_to_be_sent(ada: Owner) -> None:
    entry = await made(ada)
    path = f"/entries/{entry['id']}"
    problem(await ada.request("DELETE", path, headers={"If-Match": '"7"'}), 412, "precondition_failed")
    deleted = (await ada.request("DELETE", path, json={})).json()
    assert (deleted["revision"], deleted["encrypted_content"]) == (2, SENT["encrypted_content"])
    assert deleted["deleted_at"]
    assert (await ada.request("DELETE", path)).json() == deleted
    assert (await ada.request("GET", path)).json() == deleted
    assert (await listed(ada), await listed(ada, deleted="true")) == ([], [deleted])
    problem(await ada.request("PUT", path, json={"mood": "x", "revision": 3}), 409, "entry_deleted")
    restored = (await ada.request("POST", f"{path}/restore")).json()
    assert {**restored, **{name: entry[name] for name in ("revision", "parent", "seq", "updated_at")}} == entry
    assert (await ada.request("POST", f"{path}/restore")).json() == restored
    events = (await ada.request("GET", f"{path}/history")).json()["items"]
    assert [event["event"] for event in events] == ["created", "deleted", "restored"]
    nowhere = f"/entries/{uuid4()}"
    for method, place in (("DELETE", nowhere), ("POST", f"{nowhere}/restore"), ("GET", nowhere)):
        problem(await ada.request(method, place), 404, "not_found")


async def test_entries_are_found_by_what_is_not_sealed(ada: Owner) -> None:
    one = await made(ada)
    other = await made(ada, mood="glad", tag_names=["river"], source="mobile", content_hash=None)
    plain = await made(ada, mood=None, tag_names=None, source=None, content_hash=None)
    assert {entry["id"] for entry in await listed(ada)} == {one["id"], other["id"], plain["id"]}
    for params, found in (
        ({"mood": "calm"}, one),
        ({"mood_filter": "glad"}, other),
        ({"source_filter": "web"}, one),
        ({"source": "mobile", "tag": "river"}, other),
        ({"tag": "walks"}, one),
    ):
        assert [entry["id"] for entry in await listed(ada, **params)] == [found["id"]]
    assert await listed(ada, mood="calm", tag="river") == []


async def test_a_search_finds_them_by_the_tokens_that_came_with_them(ada: Owner) -> None:
    assert (await ada.request("PUT", "/search/index", json={"enabled": True})).status_code == 200
    token = encode_base64(b"t" * 8)
    entry = await made(ada, tokens=[token])
    await made(ada, content_hash=None)
    found = (await ada.request("POST", "/search", json={"tokens": {"all": [token]}})).json()
    assert [hit["entry"] for hit in found["items"]] == [entry]
    for asked in ({"page": 2}, {"page_size": 5}):
        answer = await ada.request("POST", "/search", json={"tokens": {"all": [token]}, **asked})
        problem(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("encrypted_content", ""),
        ("encrypted_content", 7),
        ("encrypted_content", None),
        ("content_hash", "a b"),
        ("content_hash", "x" * 257),
        ("tag_names", ["x"] * 61),
        ("tag_names", [""]),
        ("mood", {"kind": "calm"}),
        ("location", {"lat": 1.5, "lng": 2}),
        ("weather", "x" * 1025),
        ("source", "a\u0000b"),
        ("occurred_at", "yesterday"),
        ("time_zone", "Mars/Olympus"),
        ("further", {"an": "object"}),
        ("further", "x" * 4097),
        ("further", [["nested"]]),
        ("further", 2**70),
        ("further", [1.5, float("nan")]),
        ("further", float("inf")),
        ("tags", ["other than tag_names"]),
        ("x" * 65, "a long name"),
        ("id", "not-an-id"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_name(ada: Owner, field: str, value: Any) -> None:
    # As clients write it that know of numbers which JSON has not.
    body, headers = json.dumps({**SENT, field: value}), {"Content-Type": "application/json"}
    answer = await ada.request("POST", "/entries", content=body, headers=headers)
    found = problem(answer, 422, "invalid_request")
    assert {error["field"].split(".")[0] for error in found["errors"]} <= {field[:64]}
    assert await listed(ada) == []


async def test_too_many_further_fields_are_refused(ada: Owner) -> None:
    further = {f"x{number}": "" for number in range(40)}
    problem(await ada.request("POST", "/entries", json={**SENT, **further}), 422, "invalid_request")


async def test_an_account_with_a_keyring_takes_sealed_entries_alone(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    problem(await http.post("/entries", json=SENT, headers=person.headers), 422, "seal_required")
    uma = await thin(http)
    for field in ("encrypted_content", "encrypted_title", "content_hash"):
        refused = await uma.request("POST", "/entries", json={"content": "plain", field: "x"})
        assert [each["field"] for each in problem(refused, 422, "invalid_request")["errors"]] == [field]


async def test_a_keyring_that_comes_later_leaves_earlier_entries_readable_and_takes_no_more(ada: Owner) -> None:
    entry = await made(ada)
    person = Person(email=ada.email, secret=ada.password, tokens=ada.answer)
    first = person.keyring_body(person, 0, password=None, key_id=None, retired_at=None)
    body = {name: value for name, value in first.items() if value is not None}
    assert (await ada.request("PUT", "/auth/keyring", json=body)).status_code == 200
    path = f"/entries/{entry['id']}"
    assert (await ada.request("GET", path)).json() == entry
    change = {"encrypted_content": "next", "revision": 2}
    problem(await ada.request("PUT", path, json=change), 422, "seal_required")
    problem(await ada.request("POST", "/entries", json={**SENT, "content_hash": "60" * 32}), 422, "seal_required")
    problem(await ada.request("DELETE", path), 422, "invalid_request")


async def test_another_users_entry_is_not_there(http: httpx.AsyncClient, ada: Owner) -> None:
    entry, eve = await made(ada), await register(http)
    path = f"/entries/{entry['id']}"
    for method, place, body in (
        ("GET", path, None),
        ("PUT", path, {"mood": "x", "revision": 2}),
        ("DELETE", path, None),
        ("DELETE", f"{path}?permanent=true", None),
        ("POST", f"{path}/restore", None),
    ):
        problem(await eve.request(method, place, json=body), 404, "not_found")
    mine = await made(eve)  # the same content in another account is another entry
    assert mine["id"] != entry["id"]
    assert (await ada.request("GET", path)).json() == entry


# ---- pages and permanence, in each custody ----


@pytest.fixture(params=["opaque", "uce"])
async def owner(request: pytest.FixtureRequest, http: httpx.AsyncClient) -> Owner:
    """Somebody whose client deletes without sending anything."""
    return await (thin(http) if request.param == "uce" else register(http))


async def written(owner: Owner, text: str, **fields: Any) -> dict[str, Any]:
    body = {"content" if owner.answer["encryption_tier"] == "uce" else "encrypted_content": text, **fields}
    answer = await owner.request("POST", "/entries", json=body)
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def test_pages_by_number_join_to_the_whole(owner: Owner) -> None:
    ids = [
        (await written(owner, f"text {day}", mood="calm", occurred_at=f"2026-03-{day:02}"))["id"]
        for day in range(7, 0, -1)
    ]
    await written(owner, "of another mood", mood="glad", occurred_at="2026-04-01")
    found = []
    for number in (1, 2, 3, 4):
        params = {"page": number, "page_size": 3, "mood_filter": "calm"}
        page = (await owner.request("GET", "/entries", params=params)).json()
        assert (page["page"], page["page_size"], page["total"]) == (number, 3, 7)
        assert (page["next_cursor"] is not None) == (number < 3)
        found += [item["id"] for item in page["items"]]
    assert found == ids
    second = (await owner.request("GET", "/entries", params={"page": 1, "limit": 3})).json()
    onwards = {"cursor": second["next_cursor"], "limit": 3}
    following = (await owner.request("GET", "/entries", params=onwards)).json()
    numbered = (await owner.request("GET", "/entries", params={"page": 2, "page_size": 3})).json()
    assert following["items"] == numbered["items"]
    assert "page" not in following


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": 2, "cursor": "x"}, "page"),
        ({"page_size": 501}, "page_size"),
        ({"page_size": 5, "limit": 6}, "page_size"),
        ({"mood": "a", "mood_filter": "b"}, "mood_filter"),
        ({"source": "a", "source_filter": "b"}, "source_filter"),
        ({"sort": "oldest"}, "query"),
        ({"offset": 50}, "query"),
        ({"weather": "fog"}, "query"),
    ],
)
async def test_what_a_list_cannot_do_is_refused_and_not_ignored(
    owner: Owner, params: dict[str, Any], field: str
) -> None:
    answer = await owner.request("GET", "/entries", params=params)
    found = problem(answer, 422, "invalid_request")
    assert {error["field"].split(".")[-1] for error in found["errors"]} == {field}
    if field == "query":
        assert all(f"`{name}`" not in answer.text for name in params)
        assert "`page`" in answer.text


async def test_a_parameter_that_asks_for_nothing_is_ignored(owner: Owner) -> None:
    assert (await owner.request("GET", "/entries", params={"_": "1764411000"})).status_code == 200


async def test_a_numbered_page_that_no_answer_holds_is_refused_and_smaller_ones_hold_all(owner: Owner) -> None:
    large = "x" * 3_000_000
    ids = {(await written(owner, f"{number}{large}", id=str(uuid4())))["id"] for number in range(4)}
    problem(await owner.request("GET", "/entries", params={"page": 1, "page_size": 4}), 422, "invalid_request")
    pages = [await listed(owner, page=number, page_size=2) for number in (1, 2)]
    assert {entry["id"] for page in pages for entry in page} == ids


@pytest.mark.parametrize("first", [False, True])
async def test_a_deletion_for_good_leaves_nothing_to_restore(app: FastAPI, owner: Owner, first: bool) -> None:
    text = secrets.token_hex(16)
    entry = await written(owner, text, mood="calm")
    path = f"/entries/{entry['id']}"
    await owner.request("PUT", path, json={"mood": "glad", "revision": 2})
    if first:
        assert (await owner.request("DELETE", path)).status_code == 200
    stale = await owner.request("DELETE", path, params={"permanent": "true"}, headers={"If-Match": '"1"'})
    problem(stale, 412, "precondition_failed")
    if first:
        assert (await owner.request("POST", f"{path}/restore")).json()["revision"] == 4
        assert (await owner.request("DELETE", path)).json()["revision"] == 5
    for named in ("4", "5") if first else ("2", "2"):  # the second is a request whose answer was lost
        answer = await owner.request("DELETE", path, params={"permanent": "true"}, headers={"If-Match": f'"{named}"'})
        gone = answer.json()
        assert (answer.status_code, gone["revision"], gone["mood"]) == (200, 5 if first else 3, None)
    assert gone["deleted_at"]
    assert text not in str(gone)
    problem(await owner.request("POST", f"{path}/restore"), 409, "entry_purged")
    problem(await owner.request("GET", f"{path}/revisions/1"), 404, "revision_not_found")
    assert await listed(owner, deleted="all") == []
    async with app.state.parts[Database].read_driver() as connection:
        left = await connection.fetchval("SELECT count(*) FROM revisions WHERE record_id = $1", entry["id"])
        packed = await connection.fetchval("SELECT packed FROM records WHERE record_id = $1", entry["id"])
    assert left == 0
    assert text.encode() not in packed
    events = (await owner.request("GET", f"{path}/history")).json()["items"]
    assert [event["event"] for event in events][:3] == ["created", "updated", "deleted"]


async def test_a_sealed_entry_is_deleted_for_good_with_its_tombstone_or_after_it(ada: Owner) -> None:
    for at_once in (True, False):
        body = sealed_body()
        entry = (await ada.request("POST", "/entries", json=body)).json()
        path, tombstone = f"/entries/{entry['id']}", next_body(entry)
        problem(await ada.request("DELETE", path, params={"permanent": "true"}), 422, "invalid_request")
        params = {"permanent": "true"} if at_once else {}
        deleted = await ada.request("DELETE", path, json=tombstone, params=params)
        assert (deleted.status_code, deleted.json()["payload"]) == (200, tombstone["payload"])
        if not at_once:
            assert (await ada.request("DELETE", path, params={"permanent": "true"})).json() == deleted.json()
        problem(await ada.request("GET", f"{path}/revisions/1"), 404, "revision_not_found")
        assert (await ada.request("GET", path)).json() == deleted.json()


async def test_a_token_alone_deletes_nothing_for_good_where_a_keyring_seals(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    entry = (await http.post("/entries", json=sealed_body(payload=sealed(key_id=1)), headers=person.headers)).json()
    path, tombstone = f"/entries/{entry['id']}", next_body(entry, payload=sealed(key_id=1))
    options: dict[str, Any] = {"params": {"permanent": "true"}, "headers": person.headers}
    answer = await http.request("DELETE", path, json=tombstone, **options)
    assert [each["field"] for each in problem(answer, 422, "invalid_request")["errors"]] == ["permanent"]
    assert (await http.request("DELETE", path, json=tombstone, headers=person.headers)).status_code == 200
    problem(await http.request("DELETE", path, **options), 422, "invalid_request")
    assert (await http.get(f"{path}/revisions/1", headers=person.headers)).json() == entry


def test_no_envelope_is_taken_for_a_map() -> None:
    assert opaque_map(b"\x01\x01" + bytes(300)) is None
    assert opaque_map(b"") is None
    assert opaque_map(b"\x81\xa1a") is None
    assert opaque_map(b"\x93\x01\x02\x03") is None
    assert opaque_map(b"\x81\xa1a\x01") == {"a": 1}

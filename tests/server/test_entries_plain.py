"""The diary of a uce account: plain fields to a thin client, sealed records to every other."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.content import MAX_CONTENT_BYTES
from tests.support.account_holders import Clock, problem, served
from tests.support.accounts import Owner, register
from tests.support.diaries import FullClient, sealed_body, thin
from tests.support.feeds import Reader

ENTRY = {
    "content": "Walked to the river.",
    "title": "First day",
    "mood": "calm",
    "weather": "light rain",
    "location": "by the Elbe",
    "tags": ["Walks", "river"],
    "source": "web",
    "occurred_at": "2026-03-14T18:30:00",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
async def ada(http: httpx.AsyncClient) -> Owner:
    return await thin(http)


async def written(owner: Owner, **fields: Any) -> dict[str, Any]:
    answer = await owner.request("POST", "/entries", json={**ENTRY, **fields})
    assert answer.status_code == 201, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def read(owner: Owner, entry_id: str) -> dict[str, Any]:
    answer = await owner.request("GET", f"/entries/{entry_id}")
    assert answer.status_code == 200, answer.text
    entry: dict[str, Any] = answer.json()
    return entry


async def test_an_entry_comes_back_as_it_was_written(ada: Owner) -> None:
    made = await written(ada)
    assert {name: made[name] for name in ENTRY} == ENTRY
    assert (made["revision"], made["deleted_at"], made["attachments"]) == (1, None, [])
    answer = await ada.request("GET", f"/entries/{made['id']}")
    assert answer.json() == made
    assert answer.headers["etag"] == '"1"'


async def test_nothing_of_an_entry_is_stored_in_plain(app: FastAPI, ada: Owner) -> None:
    made = await written(ada, content="a kingfisher over the weir", source="mobile")
    async with app.state.parts[Database].read_driver() as connection:
        packed = b"".join(
            row["packed"]
            for row in await connection.fetch("SELECT packed FROM records WHERE user_id = $1", ada.answer["id"])
        )
    for secret in (b"kingfisher", b"First day", b"calm", b"Walks", b"river"):
        assert secret not in packed
    assert made["id"].encode() in packed


async def test_a_full_client_reads_what_a_thin_one_wrote(ada: Owner) -> None:
    full = await FullClient.of(ada)
    made = await written(ada)
    found = await full.pull()
    assert found["entries", made["id"]] == {
        "type": "entry",
        "body": ENTRY["content"],
        **{name: value for name, value in ENTRY.items() if name != "content"},
    }
    for name in ("Walks", "river"):
        assert found["tags", full.tag_id(name)]["name"] == name
    [record] = [each for each in (await ada.feed())["changes"] if each["record_id"] == made["id"]]
    assert tuple(record["labels"]) == full.labels(found["entries", made["id"]])
    assert (record["source"], record["occurred_at"]) == ("web", "2026-03-14T18:30:00+01:00")


async def test_a_thin_client_reads_and_edits_what_a_full_one_wrote(ada: Owner) -> None:
    full = await FullClient.of(ada)
    content = {
        "type": "entry",
        "body": "From the laptop.",
        "tags": ["Work"],
        "occurred_at": "2026-03-15",
        "weather": {"sky": "clear"},
        "seen": ["epoch", 3, b"head"],
    }
    entry_id = await full.push(content)
    found = await read(ada, entry_id)
    assert (found["content"], found["tags"], found["occurred_at"]) == ("From the laptop.", ["Work"], "2026-03-15")
    changed = await ada.request("PUT", f"/entries/{entry_id}", json={"mood": "glad", "revision": 2})
    assert changed.status_code == 200, changed.text
    opened = (await full.pull())["entries", entry_id]
    assert opened == {**{name: content[name] for name in content if name != "seen"}, "mood": "glad"}


async def test_the_history_stays_whole_under_everything_that_a_thin_client_does(ada: Owner) -> None:
    made = await written(ada)
    path = f"/entries/{made['id']}"
    await ada.request("PUT", path, json={"content": "Better.", "tags": ["other"], "revision": 2})
    await ada.request("DELETE", path)
    await ada.request("POST", f"{path}/restore")
    leaves = await Reader(ada, limit=2).read_all()
    assert [leaf.revision for leaf in leaves if leaf.record_id == made["id"]] == [1, 2, 3, 4]


# ---- changing ----


async def test_what_a_change_does_not_name_stays_and_null_takes_a_field_away(ada: Owner) -> None:
    made = await written(ada)
    answer = await ada.request(
        "PUT",
        f"/entries/{made['id']}",
        json={"content": "Rain.", "mood": None, "tags": []},
        headers={"If-Match": '"1"'},
    )
    changed = answer.json()
    assert (changed["content"], changed["mood"], changed["tags"], changed["revision"]) == ("Rain.", None, [], 2)
    assert (changed["title"], changed["occurred_at"]) == (ENTRY["title"], ENTRY["occurred_at"])
    assert changed["parent"] != made["parent"]
    assert await read(ada, made["id"]) == changed


async def test_a_change_that_does_not_follow_the_present_revision_is_refused(ada: Owner) -> None:
    path = f"/entries/{(await written(ada))['id']}"
    await ada.request("PUT", path, json={"content": "two", "revision": 2})
    cases: list[tuple[dict[str, Any], dict[str, str], int, str]] = [
        ({}, {}, 428, "revision_required"),
        ({}, {"If-Match": "*"}, 428, "revision_required"),
        ({"revision": 2}, {}, 409, "revision_conflict"),
        ({"revision": 4}, {}, 409, "revision_conflict"),
        ({}, {"If-Match": '"1"'}, 412, "precondition_failed"),
        ({}, {"If-Match": 'W/"2"'}, 412, "precondition_failed"),
        ({"revision": 3}, {"If-Match": '"1"'}, 412, "precondition_failed"),
        ({"revision": 2}, {"If-Match": '"2"'}, 409, "revision_conflict"),
    ]
    for body, headers, status, code in cases:
        told = problem(await ada.request("PUT", path, json={"content": "x", **body}, headers=headers), status, code)
        assert status == 428 or told["current_revision"] == 2
        assert (await ada.request("GET", path)).json()["content"] == "two"


async def test_if_match_may_name_the_present_revision_in_each_of_its_forms(ada: Owner) -> None:
    path = f"/entries/{(await written(ada))['id']}"
    for revision, if_match in enumerate(('"1"', "*", '"7", "3"'), start=2):
        body = {"content": f"{revision}"} | ({"revision": revision} if if_match == "*" else {})
        answer = await ada.request("PUT", path, json=body, headers={"If-Match": if_match})
        assert (answer.status_code, answer.headers["etag"]) == (200, f'"{revision}"')


async def test_a_request_sent_again_is_answered_like_the_first_time(ada: Owner) -> None:
    entry_id = str(uuid4())
    first = await written(ada, id=entry_id)
    assert await written(ada, id=entry_id) == first
    path = f"/entries/{entry_id}"
    for headers, body in (({}, {"content": "two", "revision": 2}), ({"If-Match": '"2"'}, {"content": "three"})):
        answers = [await ada.request("PUT", path, json=body, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
    assert await written(ada, id=entry_id) == first
    problem(await ada.request("POST", "/entries", json={"content": "other", "id": entry_id}), 409, "revision_conflict")
    for method, suffix in (("DELETE", ""), ("POST", "/restore")):
        answers = [await ada.request(method, path + suffix) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert [answer.status_code for answer in answers] == [200, 200]
    assert (await read(ada, entry_id))["revision"] == 5


async def test_of_two_changes_at_once_one_is_made_and_the_other_is_told(ada: Owner) -> None:
    path = f"/entries/{(await written(ada))['id']}"
    for headers, body, refused in (({}, {"revision": 2}, 409), ({"If-Match": '"2"'}, {}, 412)):
        answers = await asyncio.gather(
            *(ada.request("PUT", path, json={"content": f"by {n}", **body}, headers=headers) for n in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [200, *[refused] * 4]
        [made] = [answer.json() for answer in answers if answer.status_code == 200]
        assert (await ada.request("GET", path)).json() == made


# ---- deleting and restoring ----


async def test_a_deleted_entry_shows_what_it_held_and_comes_back_as_it_was(ada: Owner) -> None:
    full = await FullClient.of(ada)
    made = await written(ada)
    path = f"/entries/{made['id']}"
    deleted = (await ada.request("DELETE", path)).json()
    assert deleted["deleted_at"] == deleted["updated_at"]
    assert {name: deleted[name] for name in ENTRY} == ENTRY
    assert await read(ada, made["id"]) == deleted
    assert (await full.pull())["entries", made["id"]] == {"type": "deleted"}
    problem(await ada.request("PUT", path, json={"content": "x", "revision": 3}), 409, "entry_deleted")
    restored = (await ada.request("POST", f"{path}/restore")).json()
    assert (restored["revision"], restored["deleted_at"]) == (3, None)
    assert {name: restored[name] for name in ENTRY} == ENTRY
    assert (await full.pull())["entries", made["id"]]["body"] == ENTRY["content"]


async def test_an_entry_that_a_full_client_deleted_is_restored_by_a_thin_one(ada: Owner) -> None:
    full = await FullClient.of(ada)
    made = await written(ada)
    [record] = [each for each in (await ada.feed())["changes"] if each["record_id"] == made["id"]]
    parent = sha256(record["payload"]).digest()
    await full.push({"type": "deleted"}, record_id=made["id"], revision=2, parent=parent, deleted=True)
    assert (await read(ada, made["id"]))["content"] == ENTRY["content"]
    assert (await ada.request("POST", f"/entries/{made['id']}/restore")).json()["content"] == ENTRY["content"]


async def test_what_was_purged_is_named_so(app: FastAPI, ada: Owner) -> None:
    made = await written(ada)
    path = f"/entries/{made['id']}"
    await ada.request("DELETE", path)
    async with app.state.parts[Database].transaction() as tx:
        await tx.connection.execute("DELETE FROM revisions WHERE record_id = $1", made["id"])
        await tx.connection.execute("UPDATE records SET purged_at = now() WHERE record_id = $1", made["id"])
    problem(await ada.request("POST", f"{path}/restore"), 409, "entry_purged")
    problem(await ada.request("GET", f"{path}/revisions/1"), 404, "revision_not_found")
    assert (await read(ada, made["id"]))["content"] is None
    assert (await ada.request("GET", "/entries", params={"deleted": "all"})).json()["items"] == []
    events = (await ada.request("GET", f"{path}/history")).json()["items"]
    assert [event["event"] for event in events] == ["created", "deleted"]


# ---- the past ----


async def test_the_history_names_each_event_and_the_revisions_hold_what_was(ada: Owner) -> None:
    made = await written(ada, source="import")
    path = f"/entries/{made['id']}"
    await ada.request("PUT", path, json={"content": "two", "revision": 2})
    await ada.request("DELETE", path)
    await ada.request("POST", f"{path}/restore")
    page = (await ada.request("GET", f"{path}/history", params={"limit": 3})).json()
    rest = (await ada.request("GET", f"{path}/history", params={"cursor": page["next_cursor"]})).json()
    events = page["items"] + rest["items"]
    assert [event["event"] for event in events] == ["imported", "updated", "deleted", "restored"]
    assert [event["revision"] for event in events] == [1, 2, 3, 4]
    assert rest["next_cursor"] is None
    contents = [(await ada.request("GET", f"{path}/revisions/{n}")).json()["content"] for n in (1, 2, 3, 4)]
    assert contents == [ENTRY["content"], "two", None, "two"]
    problem(await ada.request("GET", f"{path}/revisions/5"), 404, "revision_not_found")


async def test_a_record_that_does_not_open_is_shown_so_and_spoils_no_list(ada: Owner) -> None:
    made = await written(ada)
    foreign = sealed_body()["id"]
    [result] = await ada.results(
        {
            "collection": "entries", "record_id": foreign, "base_revision": 0, "parent": bytes(32),
            "payload": b"\x01\x01\0\0\0\x01" + bytes(400),
            "device_id": "other", "client_updated_at": "2026-01-01T00:00:00Z",
        }
    )  # fmt: skip
    assert result["status"] == "applied"
    items = (await ada.request("GET", "/entries")).json()["items"]
    assert {item["id"]: item["unreadable"] for item in items} == {made["id"]: False, foreign: True}
    change = await ada.request("PUT", f"/entries/{foreign}", json={"content": "x", "revision": 2})
    problem(change, 409, "content_unreadable")


# ---- what is refused ----


MALFORMED: list[dict[str, Any]] = [
    {"content": None},
    {"content": "  ", "title": " ", "mood": None, "tags": []},
    {"content": 7},
    {"title": "x" * 1001},
    {"mood": "x" * 201},
    {"tags": [f"tag {n}" for n in range(1000)]},
    {"tags": ["x" * 201]},
    {"tags": "walks"},
    {"source": "a\0b"},
    {"source": "x" * 65},
    {"occurred_at": "yesterday"},
    {"occurred_at": "2026-02-30"},
    {"occurred_at": "2026-W05-1"},
    {"time_zone": "Mars/Olympus"},
    {"time_zone": "../../etc/passwd"},
    {"id": "seven"},
    {"attachments": [{"media_id": "none"}]},
]


async def test_malformed_fields_are_named_and_not_repeated(ada: Owner) -> None:
    for fields in MALFORMED:
        answer = await ada.request("POST", "/entries", json={**ENTRY, **fields})
        told = problem(answer, 422, "invalid_request")
        assert all(error.keys() == {"field", "type", "message"} for error in told["errors"]), fields
        assert "river" not in answer.text
    assert (await ada.request("GET", "/entries")).json()["items"] == []


async def test_text_without_a_utf8_form_is_no_body(ada: Owner) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await ada.request("POST", "/entries", content=rb'{"content": "\ud800"}', headers=headers)
    problem(answer, 400, "malformed_body")


async def test_any_text_that_can_be_written_comes_back(ada: Owner) -> None:
    content = "a\0b \u202e \U0001f9ff " + "é" * 3
    made = await written(ada, content=content, title="\0", tags=["\0", "ﬁ"], mood="\u200b")
    found = await read(ada, made["id"])
    assert (found["content"], found["title"], found["tags"], found["mood"]) == (content, "\0", ["\0", "ﬁ"], "\u200b")
    assert len((await ada.request("GET", "/entries", params={"tag": "FI"})).json()["items"]) == 1


async def test_an_entry_may_be_as_large_as_a_record_and_no_larger(ada: Owner) -> None:
    made = await written(ada, content="x" * (MAX_CONTENT_BYTES - 1000))
    assert len((await read(ada, made["id"]))["content"]) == MAX_CONTENT_BYTES - 1000
    problem(await ada.request("POST", "/entries", json={"content": "x" * MAX_CONTENT_BYTES}), 413, "payload_too_large")


async def test_an_entry_cannot_be_emptied_by_a_change(ada: Owner) -> None:
    made = await written(ada, title=None, mood=None, tags=[])
    answer = await ada.request("PUT", f"/entries/{made['id']}", json={"content": "", "revision": 2})
    problem(answer, 422, "invalid_request")


async def test_a_mood_alone_is_an_entry(ada: Owner) -> None:
    made = await ada.request("POST", "/entries", json={"content": "", "mood": "calm"})
    assert (made.status_code, made.json()["content"], made.json()["occurred_at"]) == (201, "", None)


async def test_attachments_come_back_with_their_digests(ada: Owner) -> None:
    digest = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    attachment = {
        "media_id": str(uuid4()), "name": "river.jpg", "media_type": "image/jpeg", "size": 12,
        "sha256": digest, "sealed_size": 300, "sealed_sha256": None, "recipient": None, "thumbnail": None,
    }  # fmt: skip
    thumbnail = {
        "media_id": str(uuid4()), "media_type": "image/webp", "size": 3,
        "sha256": digest, "sealed_size": 290, "sealed_sha256": digest, "recipient": None,
    }  # fmt: skip
    both = [attachment, {**attachment, "media_id": str(uuid4()), "thumbnail": thumbnail}]
    made = await written(ada, attachments=both)
    assert (await read(ada, made["id"]))["attachments"] == both


# ---- whose it is ----


async def test_another_users_entry_is_not_there(http: httpx.AsyncClient, ada: Owner) -> None:
    made = await written(ada)
    sealed = {"payload": "AQE=", "parent": "A" * 43 + "=", "base_revision": 1}
    for other, change, step in (
        (await thin(http), {"content": "x", "revision": 2}, None),
        (await register(http), sealed, sealed),
    ):
        absent = str(uuid4())
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "", change),
            ("DELETE", "", step),
            ("POST", "/restore", step),
            ("GET", "/history", None),
            ("GET", "/revisions/1", None),
        ):
            options = {} if body is None else {"json": body}
            hers = await other.request(method, f"/entries/{made['id']}{path}", **options)
            nobodys = await other.request(method, f"/entries/{absent}{path}", **options)
            problem(hers, 404, "not_found")
            assert hers.json() == nobodys.json()
    assert (await read(ada, made["id"]))["revision"] == 1


async def test_scope_and_tier_are_asked_for(http: httpx.AsyncClient, ada: Owner) -> None:
    login = {"email": ada.email, "password": ada.password, "scope": "entries:read tags"}
    reader = Owner(http, ada.email, ada.password, (await http.post("/auth/login", json=login)).json())
    assert (await reader.request("GET", "/entries")).status_code == 200
    problem(await reader.request("POST", "/entries", json=ENTRY), 403, "insufficient_scope")
    lower = await thin(http, privacy_tier="local_only")
    problem(await lower.request("GET", "/entries"), 403, "tier_required")
    problem(await lower.request("POST", "/entries", json=ENTRY), 403, "tier_required")


async def test_each_opening_stands_in_the_history_of_access(settings: Settings) -> None:
    async with served(settings, clock=Clock()) as (_, http):
        ada = await thin(http)
        made = await written(ada)
        await read(ada, made["id"])
        await ada.request("GET", "/entries")
        accesses = (await ada.request("GET", "/users/me/access")).json()["items"]
    counted = {item["purpose"]: item["openings"] for item in accesses}
    assert counted == {"entries.write": 1, "entries.read": 2}


async def test_a_whole_entry_may_be_sent_back_with_its_changes(ada: Owner) -> None:
    made = await written(ada)
    assert (made["unreadable"], made["imported"]) == (False, None)
    answer = await ada.request("PUT", f"/entries/{made['id']}", json={**made, "mood": "glad", "revision": 2})
    assert (answer.status_code, answer.json()["mood"]) == (200, "glad")

"""Pushing changes: compare and set, batches, retries, conflicts, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import service as records
from lockleaf.wire.codec import JSON, MSGPACK, pack
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.sync import Change
from tests.support.accounts import Owner, change, following, register, sealed


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


async def test_a_new_record_is_the_next_change_and_the_first_revision(owner: Owner) -> None:
    answer = await owner.push(change(), change())
    assert [(r["status"], r["seq"], r["revision"]) for r in answer["results"]] == [("applied", 1, 1), ("applied", 2, 1)]
    assert answer["seq"] == 2


async def test_a_change_follows_the_current_revision_only(owner: Owner) -> None:
    first = change()
    second = following(first)
    assert [r["revision"] for r in await owner.results(first, second)] == [1, 2]
    [late] = await owner.results(following(first))
    assert late["status"] == "conflict"
    assert late["current"]["payload"] == second["payload"]
    assert late["current"]["revision"] == 2


async def test_a_retry_is_unchanged_even_after_the_record_moved_on(owner: Owner) -> None:
    first = change()
    second = following(first)
    await owner.results(first)
    [again] = await owner.results(first)
    assert (again["status"], again["seq"], again["revision"]) == ("unchanged", 1, 1)
    await owner.results(second)
    [again] = await owner.results(first)
    assert (again["status"], again["seq"], again["revision"]) == ("unchanged", 1, 1)
    assert (await owner.feed())["seq"] == 2


async def test_a_retry_within_one_batch_counts_once(owner: Owner) -> None:
    first = change()
    second = following(first)
    results = await owner.results(first, second, first, second)
    assert [(r["status"], r["seq"]) for r in results] == [
        ("applied", 1),
        ("applied", 2),
        ("unchanged", 1),
        ("unchanged", 2),
    ]


async def test_a_wrong_parent_is_rejected_by_name(owner: Owner) -> None:
    first = change()
    await owner.results(first)
    [refused] = await owner.results(following(first, parent=sha256(b"other").digest()))
    assert (refused["status"], refused["code"]) == ("rejected", "parent_mismatch")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"collection": "vault", "record_id": "a"}, "wrong_door"),
        ({"collection": "backups", "record_id": "a"}, "wrong_door"),
        ({"record_id": "not-a-uuid"}, "invalid_record_id"),
        ({"collection": "tags", "record_id": "short"}, "invalid_record_id"),
        ({"payload": b"\x02" + bytes(400)}, "malformed_payload"),
        ({"payload": b"\x01\x03" + bytes(400)}, "malformed_payload"),
        ({"payload": b"\x01\x01"}, "malformed_payload"),
        ({"payload": b"\x01\x01" + bytes(MAX_PAYLOAD_BYTES)}, "payload_too_large"),
    ],
)
async def test_what_no_door_lets_in_is_rejected_and_the_rest_goes_on(owner: Owner, fields: dict, code: str) -> None:
    refused, applied = await owner.results(change(**fields), change())
    assert (refused["status"], refused["code"]) == ("rejected", code)
    assert (applied["status"], applied["seq"]) == ("applied", 1)


async def test_an_application_may_keep_what_it_likes_in_collections_of_its_own(owner: Owner) -> None:
    [applied] = await owner.results(change(collection="x-moods", record_id="2026.w1", payload=b"anything"))
    assert applied["status"] == "applied"


async def test_an_atomic_batch_is_all_or_nothing(owner: Owner) -> None:
    first = change()
    await owner.results(first)
    answer = await owner.push(change(), following(first, base_revision=7, on_conflict="keep"), atomic=True)
    assert [r["status"] for r in answer["results"]] == ["rejected", "conflict"]
    assert answer["results"][0]["code"] == "batch_refused"
    assert "conflict_id" not in answer["results"][1]
    assert answer["seq"] == 1
    assert (await owner.feed())["seq"] == 1


async def test_a_kept_conflict_is_one_however_often_it_is_sent(owner: Owner) -> None:
    first = change()
    await owner.results(first, following(first))
    refused = following(first, on_conflict="keep", labels=[bytes(16)], occurred_at="1660-01-11T00:00:00Z")
    [one] = await owner.results(refused)
    [two] = await owner.results(refused)
    assert one["conflict_id"] == two["conflict_id"]
    listed = (await owner.request("GET", "/sync/conflicts")).json()
    assert listed["total_count"] == 1
    [conflict] = listed["conflicts"]
    assert conflict["id"] == one["conflict_id"]
    assert conflict["local_version"]["encrypted_content"] == encode_base64(refused["payload"])
    assert conflict["local_version"]["occurred_at"] == "1660-01-11T00:00:00Z"
    assert conflict["remote_version"]["revision"] == 2


@pytest.fixture
async def conflict(owner: Owner) -> AsyncIterator[tuple[Owner, dict, str]]:
    """An account with an open conflict: the present revision, and the conflict's id."""
    first = change()
    second = following(first)
    await owner.results(first, second)
    [refused] = await owner.results(following(first, on_conflict="keep"))
    yield owner, second, refused["conflict_id"]


async def _resolve(owner: Owner, conflict_id: str, **body: object) -> httpx.Response:
    headers = {"Content-Type": MSGPACK}
    return await owner.request("POST", f"/sync/conflicts/{conflict_id}/resolve", content=pack(body), headers=headers)


async def test_a_conflict_is_resolved_once(conflict: tuple[Owner, dict, str]) -> None:
    owner, second, conflict_id = conflict
    merged = following(second)
    sealed_change = {name: merged[name] for name in ("base_revision", "parent", "payload")}
    answer = await _resolve(owner, conflict_id, chosen_version="merged", **sealed_change)
    assert answer.status_code == 200
    assert answer.json()["details"]["revision"] == 3
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 0
    assert [c["revision"] for c in (await owner.feed())["changes"]] == [1, 2, 3]
    again = await _resolve(owner, conflict_id, chosen_version="remote")
    assert (again.status_code, again.json()["code"]) == (409, "conflict_resolved")


async def test_choosing_the_servers_version_changes_nothing(conflict: tuple[Owner, dict, str]) -> None:
    owner, _, conflict_id = conflict
    assert (await _resolve(owner, conflict_id, chosen_version="remote")).status_code == 200
    assert (await owner.feed())["seq"] == 2


async def test_a_choice_without_its_content_is_refused(conflict: tuple[Owner, dict, str]) -> None:
    owner, _, conflict_id = conflict
    for choice in ("merged", "local"):
        answer = await _resolve(owner, conflict_id, chosen_version=choice)
        assert (answer.status_code, answer.json()["code"]) == (422, "content_required")


async def test_a_resolution_must_follow_what_is_there(conflict: tuple[Owner, dict, str]) -> None:
    owner, second, conflict_id = conflict
    stale = following(second, base_revision=1)
    sealed_change = {name: stale[name] for name in ("base_revision", "parent", "payload")}
    answer = await _resolve(owner, conflict_id, chosen_version="local", **sealed_change)
    assert (answer.status_code, answer.json()["code"]) == (409, "revision_conflict")
    assert answer.json()["current_revision"] == 2
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 1


async def test_another_users_conflict_and_records_are_not_there(
    conflict: tuple[Owner, dict, str], http: httpx.AsyncClient
) -> None:
    owner, second, conflict_id = conflict
    other = await register(http)
    answer = await _resolve(other, conflict_id, chosen_version="remote")
    unknown = await _resolve(other, "01900000-0000-7000-8000-000000000000", chosen_version="remote")
    assert (answer.status_code, answer.json()) == (unknown.status_code, unknown.json()) == (404, unknown.json())
    [own] = await other.results(change(record_id=second["record_id"]))
    assert (own["status"], own["seq"]) == ("applied", 1)
    assert (await owner.feed())["seq"] == 2


async def test_the_same_change_in_json_has_the_same_effect(owner: Owner) -> None:
    body = change()
    as_json = {
        **body,
        "parent": encode_base64(body["parent"]),
        "payload": encode_base64(body["payload"]),
        "client_updated_at": body["client_updated_at"].isoformat(),
    }
    answer = await owner.request("POST", "/sync/push", json={"changes": [as_json]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    assert answer.json()["results"] == [{"status": "applied", "seq": 1, "revision": 1}]
    [again] = await owner.results(body)
    assert again["status"] == "unchanged"
    page = (await owner.request("GET", "/sync/changes")).json()
    assert page["changes"][0]["payload"] == as_json["payload"]


async def _refusal(owner: Owner, content: bytes, media_type: str = MSGPACK) -> tuple[int, str]:
    answer = await owner.request("POST", "/sync/push", content=content, headers={"Content-Type": media_type})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_malformed_bodies_are_refused_by_name(owner: Owner) -> None:
    good = {"changes": [change()]}
    assert await _refusal(owner, pack(good) + b"\xc0") == (400, "malformed_body")
    assert await _refusal(owner, pack(good)[:-1]) == (400, "malformed_body")
    assert await _refusal(owner, b"{", JSON) == (400, "malformed_body")
    assert await _refusal(owner, b"", JSON) == (400, "malformed_body")
    assert await _refusal(owner, pack([]), MSGPACK) == (422, "invalid_request")
    assert await _refusal(owner, pack({"changes": []})) == (422, "invalid_request")
    assert await _refusal(owner, b"x", "text/plain") == (415, "unsupported_media_type")
    assert await _refusal(owner, pack({"changes": [change()] * 501})) == (422, "invalid_request")
    assert await _refusal(owner, bytes(9 * 1024 * 1024)) == (413, "body_too_large")
    assert (await owner.feed())["seq"] == 0


@pytest.mark.parametrize("payload", ["AAA", "AAA=\n", "AA==AA==", "A-_=", "AB==", " AAAA", "ÄÄÄÄ"])
async def test_base64_is_read_strictly(owner: Owner, payload: str) -> None:
    body = {**change(), "parent": encode_base64(bytes(32)), "client_updated_at": "2026-01-01T00:00:00Z"}
    answer = await owner.request("POST", "/sync/push", json={"changes": [{**body, "payload": payload}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert payload not in answer.text


async def test_a_refusal_never_echoes_what_was_sent(owner: Owner) -> None:
    canary = "canary-of-a-secret-diary"
    answer = await owner.request("POST", "/sync/push", json={"changes": [{"collection": canary, "payload": canary}]})
    assert answer.status_code == 422
    assert canary not in answer.text


async def test_concurrent_writers_of_one_record_have_one_winner(owner: Owner) -> None:
    first = change()
    await owner.results(first)
    answers = await asyncio.gather(*(owner.results(following(first)) for _ in range(8)))
    statuses = sorted(results[0]["status"] for results in answers)
    assert statuses == ["applied"] + ["conflict"] * 7


async def test_a_clock_a_day_off_changes_nothing(owner: Owner) -> None:
    results = await owner.results(
        change(client_updated_at="2099-01-01T00:00:00Z"), change(client_updated_at="1999-01-01T00:00:00+14:00")
    )
    assert [r["status"] for r in results] == ["applied", "applied"]


async def test_an_account_that_keeps_to_its_device_has_no_store(http: httpx.AsyncClient) -> None:
    local = await register(http, privacy_tier="local_only")
    headers = {"Content-Type": MSGPACK}
    answer = await local.request("POST", "/sync/push", content=pack({"changes": [change()]}), headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["required"]) == (403, "tier_required", "full_sync")


async def test_payloads_of_the_largest_size_come_back(owner: Owner) -> None:
    largest = [change(payload=sealed(MAX_PAYLOAD_BYTES - 2)) for _ in range(3)]
    for each in largest:
        assert {r["status"] for r in await owner.results(each, change())} == {"applied"}
    seen, cursor = [], None
    while True:
        page = await owner.feed(cursor)
        assert sum(len(c["payload"]) for c in page["changes"][:-1]) < 8 * 1024 * 1024
        seen += page["changes"]
        cursor = page["cursor"]
        if not page["has_more"]:
            break
    assert [c["seq"] for c in seen] == list(range(1, 7))
    assert [c["payload"] for c in seen[::2]] == [c["payload"] for c in largest]


async def test_a_push_that_names_an_epoch_is_written_in_that_epoch_only(owner: Owner) -> None:
    epoch = (await owner.push(change()))["epoch"]
    assert (await owner.push(change(), epoch=epoch))["seq"] == 2
    body = {"changes": [change()], "epoch": "another"}
    answer = await owner.request("POST", "/sync/push", content=pack(body), headers={"Content-Type": MSGPACK})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "epoch_changed")
    assert (told["epoch"], told["from_seq"], told["from_head"]) == (epoch, 0, encode_base64(bytes(32)))
    assert (await owner.feed())["seq"] == 2
    assert (await owner.push(change()))["seq"] == 3


async def test_a_conflict_with_the_present_revision_is_known_without_the_history(app: FastAPI, owner: Owner) -> None:
    first = change()
    second = following(first)
    await owner.results(first, second)
    looked_up = []
    parts, user_id = app.state.parts, UUID(owner.answer["id"])

    async def statuses(*late: dict) -> list[str]:
        async with parts[Database].transaction() as tx:
            with tx.connection.query_logger(lambda query: looked_up.append("JOIN changes c" in query.query)):
                changes = [Change.model_validate(each) for each in late]
                pushed = await records.push(tx.connection, user_id, changes, now=parts[Clock]())
        return [outcome.status for outcome in pushed.outcomes]

    ahead = {**following(first), "base_revision": 7}
    assert await statuses(following(first), ahead, change(base_revision=3)) == ["conflict"] * 3
    assert looked_up and not any(looked_up)
    assert await statuses(first, {**first, "payload": sealed()}, following(first)) == [
        "unchanged",
        "conflict",
        "conflict",
    ]
    assert sum(looked_up) == 1

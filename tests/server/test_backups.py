"""Backups: the door of older clients, which name devices and times instead of revisions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import httpx
import pytest

from lockleaf.wire.codec import MSGPACK, canonical, pack, unpack
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import Owner, change, register, sealed
from tests.support.feeds import Reader

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


def at(minutes: float) -> str:
    """A client's time, some minutes after noon."""
    return (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def backup(
    log_id: str = "log-1", text: str = "text", *, device: str = "phone", minute: float = 0, **fields: Any
) -> Any:
    return {
        "id": log_id,
        "encrypted_content": encode_base64(text.encode()),
        "content_iv": "an iv, opaque",
        "content_tag": "a tag",
        "created_at": at(-5),
        "updated_at": at(minute),
        "device_id": device,
        **fields,
    }


async def post(owner: Owner, body: dict[str, Any]) -> httpx.Response:
    return await owner.request("POST", "/sync/backup", json=body)


async def store(owner: Owner, body: dict[str, Any]) -> int:
    """Store a backup, and return its revision."""
    answer = await post(owner, body)
    assert answer.status_code == 201, answer.text
    revision: int = answer.json()["revision"]
    return revision


async def listed(owner: Owner, **params: Any) -> Any:
    answer = await owner.request("GET", "/sync/backups", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_backup_comes_back_as_it_was_stored(owner: Owner, prefix: str) -> None:
    body = backup(
        encrypted_embedding=encode_base64(b"\x00\xff"), embedding_iv="x" * 256, embedding_tag="", created_at=at(-9)
    )
    answer = await owner.request("POST", f"http://lockleaf.test{prefix}/sync/backup", json=body)
    assert answer.status_code == 201
    stored = answer.json()
    assert stored["message"]
    assert {name: stored[name] for name in ("id", "created_at", "updated_at", "device_id")} == {
        name: body[name] for name in ("id", "created_at", "updated_at", "device_id")
    }
    assert (stored["revision"], stored["user_id"]) == (1, owner.answer["id"])
    page = (await owner.request("GET", f"http://lockleaf.test{prefix}/sync/backups")).json()
    assert page == {
        "backups": [{**body, "log_id": body["id"], "user_id": owner.answer["id"], "revision": 1}],
        "has_more": False,
        "total_count": 1,
    }


async def test_messagepack_takes_and_gives_raw_bytes(owner: Owner) -> None:
    body = {**backup(), "encrypted_content": b"\x00raw", "log_id": "log-7"}
    del body["id"]
    headers = {"Content-Type": MSGPACK, "Accept": MSGPACK}
    answer = await owner.request("POST", "/sync/backup", content=pack(body), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (201, MSGPACK)
    assert unpack(answer.content)["id"] == "log-7"
    page = unpack((await owner.request("GET", "/sync/backups", headers=headers)).content)
    assert page["backups"][0]["encrypted_content"] == b"\x00raw"


async def test_a_device_replaces_what_it_wrote_itself(owner: Owner) -> None:
    assert await store(owner, backup()) == 1
    assert await store(owner, backup(text="newer", minute=1)) == 2
    assert await store(owner, backup(text="from a clock that went back", minute=-1)) == 3
    [found] = (await listed(owner))["backups"]
    assert found["updated_at"] == at(-1)


async def test_the_same_bytes_again_are_a_retry_even_after_newer_ones(owner: Owner) -> None:
    first, second = backup(), backup(text="newer", minute=1)
    answer = (await post(owner, first)).json()
    assert (await post(owner, first)).json() == answer
    await store(owner, second)
    assert (await post(owner, first)).json() == answer
    [found] = (await listed(owner))["backups"]
    assert (found["revision"], found["encrypted_content"]) == (2, second["encrypted_content"])
    assert (await owner.feed())["seq"] == 2


@pytest.mark.parametrize("minute", [-1, 0, 1], ids=["earlier", "at the same time", "later"])
async def test_another_text_of_another_device_is_a_conflict(owner: Owner, minute: float) -> None:
    await store(owner, backup())
    refused = backup(
        text="other", device="tablet", minute=minute, encrypted_embedding=encode_base64(b"e"), embedding_iv="i"
    )
    found = problem(await post(owner, refused), 409, "backup_conflict")
    assert found["log_id"] == "log-1"
    again = problem(await post(owner, refused), 409, "backup_conflict")
    assert again["conflict_id"] == found["conflict_id"]
    conflicts = (await owner.request("GET", "/sync/conflicts")).json()
    assert conflicts["total_count"] == 1
    [conflict] = conflicts["conflicts"]
    assert (conflict["id"], conflict["collection"], conflict["log_id"]) == (found["conflict_id"], "backups", "log-1")
    local, remote = conflict["local_version"], conflict["remote_version"]
    assert (local["encrypted_content"], local["iv"], local["tag"]) == (
        refused["encrypted_content"],
        "an iv, opaque",
        "a tag",
    )
    assert (local["encrypted_embedding"], local["embedding_iv"]) == (encode_base64(b"e"), "i")
    assert (local["updated_at"], local["device_id"]) == (at(minute), "tablet")
    assert (remote["encrypted_content"], remote["updated_at"], remote["device_id"]) == (
        encode_base64(b"text"),
        at(0),
        "phone",
    )
    assert (await listed(owner))["total_count"] == 1


async def test_what_another_device_only_passes_on_is_no_conflict(owner: Owner) -> None:
    await store(owner, backup())
    assert await store(owner, backup(device="tablet")) == 1
    problem(await post(owner, backup(device="tablet", minute=1)), 409, "backup_conflict")


async def test_with_a_base_revision_it_is_compare_and_set(owner: Owner) -> None:
    assert await store(owner, backup(base_revision=0)) == 1
    assert await store(owner, backup(text="two", device="tablet", minute=1, base_revision=1)) == 2
    assert await store(owner, backup(text="two", device="tablet", minute=1, base_revision=1)) == 2
    assert await store(owner, backup(base_revision=0)) == 1
    late = problem(await post(owner, backup(text="three", base_revision=1)), 409, "backup_conflict")
    assert late["current_revision"] == 2
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 1
    # Whoever names the present revision means it, also where the bytes were there before.
    assert await store(owner, backup(base_revision=2)) == 3


async def test_of_two_devices_at_once_one_is_stored_and_the_other_kept(owner: Owner) -> None:
    for number in range(4):
        devices = [backup(f"log-{number}", text=name, device=name) for name in ("phone", "tablet", "laptop")]
        answers = await asyncio.gather(*(post(owner, body) for body in devices))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await listed(owner))["total_count"] == 4
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 8
    assert len(await Reader(owner).read_all()) == 4


async def test_the_same_request_at_once_is_stored_once(owner: Owner) -> None:
    answers = await asyncio.gather(*(post(owner, backup()) for _ in range(6)))
    assert {(answer.status_code, answer.json()["revision"]) for answer in answers} == {(201, 1)}
    assert (await owner.feed())["seq"] == 1


async def test_a_deleted_backup_is_gone_and_can_be_made_anew(owner: Owner) -> None:
    await store(owner, backup())
    await store(owner, backup(text="newer", minute=1))
    answer = await owner.request("DELETE", "/sync/backup/log-1")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert await listed(owner) == {"backups": [], "has_more": False, "total_count": 0}
    problem(await owner.request("DELETE", "/sync/backup/log-1"), 404, "not_found")
    # The bytes that were deleted are stored again where they are sent again, by whomever.
    assert await store(owner, backup()) == 4
    assert (await listed(owner))["backups"][0]["revision"] == 4
    assert [leaf.deleted for leaf in await Reader(owner).read_all()] == [False, False, True, False]


async def test_deleting_all_backups_leaves_nothing_of_them_and_nothing_else_out(
    owner: Owner, database_url: str
) -> None:
    for number in range(3):
        await store(owner, backup(f"log-{number}"))
    await store(owner, backup("log-0", text="newer", minute=1))
    problem(await post(owner, backup("log-1", device="tablet", text="kept")), 409, "backup_conflict")
    entry = change()
    await owner.results(entry)
    await owner.request("POST", "/vault", json={"vault_id": "v", "ciphertext": "eA==", "iv": "", "salt": ""})
    await owner.request("DELETE", "/sync/backup/log-2")
    answer = (await owner.request("DELETE", "/sync/backup/content")).json()
    assert (answer["deleted_backups"], answer["deleted_conflicts"]) == (2, 1)
    assert answer["message"]
    assert (await listed(owner))["total_count"] == 0
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 0
    assert (await owner.request("GET", "/vault/v")).status_code == 200
    assert [r["payload"] for r in (await owner.feed(collection="entries"))["changes"]] == [entry["payload"]]
    await Reader(owner).read_all()
    connection = await asyncpg.connect(database_url)
    try:
        left = await connection.fetch(
            "SELECT packed FROM records WHERE user_id = $1 AND collection = 'backups'"
            " UNION ALL SELECT packed FROM revisions WHERE user_id = $1 AND collection = 'backups'",
            owner.answer["id"],
        )
    finally:
        await connection.close()
    assert [unpack(row["packed"])["payload"] for row in left] == [b""] * 3
    again = (await owner.request("DELETE", "/sync/backup/content")).json()
    assert (again["deleted_backups"], again["deleted_conflicts"]) == (0, 0)


async def test_the_feed_shows_backups_and_sync_cannot_write_them(owner: Owner) -> None:
    body = backup()
    await store(owner, body)
    [shown] = (await owner.feed(collection="backups"))["changes"]
    fields = {name: value for name, value in body.items() if name != "id"}
    content = {**fields, "log_id": "log-1", "encrypted_content": b"text"}
    assert shown["payload"] == canonical(content)
    assert (shown["device_id"], shown["occurred_at"]) == ("phone", at(0))
    [result] = await owner.results(change(collection="backups", record_id="log-2"))
    assert (result["status"], result["code"]) == ("rejected", "wrong_door")
    await owner.results(change(payload=sealed()))
    assert (await listed(owner))["total_count"] == 1


async def test_another_users_backups_are_not_there(owner: Owner, http: httpx.AsyncClient) -> None:
    await store(owner, backup())
    stranger = await register(http)
    assert (await listed(stranger))["total_count"] == 0
    there = problem(await stranger.request("DELETE", "/sync/backup/log-1"), 404, "not_found")
    assert there == problem(await stranger.request("DELETE", "/sync/backup/log-none"), 404, "not_found")
    assert await store(stranger, backup(device="tablet", text="mine")) == 1
    assert (await stranger.request("DELETE", "/sync/backup/content")).json()["deleted_backups"] == 1
    assert (await listed(owner))["total_count"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "a/b"},
        {"id": "content"},
        {"id": None},
        {"encrypted_content": "not base64!"},
        {"encrypted_content": "eA"},
        {"encrypted_embedding": 7},
        {"content_iv": "x" * 257},
        {"content_tag": "x" * 257},
        {"updated_at": "yesterday"},
        {"created_at": "yesterday"},
        {"device_id": "a device"},
        {"base_revision": -1},
    ],
    ids=str,
)
async def test_what_is_no_backup_is_refused_without_being_repeated(owner: Owner, wrong: dict[str, Any]) -> None:
    answer = await post(owner, backup(**wrong))
    refused = problem(answer, 422, "invalid_request")
    assert [error["field"] for error in refused["errors"]] == list(wrong)
    assert "not base64!" not in answer.text
    assert "yesterday" not in answer.text


async def test_a_backup_beyond_what_a_record_holds_is_refused(owner: Owner) -> None:
    large = encode_base64(bytes(MAX_PAYLOAD_BYTES))
    problem(await post(owner, backup(encrypted_content=large)), 413, "payload_too_large")
    await store(owner, backup())
    problem(await post(owner, backup(device="tablet", encrypted_content=large)), 413, "payload_too_large")
    assert (await owner.request("GET", "/sync/conflicts")).json()["total_count"] == 0


async def test_each_door_asks_for_its_tier(http: httpx.AsyncClient) -> None:
    for tier in ("local_only", "analytics_sync"):
        owner = await register(http, privacy_tier=tier)
        assert problem(await post(owner, backup()), 403, "tier_required")["required"] == "full_sync"
        metrics = await owner.request("DELETE", "/sync/metrics/all")
        if tier == "local_only":
            assert problem(metrics, 403, "tier_required")["required"] == "analytics_sync"
        else:
            assert (metrics.status_code, metrics.json()["deleted_metrics"]) == (200, 0)


def test_the_hash_of_a_payload_is_that_of_its_fields_in_any_order() -> None:
    fields = {"b": b"\x00", "a": NOON, "c": None}
    assert sha256(canonical(fields)).digest() == sha256(canonical(dict(reversed(fields.items())))).digest()
    assert canonical(fields) == pack({"a": at(0), "b": b"\x00"})

"""``/sync`` as its table has it: changes and the feed, checkpoints, live events, backups, conflicts."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lockleaf.crypto import identity
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.statements import MOST_OF_EPOCH
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import Person, problem
from tests.support.accounts import Owner, change, following, register, sealed
from tests.support.contract import Contract, shows
from tests.support.diaries import thin
from tests.support.job_workers import until
from tests.support.metric_contexts import contexts
from tests.support.statements import signed_statement

NOON = "2026-01-01T12:00:00Z"
LATER = "2026-01-01T13:00:00Z"


@pytest.fixture
async def owner(contract: Contract) -> Owner:
    return await register(contract.http)


async def get(owner: Owner, path: str, **params: Any) -> Any:
    answer = await owner.request("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_json(value: Any) -> Any:
    """A body as JSON has it: bytes in base64, times as text."""
    if isinstance(value, dict):
        return {name: in_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return encode_base64(value) if isinstance(value, bytes) else value.isoformat() if hasattr(value, "hour") else value


# ---- changes and the feed ----


@shows("POST /sync/push 200", "GET /sync/changes 200")
async def test_changes_are_pushed_and_read_in_either_encoding(owner: Owner) -> None:
    first, second = change(), change(collection="x-notes", record_id="n1")
    refused = change(collection="vault", record_id="v1")
    answer = await owner.request("POST", "/sync/push", json={"changes": [in_json(first), in_json(refused)]})
    told = answer.json()
    assert told.keys() >= {"results", "seq", "head", "epoch"}
    assert [(r["status"], r.get("seq"), r.get("revision"), r.get("code")) for r in told["results"]] == [
        ("applied", 1, 1, None),
        ("rejected", None, None, "wrong_door"),
    ]
    again = await owner.push(first, second, following(first, base_revision=7))
    assert [r["status"] for r in again["results"]] == ["unchanged", "applied", "conflict"]
    assert again["results"][2]["current"]["payload"] == first["payload"]
    page = await get(owner, "/sync/changes", limit=1)
    assert page.keys() >= {"changes", "cursor", "has_more", "seq", "head", "epoch"}
    assert (page["has_more"], page["changes"][0]["payload"]) == (True, encode_base64(first["payload"]))
    rest = await owner.feed(page["cursor"])
    assert [item["payload"] for item in rest["changes"]] == [second["payload"]]
    assert (await get(owner, "/sync/changes", collection="x-notes"))["verifiable"] is False


@shows("POST /sync/push 200", "GET /sync/changes 200")
async def test_an_earlier_revision_is_shown_as_its_leaf_and_an_atomic_batch_is_all_or_nothing(owner: Owner) -> None:
    first = change()
    await owner.push(first, following(first))
    leaf = (await owner.feed())["changes"][0]
    assert leaf.keys() == {
        "superseded",
        "seq",
        "collection",
        "record_id",
        "revision",
        "parent",
        "meta",
        "payload_hash",
        "deleted",
    }
    refused = await owner.push(change(), following(first, base_revision=7), atomic=True)
    assert [r["status"] for r in refused["results"]] == ["rejected", "conflict"]
    assert (await owner.feed())["seq"] == 2


@shows("POST /sync/push 409 epoch_changed", "GET /sync/changes 409 epoch_changed")
async def test_an_epoch_that_has_ended_is_told_with_where_the_next_goes_on(contract: Contract) -> None:
    owner = await register(contract.http)
    await owner.push(change())
    cursor, epoch = [(await owner.feed())[name] for name in ("cursor", "epoch")]
    await owner.request("DELETE", "/users/me/privacy/revoke")
    await owner.request("PUT", "/users/me/privacy", json=consent())
    told = problem(await owner.request("GET", "/sync/changes", params={"after": cursor}), 409, "epoch_changed")
    assert told.keys() >= {"epoch", "from_seq", "from_head"}
    assert told["epoch"] != epoch
    pushed = {"changes": [in_json(change())], "epoch": epoch}
    problem(await owner.request("POST", "/sync/push", json=pushed), 409, "epoch_changed")


def consent() -> dict[str, Any]:
    """A body that raises the tier."""
    return {
        "privacy_tier": "full_sync",
        "consent_timestamp": (datetime.now(UTC) + timedelta(seconds=1)).isoformat(),
        "he_public_key": encode_base64(contexts().public),
    }


@shows("GET /sync/changes 200")
async def test_another_users_changes_are_not_in_the_feed(contract: Contract, owner: Owner) -> None:
    await owner.push(change())
    other = await register(contract.http)
    assert (await other.feed())["changes"] == []


# ---- live events ----


@shows("GET /sync/events 200", "GET /sync/events 429 too_many_streams")
async def test_live_events_tell_numbers_alone_and_end_with_their_session(contract: Contract, owner: Owner) -> None:
    hub, user_id = contract.app.state.parts[EventHub], UUID(owner.answer["id"])
    room = contract.app.state.parts[Settings].limits.streams_per_account
    streams = [asyncio.create_task(owner.request("GET", "/sync/events")) for _ in range(room)]

    async def all_open() -> bool:
        return bool(hub.open_streams(user_id) == room)

    await until(all_open)
    refused = await owner.request("GET", "/sync/events")
    problem(refused, 429, "too_many_streams")
    assert int(refused.headers["retry-after"]) > 0
    await owner.push(change())
    await owner.request("POST", "/auth/logout")
    for stream in await asyncio.gather(*streams):
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: ")]
        assert json.loads(told[-1]).keys() == {"seq", "inbox", "conflicts"}


# ---- checkpoints ----


@shows(
    "GET /sync/checkpoints 200",
    "POST /sync/checkpoints 204",
    "POST /sync/checkpoints 409 checkpoint_outdated",
    "POST /sync/checkpoints 422 invalid_signature",
)
async def test_a_device_posts_its_signed_word(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    owner = Owner(contract.http, ada.email, ada.secret, ada.tokens)
    await owner.push(change())
    page = await owner.feed()

    async def post(**fields: Any) -> httpx.Response:
        body = {"epoch": page["epoch"], "seq": 1, "head": page["head"], "device_id": "one", "time": NOON, **fields}
        message = identity.checkpoint_message(str(ada.id), body["epoch"], 1, page["head"], "one", NOON)
        body.setdefault("signature", identity.sign(ada.signing_seed, message))
        return await owner.request("POST", "/sync/checkpoints", json=in_json(body))

    problem(await post(signature=bytes(64)), 422, "invalid_signature")
    problem(await post(epoch="another"), 409, "checkpoint_outdated")
    assert (await post()).status_code == 204
    [kept] = (await get(owner, "/sync/checkpoints"))["items"]
    assert (kept["device_id"], kept["seq"], kept["time"]) == ("one", 1, NOON)


@shows(
    "POST /sync/epochs/statements 204",
    "POST /sync/epochs/statements 409 too_many_statements",
    "POST /sync/epochs/statements 422 invalid_signature",
    "PUT /users/me/privacy 409 epoch_end_outdated",
    "PUT /users/me/privacy 409 too_many_statements",
    "PUT /users/me/privacy 422 invalid_signature",
)
async def test_a_device_says_of_an_epoch_that_it_ended_or_goes_on(contract: Contract) -> None:
    ada = await Person().sign_up(contract.http)
    owner = Owner(contract.http, ada.email, ada.secret, ada.tokens)
    told = await owner.push(change())

    def said(**fields: Any) -> dict[str, Any]:
        statement: dict[str, Any] = in_json(signed_statement(ada.signing_seed, str(ada.id), **fields))
        return statement

    async def post(*statements: dict[str, Any]) -> httpx.Response:
        return await owner.request("POST", "/sync/epochs/statements", json={"statements": statements})

    async def lower(end: dict[str, Any]) -> httpx.Response:
        body = {"privacy_tier": "local_only", "epoch_end": end, "current_password": ada.secret}
        return await owner.request("PUT", "/users/me/privacy", json=body)

    here = said(new_epoch=told["epoch"])
    assert (await post(here)).status_code == 204
    assert (await get(owner, "/sync/changes"))["epochs"][0]["statements"] == [here]
    problem(await post(here | {"n": 2}), 422, "invalid_signature")
    many = [said(n=n, new_epoch="full") for n in range(1, MOST_OF_EPOCH + 2)]
    problem(await post(*many), 409, "too_many_statements")
    assert (await post(*many[1:])).status_code == 204
    end = {"kind": "end", "old_epoch": told["epoch"], "seq": told["seq"], "head": told["head"]}
    problem(await lower(said(**{**end, "seq": 0})), 409, "epoch_end_outdated")
    problem(await lower(said(**end) | {"n": 7}), 422, "invalid_signature")
    problem(await lower(said(**end, n=99, new_epoch="full")), 409, "too_many_statements")
    assert (await lower(said(**end))).json()["deleted"]["backups"] == 1


# ---- conflicts ----


async def disputed(owner: Owner) -> tuple[dict[str, Any], str]:
    """The present revision of a record, and the id of a conflict about it."""
    first = change()
    second = following(first)
    results = await owner.results(first, second, following(first, on_conflict="keep"))
    return second, results[2]["conflict_id"]


async def resolve(owner: Owner, conflict_id: object, **body: Any) -> httpx.Response:
    return await owner.request("POST", f"/sync/conflicts/{conflict_id}/resolve", json=in_json(body))


def after(present: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What a resolution brings that was sealed for the revision after ``present``."""
    return {name: following(present, **fields)[name] for name in ("base_revision", "parent", "payload")}


@shows(
    "GET /sync/conflicts 200",
    "POST /sync/conflicts/{conflict_id}/resolve 200",
    "POST /sync/conflicts/{conflict_id}/resolve 409 conflict_resolved",
    "POST /sync/conflicts/{conflict_id}/resolve 404 not_found",
)
@pytest.mark.parametrize("version", ["local", "remote", "merged"])
async def test_a_conflict_is_resolved_once(contract: Contract, owner: Owner, version: str) -> None:
    present, conflict_id = await disputed(owner)
    listed = await get(owner, "/sync/conflicts")
    [conflict] = listed["conflicts"]
    assert (listed["total_count"], conflict["id"], conflict["log_id"]) == (1, conflict_id, present["record_id"])
    assert conflict["collection"] == "entries"
    assert conflict["remote_version"]["encrypted_content"] == encode_base64(present["payload"])
    assert (conflict["local_version"]["iv"], conflict["local_version"]["tag"]) == (None, None)
    other = await register(contract.http)
    foreign = problem(await resolve(other, conflict_id, chosen_version="remote"), 404, "not_found")
    assert problem(await resolve(other, uuid4(), chosen_version="remote"), 404, "not_found") == foreign
    assert (await get(other, "/sync/conflicts"))["conflicts"] == []
    content = {} if version == "remote" else after(present)
    told = (await resolve(owner, conflict_id, chosen_version=version, **content)).json()
    assert (told["success"], bool(told["message"])) == (True, True)
    assert told["details"] == {
        **told["details"],
        "conflict_id": conflict_id,
        "log_id": present["record_id"],
        "chosen_version": version,
    }
    assert (await get(owner, "/sync/conflicts"))["total_count"] == 0
    problem(await resolve(owner, conflict_id, chosen_version="remote"), 409, "conflict_resolved")


@shows(
    "POST /sync/conflicts/{conflict_id}/resolve 409 revision_conflict",
    "POST /sync/conflicts/{conflict_id}/resolve 413 payload_too_large",
    "POST /sync/conflicts/{conflict_id}/resolve 422 content_required",
    "POST /sync/conflicts/{conflict_id}/resolve 422 change_rejected",
)
async def test_a_resolution_brings_a_change_that_fits(owner: Owner) -> None:
    present, conflict_id = await disputed(owner)
    problem(await resolve(owner, conflict_id, chosen_version="merged"), 422, "content_required")
    stale = after(present, base_revision=1)
    problem(await resolve(owner, conflict_id, chosen_version="local", **stale), 409, "revision_conflict")
    large = after(present, payload=sealed(MAX_PAYLOAD_BYTES))
    problem(await resolve(owner, conflict_id, chosen_version="merged", **large), 413, "payload_too_large")
    none = after(present, payload=b"\x09")
    problem(await resolve(owner, conflict_id, chosen_version="merged", **none), 422, "change_rejected")
    assert (await get(owner, "/sync/conflicts"))["total_count"] == 1


@shows("POST /sync/conflicts/{conflict_id}/resolve 409 content_unreadable")
async def test_what_the_server_cannot_open_it_does_not_seal_again(contract: Contract) -> None:
    _, conflict_id = await disputed(uma := await thin(contract.http))
    problem(await resolve(uma, conflict_id, chosen_version="local"), 428, "revision_required")
    answers = [await resolve(uma, conflict_id, chosen_version="local", base_revision=each) for each in (1, 2, 3)]
    assert "content_unreadable" in [answer.json()["code"] for answer in answers]


# ---- backups ----


def backup(**fields: Any) -> dict[str, Any]:
    return {
        "log_id": "log-1",
        "encrypted_content": "c2VhbGVk",
        "content_iv": "an iv",
        "content_tag": "a tag",
        "created_at": NOON,
        "updated_at": NOON,
        "device_id": "phone",
        **fields,
    }


@shows(
    "POST /sync/backup 201",
    "POST /sync/backup 409 backup_conflict",
    "POST /sync/backup 413 payload_too_large",
    "GET /sync/backups 200",
)
async def test_backups_follow_their_older_rule(owner: Owner) -> None:
    stored = (await owner.request("POST", "/sync/backup", json=backup(encrypted_embedding="AAAA"))).json()
    assert stored.keys() >= {"id", "user_id", "created_at", "updated_at", "device_id", "revision", "message"}
    assert (stored["id"], stored["user_id"], stored["updated_at"]) == ("log-1", owner.answer["id"], NOON)
    theirs = backup(encrypted_content="b3RoZXI=", device_id="tablet", updated_at=LATER)
    told = problem(await owner.request("POST", "/sync/backup", json=theirs), 409, "backup_conflict")
    assert told["log_id"] == "log-1"
    [conflict] = (await get(owner, "/sync/conflicts"))["conflicts"]
    assert (conflict["id"], conflict["collection"]) == (told["conflict_id"], "backups")
    assert (conflict["local_version"]["encrypted_content"], conflict["local_version"]["iv"]) == ("b3RoZXI=", "an iv")
    assert conflict["remote_version"]["encrypted_embedding"] == "AAAA"
    large = backup(log_id="large", encrypted_content=encode_base64(bytes(MAX_PAYLOAD_BYTES)))
    problem(await owner.request("POST", "/sync/backup", json=large), 413, "payload_too_large")
    await owner.request("POST", "/sync/backup", json=backup(log_id="log-2", updated_at=LATER))
    listed = await get(owner, "/sync/backups")
    assert [item["id"] for item in listed["backups"]] == ["log-1", "log-2"]
    assert (listed["has_more"], listed["total_count"]) == (False, 2)
    assert [item["id"] for item in (await get(owner, "/sync/backups", since=NOON))["backups"]] == ["log-2"]
    assert (await get(owner, "/sync/backups", limit=1))["has_more"] is True
    assert (await get(owner, "/sync/backups", device_id="phone"))["backups"] == []
    assert (await get(owner, "/sync/backups", device_id="tablet"))["total_count"] == 2


@shows(
    "DELETE /sync/backup/{log_id} 200",
    "DELETE /sync/backup/{log_id} 404 not_found",
    "DELETE /sync/backup/content 200",
    "DELETE /sync/metrics/all 200",
)
async def test_backups_are_deleted_one_by_one_and_all_at_once(contract: Contract, owner: Owner) -> None:
    for number in range(3):
        await owner.request("POST", "/sync/backup", json=backup(log_id=f"log-{number}"))
    other = await register(contract.http)
    foreign = problem(await other.request("DELETE", "/sync/backup/log-0"), 404, "not_found")
    told = (await owner.request("DELETE", "/sync/backup/log-0")).json()
    assert (told["success"], bool(told["message"])) == (True, True)
    assert problem(await owner.request("DELETE", "/sync/backup/log-0"), 404, "not_found") == foreign
    assert (await other.request("DELETE", "/sync/backup/content")).json()["deleted_backups"] == 0
    told = (await owner.request("DELETE", "/sync/backup/content")).json()
    assert (told["deleted_backups"], bool(told["message"])) == (2, True)
    assert (await get(owner, "/sync/backups"))["total_count"] == 0
    told = (await owner.request("DELETE", "/sync/metrics/all")).json()
    assert (told["deleted_metrics"], bool(told["message"])) == (0, True)

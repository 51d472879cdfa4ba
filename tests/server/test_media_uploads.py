"""An upload goes on from wherever it was left, and ends as just what was declared or not at all."""

from __future__ import annotations

import asyncio
import io
import secrets
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.content import MAX_MEDIA_BYTES
from lockleaf.wire.media import MAX_PART_BYTES, MIN_PART_BYTES
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, register
from tests.support.job_workers import until
from tests.support.media import (
    attach,
    complete,
    declaration,
    declare,
    fetch,
    in_parts,
    keys_in_store,
    object_key,
    sent,
    two_parts,
)


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    return await register(http)


@pytest.fixture
def running(app: FastAPI) -> Parts:
    found: Parts = app.state.parts
    return found


async def upload_id(running: Parts, owner: Owner, media_id: str) -> str:
    async with running[Database].read_driver() as connection:
        found: str = await connection.fetchval(
            "SELECT upload_id FROM media WHERE user_id = $1 AND media_id = $2",
            UUID(owner.answer["id"]),
            UUID(media_id),
        )
    return found


async def more(owner: Owner, media_id: str, **body: Any) -> Any:
    answer = await owner.request("POST", f"/media/{media_id}/parts", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_upload_goes_on_behind_a_restart_of_the_server(settings: Settings) -> None:
    parts = two_parts()
    async with served(settings) as (_, http):
        owner = await register(http)
        declared = await declare(owner, in_parts(parts))
        single = await declare(owner, declaration(b"sealed"))
        await sent(http, declared["parts"][1], parts[1])
    async with served(settings) as (_, http):
        owner.http = http
        await sent(http, single["upload"], b"sealed")  # by the address that was signed before
        assert (await complete(owner, single["id"])).status_code == 200
        rest = await more(owner, declared["id"])
        assert (rest["stored"], [part["number"] for part in rest["parts"]]) == ([2], [1])
        await sent(http, rest["parts"][0], parts[0])
    async with served(settings) as (_, http):
        owner.http = http
        assert (await complete(owner, declared["id"])).json()["state"] == "stored"
        assert await fetch(owner, declared["id"]) == b"".join(parts)


async def test_completing_twice_at_once_is_completing(own_app: FastAPI, own_http: httpx.AsyncClient) -> None:
    owner, running = await register(own_http), own_app.state.parts
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    for signed, data in zip(declared["parts"], parts, strict=True):
        await sent(owner.http, signed, data)
    answers = await asyncio.gather(*(complete(owner, declared["id"]) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1
    assert await fetch(owner, declared["id"]) == b"".join(parts)
    assert await keys_in_store(running) == {await object_key(running, owner, declared["id"])}


async def test_an_upload_that_the_store_threw_away_begins_again(owner: Owner, running: Parts) -> None:
    parts = two_parts()
    body = in_parts(parts, id=str(uuid4()))
    declared = await declare(owner, body)
    await sent(owner.http, declared["parts"][0], parts[0])
    key = await object_key(running, owner, body["id"])
    await running[ObjectStore].abort_parts(key, await upload_id(running, owner, body["id"]))
    refused = problem(await complete(owner, body["id"]), 409, "upload_incomplete")
    assert refused["missing"] == [1, 2]
    again = await more(owner, body["id"])
    assert (again["stored"], [part["number"] for part in again["parts"]]) == ([], [1, 2])
    for signed, data in zip(again["parts"], parts, strict=True):
        await sent(owner.http, signed, data)
    assert (await complete(owner, body["id"])).status_code == 200
    assert await fetch(owner, body["id"]) == b"".join(parts)


async def test_a_completion_whose_answer_was_lost_is_found(owner: Owner, running: Parts) -> None:
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    for signed, data in zip(declared["parts"], parts, strict=True):
        await sent(owner.http, signed, data)
    key, upload = (
        await object_key(running, owner, declared["id"]),
        await upload_id(running, owner, declared["id"]),
    )
    # As a process leaves it that dies between the store's answer and its own.
    await running[ObjectStore].complete_parts(key, upload, await running[ObjectStore].parts(key, upload))
    assert (await more(owner, declared["id"]))["stored"] == [1, 2]
    assert (await complete(owner, declared["id"])).status_code == 200
    assert await fetch(owner, declared["id"]) == b"".join(parts)


async def test_a_part_that_is_sent_again_is_one_part(owner: Owner) -> None:
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    for number in (1, 0, 1):
        await sent(owner.http, declared["parts"][number], parts[number])
    assert (await more(owner, declared["id"], numbers=[2, 2]))["stored"] == [1, 2]
    await complete(owner, declared["id"])
    assert await fetch(owner, declared["id"]) == b"".join(parts)


@pytest.mark.parametrize("for_good", ["false", "true"])
async def test_a_completion_that_races_a_deletion_comes_before_it_or_finds_nothing(
    own_app: FastAPI, own_http: httpx.AsyncClient, for_good: str
) -> None:
    owner, running = await register(own_http), own_app.state.parts
    for _ in range(4):
        parts = two_parts()
        declared = await declare(owner, in_parts(parts))
        for signed, data in zip(declared["parts"], parts, strict=True):
            await sent(owner.http, signed, data)
        completed, deleted = await asyncio.gather(
            complete(owner, declared["id"]),
            owner.request("DELETE", f"/media/{declared['id']}", params={"for_good": for_good}),
        )
        assert deleted.status_code == 204
        assert completed.status_code in (200, 404, 409), completed.text

    async def only_what_is_known() -> bool:
        known = {item["id"] for item in (await owner.request("GET", "/media?deleted=all")).json()["items"]}
        return await keys_in_store(running) == {await object_key(running, owner, each) for each in known}

    await until(only_what_is_known)


async def test_a_file_that_is_declared_while_it_is_deleted_can_be_uploaded(owner: Owner) -> None:
    parts = two_parts()
    body = in_parts(parts, id=str(uuid4()))
    for _ in range(3):
        answers = await asyncio.gather(
            *(owner.request("POST", "/media/upload", json=body) for _ in range(3)),
            *(owner.request("DELETE", f"/media/{body['id']}") for _ in range(3)),
        )
        assert {answer.status_code for answer in answers[:3]} == {201}
        assert {answer.status_code for answer in answers[3:]} <= {204, 404}
    declared = await declare(owner, body)
    for signed, data in zip(declared["parts"], parts, strict=True):
        await sent(owner.http, signed, data)
    assert (await complete(owner, body["id"])).status_code == 200
    assert await fetch(owner, body["id"]) == b"".join(parts)


NO_FILES: tuple[tuple[str, object], ...] = (
    ("size", 0),
    ("size", -1),
    ("size", MAX_PART_BYTES + 1),
    ("size", MAX_MEDIA_BYTES + 1),
    ("size", "many"),
    ("sha256", "0" * 63),
    ("sha256", "AAAA"),
    ("sha256", "g" * 64),
    ("sha256", " " * 64),
    ("media_type", "image"),
    ("media_type", "image/png; name=diary"),
    ("media_type", "../etc/passwd"),
    ("media_type", "text/" + "x" * 124),
    ("media_type", "text/html\r\nX: y"),
    ("id", "../../1"),
    ("entry_id", "none"),
    ("parts", 3),
    ("parts", []),
    ("parts", [{"size": 9, "sha256": "0" * 64}]),
    ("parts", [{"size": 5, "sha256": "0" * 64}] * 2),
    ("parts", [{"size": 10, "sha256": "0" * 64}, {"size": 0, "sha256": "0" * 64}]),
)


async def test_what_can_be_no_file_is_refused_without_an_echo(owner: Owner) -> None:
    for field, value in NO_FILES:
        answer = await owner.request("POST", "/media/upload", json=declaration(bytes(10)) | {field: value})
        refused = problem(answer, 422, "invalid_request")
        assert [set(error) for error in refused["errors"]] == [{"field", "type", "message"}] * len(refused["errors"])
        assert refused["errors"], (field, value)
        assert not isinstance(value, str) or len(value) < 7 or value not in answer.text
    assert (await owner.request("GET", "/media")).json()["items"] == []


async def test_the_largest_file_is_declared_in_the_smallest_parts(owner: Owner) -> None:
    count = MAX_MEDIA_BYTES // MIN_PART_BYTES
    body = declaration(b"") | {
        "size": MAX_MEDIA_BYTES,
        "parts": [{"size": MIN_PART_BYTES, "sha256": secrets.token_hex(32)} for _ in range(count)],
    }
    declared = await declare(owner, body)
    assert [part["number"] for part in declared["parts"]] == list(range(1, 101))
    last = await more(owner, declared["id"], numbers=[count])
    assert [part["number"] for part in last["parts"]] == [count]
    assert (
        await owner.request("POST", f"/media/{declared['id']}/parts", json={"numbers": [1] * 101})
    ).status_code == 422
    one_more = body | {"size": MAX_MEDIA_BYTES + 1, "parts": [*body["parts"], {"size": 1, "sha256": "0" * 64}]}
    problem(await owner.request("POST", "/media/upload", json=one_more), 422, "invalid_request")


async def test_addresses_are_those_by_which_the_server_is_reached(settings: Settings) -> None:
    async with served(settings) as (_, http):
        owner = await register(http)
        declared = await declare(owner, declaration(b"x"))
        assert declared["upload"]["url"].startswith("http://lockleaf.test/api/v1/objects/")
    public = settings.model_copy(
        update={"blobs": settings.blobs.model_copy(update={"public_url": "https://journal.example"})}
    )
    async with served(public) as (_, http):
        owner.http = http
        declared = await declare(owner, declaration(b"x"))
        assert declared["upload"]["url"].startswith("https://journal.example/api/v1/objects/")


async def test_no_address_and_no_digest_comes_into_the_log(owner: Owner, running: Parts, log: io.StringIO) -> None:
    data = secrets.token_bytes(100)
    media_id = await attach(owner, data, media_type="image/x-canary")
    await fetch(owner, media_id)
    await owner.request("DELETE", f"/media/{media_id}?for_good=true")
    key = await declared_key(running, owner)
    told = log.getvalue()
    assert "/media/{media_id}/complete" in told
    for secret in (media_id, key, declaration(data)["sha256"], "x-canary", "signature"):
        assert secret not in told


async def declared_key(running: Parts, owner: Owner) -> str:
    """The beginning of every object's key."""
    declared = await declare(owner, declaration(b"x"))
    return (await object_key(running, owner, declared["id"]))[:8]

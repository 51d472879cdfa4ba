"""Uploads of clients that name no digest: what came is what exists, and nobody can put anything else in its place."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.media import upkeep
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import BlobSettings, Settings
from lockleaf.wire.fields import decode_base64
from tests.support.account_holders import Person, problem, served
from tests.support.accounts import Owner, register
from tests.support.diaries import thin
from tests.support.job_workers import until
from tests.support.media import (
    complete,
    declaration,
    declare,
    fetch,
    in_parts,
    keys_in_store,
    object_key,
    send,
    sent,
    two_parts,
)
from tests.support.s3_front import BUCKET, running_s3_front

DATA, OTHER = secrets.token_bytes(5000), secrets.token_bytes(5000)


def undigested(data: bytes, **fields: Any) -> dict[str, Any]:
    """What a client says of a file whose digest it does not take."""
    told = declaration(data, **fields)
    del told["sha256"]
    return told


@pytest.fixture(params=["folder", "bucket"])
async def place(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[tuple[Parts, Owner]]:
    """A server with its objects in a folder, and one with a bucket, and somebody without a keyring."""
    if request.param == "folder":
        async with served(settings) as (app, http):
            yield app.state.parts, await register(http)
        return
    with running_s3_front() as front:
        blobs = BlobSettings(
            kind="s3",
            bucket=BUCKET,
            endpoint=front.url,
            region=front.account.region,
            access_key=front.account.access_key,
            secret_key=front.account.secret_key,
        )
        async with served(settings.model_copy(update={"blobs": blobs})) as (app, http):
            yield app.state.parts, await register(http)


@pytest.fixture
async def bearer(place: tuple[Parts, Owner]) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever has an address of the store, and no account."""
    parts, owner = place
    if parts[Settings].blobs.kind == "s3":
        async with httpx.AsyncClient(trust_env=False) as client:
            yield client
    else:
        yield owner.http


async def test_a_file_is_what_was_received(place: tuple[Parts, Owner], bearer: httpx.AsyncClient) -> None:
    parts, owner = place
    body = undigested(DATA, id="018f9d3e-0000-7000-8000-0000000000aa")
    declared = await declare(owner, body)
    problem(await complete(owner, declared["id"]), 409, "upload_incomplete")
    assert "sha256" not in (await owner.request("GET", f"/media/{declared['id']}")).json()
    await sent(bearer, declared["upload"], OTHER)  # and again: its answer was lost, or the client thought better of it
    await sent(bearer, (await declare(owner, body))["upload"], DATA)
    done = (await complete(owner, declared["id"])).json()
    assert (done["state"], decode_base64(done["sha256"])) == ("stored", sha256(DATA).digest())
    assert (await complete(owner, declared["id"])).json() == done
    assert await declare(owner, body) == {"id": declared["id"], "state": "stored"}
    assert (await declare(owner, {**body, "sha256": sha256(DATA).hexdigest()}))["state"] == "stored"
    wrong = await owner.request("POST", "/media/upload", json={**body, "sha256": sha256(OTHER).hexdigest()})
    problem(wrong, 409, "media_id_taken")
    told = (await owner.request("GET", f"/media/{declared['id']}/download")).json()
    assert told["sha256"] == done["sha256"]
    await upkeep.remove_staged(parts[Removals])
    assert await keys_in_store(parts) == {await object_key(parts, owner, declared["id"])}


async def test_the_address_is_of_no_use_once_the_file_exists(
    place: tuple[Parts, Owner], bearer: httpx.AsyncClient
) -> None:
    parts, owner = place
    declared = await declare(owner, undigested(DATA))
    await sent(bearer, declared["upload"], DATA)
    assert (await complete(owner, declared["id"])).status_code == 200
    await send(bearer, declared["upload"], OTHER)
    assert await fetch(owner, declared["id"], over=bearer) == DATA
    await upkeep.remove_staged(parts[Removals])
    await send(bearer, declared["upload"], OTHER)
    assert await fetch(owner, declared["id"], over=bearer) == DATA
    assert (await complete(owner, declared["id"])).json()["state"] == "stored"
    assert (await owner.request("DELETE", f"/media/{declared['id']}?for_good=true")).status_code == 204
    await upkeep.remove_staged(parts[Removals])
    left = await keys_in_store(parts)
    assert len(left) == (1 if parts[Settings].blobs.kind == "s3" else 0)  # a bucket's, which the sweep finds by age


async def test_completing_at_once_makes_one_file(place: tuple[Parts, Owner], bearer: httpx.AsyncClient) -> None:
    parts, owner = place
    declared = await declare(owner, undigested(DATA))
    await sent(bearer, declared["upload"], DATA)
    answers = await asyncio.gather(*(complete(owner, declared["id"]) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1
    assert await fetch(owner, declared["id"], over=bearer) == DATA
    await upkeep.remove_staged(parts[Removals])
    key = await object_key(parts, owner, declared["id"])

    async def only_that_is_left() -> bool:
        return await keys_in_store(parts) == {key}

    await until(only_that_is_left)


async def test_a_file_that_is_deleted_while_it_is_completed_leaves_nothing(
    own_app: FastAPI, own_http: httpx.AsyncClient
) -> None:
    http = own_http
    parts, owner = own_app.state.parts, await register(http)
    for _ in range(20):
        declared = await declare(owner, undigested(DATA))
        await sent(http, declared["upload"], DATA)
        deletion = owner.request("DELETE", f"/media/{declared['id']}?for_good=true")
        completed, deleted = await asyncio.gather(complete(owner, declared["id"]), deletion)
        assert (completed.status_code in (200, 404), deleted.status_code) == (True, 204)
    await upkeep.remove_staged(parts[Removals])

    async def nothing_is_left() -> bool:
        return await keys_in_store(parts) == set()

    await until(nothing_is_left)


async def test_bytes_of_another_size_are_damage(own_app: FastAPI, own_http: httpx.AsyncClient) -> None:
    http = own_http
    parts, owner = own_app.state.parts, await register(http)
    declared = await declare(owner, undigested(DATA))
    key = await object_key(parts, owner, declared["id"])
    # As in a store that does not compare what comes with what was signed.
    signed = await parts[ObjectStore].sign_upload(key, size=7, sha256=None, seconds=60)
    assert (await http.put(f"http://lockleaf.test{signed.url}", headers=signed.headers, content=b"shorter")).is_success
    problem(await complete(owner, declared["id"]), 409, "upload_damaged")
    await upkeep.remove_staged(parts[Removals])
    assert await keys_in_store(parts) == set()
    problem(await complete(owner, declared["id"]), 409, "upload_incomplete")


async def test_whoever_seals_under_a_keyring_names_the_digest(http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    answer = await http.post("/media/upload", json=undigested(DATA), headers=person.headers)
    assert [error["field"] for error in problem(answer, 422, "invalid_request")["errors"]] == ["sha256"]
    assert (await http.get("/media", headers=person.headers)).json()["items"] == []


async def test_a_file_in_parts_names_the_digest_of_the_whole(http: httpx.AsyncClient) -> None:
    body = in_parts(two_parts())
    del body["sha256"]
    answer = await (await thin(http)).request("POST", "/media/upload", json=body)
    assert [error["field"] for error in problem(answer, 422, "invalid_request")["errors"]] == ["sha256"]

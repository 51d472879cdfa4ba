"""Media in a bucket: refusals are the store's own, and a store that is down at any step costs nothing but time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import httpx
import pytest

from lockleaf.server.features.media import upkeep
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.removals import BATCH
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import BlobSettings, MediaSettings, Settings
from tests.support.account_holders import problem, served
from tests.support.accounts import Owner, change, register
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
    send,
    sent,
    two_parts,
)
from tests.support.s3_front import BUCKET, S3Front, running_s3_front

ROOM = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def s3_front() -> Iterator[S3Front]:
    """A bucket that refuses what S3 refuses."""
    with running_s3_front() as front:
        yield front


@pytest.fixture
async def server(settings: Settings, s3_front: S3Front) -> AsyncIterator[tuple[Parts, Owner]]:
    """A server whose files lie in the bucket, and somebody with room for one large file."""
    blobs = BlobSettings(
        kind="s3",
        bucket=BUCKET,
        endpoint=s3_front.url,
        region=s3_front.account.region,
        access_key=s3_front.account.access_key,
        secret_key=s3_front.account.secret_key,
        timeout_seconds=2,
    )
    chosen = settings.model_copy(update={"blobs": blobs, "media": MediaSettings(quota_bytes_e2e=ROOM)})
    async with served(chosen) as (app, http):
        yield app.state.parts, await register(http)


@pytest.fixture
async def bucket() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bucket, which knows nothing of accounts."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def test_a_bucket_takes_just_what_was_declared_and_gives_it_back(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient, s3_front: S3Front
) -> None:
    running, owner = server
    declared = await declare(owner, declaration(b"sealed"))
    assert (await send(bucket, declared["upload"], b"forged")).status_code == 400
    problem(await complete(owner, declared["id"]), 409, "upload_incomplete")
    await sent(bucket, declared["upload"], b"sealed")
    assert (await complete(owner, declared["id"])).status_code == 200
    assert await fetch(owner, declared["id"], over=bucket) == b"sealed"
    told = (await owner.request("GET", f"/media/{declared['id']}/download")).json()
    part = await bucket.get(told["url"], headers={**told["headers"], "Range": "bytes=2-3"})
    assert (part.status_code, part.content) == (206, b"al")
    with s3_front.later(running[Settings].media.download_seconds + 1):
        assert (await bucket.get(told["url"], headers=told["headers"])).status_code == 403
    assert (await owner.request("DELETE", f"/media/{declared['id']}?for_good=true")).status_code == 204
    key = told["url"].partition("?")[0].rpartition("/")[2]

    async def is_gone() -> bool:
        return key not in await keys_in_store(running)

    await until(is_gone)


async def test_a_large_file_goes_into_a_bucket_in_parts_and_resumes(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient, s3_front: S3Front
) -> None:
    running, owner = server
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    await sent(bucket, declared["parts"][0], parts[0])
    assert problem(await complete(owner, declared["id"]), 409, "upload_incomplete")["missing"] == [2]
    rest = (await owner.request("POST", f"/media/{declared['id']}/parts")).json()
    assert (rest["stored"], [part["number"] for part in rest["parts"]]) == ([1], [2])
    await sent(bucket, rest["parts"][0], parts[1])
    # Put together, and the answer lost, as often as the server asks.
    s3_front.die("answer", "POST", times=9)
    answer = await complete(owner, declared["id"])
    assert answer.status_code in (200, 503)
    while s3_front.dies("answer", "POST"):
        pass
    assert (await complete(owner, declared["id"])).json()["state"] == "stored"
    assert await fetch(owner, declared["id"], over=bucket) == b"".join(parts)
    assert await object_key(running, owner, declared["id"]) in await keys_in_store(running)


async def test_a_bucket_that_is_down_at_any_step_loses_nothing(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient, s3_front: S3Front
) -> None:
    running, owner = server
    await running[EventHub].listening.wait()
    parts, media_id = two_parts(), str(uuid4())
    body = in_parts(parts, id=media_id)
    with s3_front.unreachable():
        refused = await owner.request("POST", "/media/upload", json=in_parts(parts))
        problem(refused, 503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        ready = await owner.http.get("http://lockleaf.test/ready")
        assert (ready.status_code, int(ready.headers["Retry-After"]) > 0) == (503, True)
        assert (ready.json()["ready"], ready.json()["store"]) == (False, {"ok": False, "code": "store_unavailable"})
        # What needs no file goes on.
        assert (await owner.push(change()))["results"][0]["status"] == "applied"
    ready = await owner.http.get("http://lockleaf.test/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    # What came to nothing has no room: there is enough for one only.
    declared = await declare(owner, body)
    await sent(bucket, declared["parts"][0], parts[0])
    with s3_front.unreachable():
        problem(await owner.request("POST", f"/media/{media_id}/parts"), 503, "store_unavailable")
        problem(await complete(owner, media_id), 503, "store_unavailable")
        # Signing needs no store.
        assert (await declare(owner, body))["state"] == "uploading"
    await sent(bucket, declared["parts"][1], parts[1])
    assert (await complete(owner, media_id)).status_code == 200
    key = await object_key(running, owner, media_id)
    with s3_front.unreachable():
        assert (await owner.request("DELETE", f"/media/{media_id}?for_good=true")).status_code == 204
        with pytest.raises(StoreUnavailable):
            await running.call(upkeep.remove_staged)
    assert key in await keys_in_store(running)
    await running.call(upkeep.remove_staged)
    assert key not in await keys_in_store(running)
    await attach(owner, b"sealed", over=bucket)


async def test_what_the_store_does_not_abort_does_not_hold_up_the_rest(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient, s3_front: S3Front
) -> None:
    running, owner = server
    parts = two_parts()
    unfinished = await declare(owner, in_parts(parts))
    media_id = await attach(owner, b"sealed", over=bucket)
    key = await object_key(running, owner, media_id)
    async with running[Database].transaction() as tx:
        # Staged as a process leaves it that dies behind its commit, the upload before the object.
        await tx.connection.execute(
            "WITH gone AS (DELETE FROM media WHERE user_id = $1 RETURNING object_key, upload_id, created_at)"
            " INSERT INTO media_removals (object_key, upload_id, staged_at)"
            " SELECT object_key, upload_id, created_at FROM gone",
            UUID(owner.answer["id"]),
        )
    s3_front.die("head", "DELETE", times=9)  # more often than anybody tries
    with pytest.raises(StoreUnavailable):
        await running.call(upkeep.remove_staged)
    while s3_front.dies("head", "DELETE"):
        pass
    assert key not in await keys_in_store(running)
    unsent = await send(bucket, unfinished["parts"][1], parts[1])
    assert unsent.is_success  # the upload is still there
    await running.call(upkeep.remove_staged)
    gone = await send(bucket, unfinished["parts"][1], parts[1])
    assert gone.status_code == 404


async def test_what_the_store_does_not_delete_does_not_hold_up_the_rest(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient, s3_front: S3Front
) -> None:
    running, owner = server
    media_id = await attach(owner, b"sealed", over=bucket)
    key = await object_key(running, owner, media_id)
    async with running[Database].transaction() as tx:
        # As many as are deleted at a time, and behind them one more.
        await tx.connection.execute(
            "INSERT INTO media_removals (object_key, staged_at)"
            " SELECT lpad(to_hex(n), 40, '0'), now() - interval '1 hour' FROM generate_series(1, $1::int) AS n",
            BATCH,
        )
        await tx.connection.execute("DELETE FROM media WHERE user_id = $1", UUID(owner.answer["id"]))
        await tx.connection.execute(
            "INSERT INTO media_removals (object_key, staged_at) VALUES ($1, now() - interval '1 minute')", key
        )
    s3_front.die("head", "POST", times=9)
    with pytest.raises(StoreUnavailable):
        await running.call(upkeep.remove_staged)
    while s3_front.dies("head", "POST"):
        pass
    async with running[Database].read_driver() as connection:
        first = await connection.fetchval("SELECT object_key FROM media_removals ORDER BY staged_at LIMIT 1")
    assert first == key
    await running.call(upkeep.remove_staged)
    assert key not in await keys_in_store(running)
    async with running[Database].read_driver() as connection:
        assert await connection.fetchval("SELECT count(*) FROM media_removals") == 0


async def test_an_unfinished_upload_leaves_no_parts_in_the_bucket(
    server: tuple[Parts, Owner], bucket: httpx.AsyncClient
) -> None:
    running, owner = server
    parts = two_parts()
    declared = await declare(owner, in_parts(parts))
    await sent(bucket, declared["parts"][0], parts[0])
    async with running[Database].transaction() as tx:
        await tx.connection.execute("UPDATE media SET touched_at = now() - interval '25 hours'")
    await running.call(upkeep.forget_unfinished)
    problem(await complete(owner, declared["id"]), 404, "not_found")
    refused = await send(bucket, declared["parts"][1], parts[1])
    assert refused.status_code == 404

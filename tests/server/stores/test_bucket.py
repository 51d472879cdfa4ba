"""The store that speaks S3: requests that break off, addresses for clients alone, and what it keeps to itself."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from pydantic import ValidationError

from lockleaf.server.main.app import create_app
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore, StoredObject, UploadGone
from lockleaf.server.platform.blobs.s3_store import S3Store
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import BlobSettings, Settings
from tests.support.object_stores import MINUTE, Bearer, S3Site, bearer, code, new_key, part, sha256

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = b"sealed " * 3000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def someone(bucket: S3Site) -> AsyncIterator[Bearer]:
    async with bearer(bucket) as someone:
        yield someone


@asynccontextmanager
async def _store(site: S3Site, **changed: object) -> AsyncIterator[S3Store]:
    store = S3Store(site.settings(**changed), lambda: datetime.now(UTC))
    try:
        yield store
    finally:
        await store.close()


# ---- requests that break off ----


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_an_upload_that_the_store_breaks_off_leaves_nothing_and_goes_through_again(
    someone: Bearer, bucket: S3Site, stage: str
) -> None:
    key = new_key()
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    bucket.front.die("head" if stage == "head" else "body", "PUT")
    with pytest.raises(httpx.TransportError):
        await someone.send(signed, DATA)
    assert await someone.store.stat(key) is None
    assert (await someone.send(signed, DATA)).is_success


async def test_an_upload_whose_answer_is_lost_is_there_and_may_be_sent_again(someone: Bearer, bucket: S3Site) -> None:
    key = new_key()
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    bucket.front.die("answer", "PUT")
    with pytest.raises(httpx.TransportError):
        await someone.send(signed, DATA)
    assert await someone.store.stat(key) == StoredObject(len(DATA), sha256(DATA))
    assert (await someone.send(signed, DATA)).is_success


async def test_a_completion_whose_answer_is_lost_has_made_the_object(someone: Bearer, bucket: S3Site) -> None:
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, DATA)
        bucket.front.die("answer", "POST")
        with pytest.raises(UploadGone):
            await someone.store.complete_parts(key, upload, [part(1, DATA)])
        assert await someone.store.stat(key) == StoredObject(len(DATA), None)


async def test_a_connection_that_breaks_once_is_not_noticed(someone: Bearer, bucket: S3Site) -> None:
    key = await someone.keep(DATA)
    bucket.front.die("head", "HEAD")
    assert await someone.store.stat(key) == StoredObject(len(DATA), sha256(DATA))
    bucket.front.die("answer", "POST")
    await someone.store.delete([key])
    assert await someone.store.stat(key) is None


# ---- what is signed ----


async def test_a_header_that_was_not_signed_is_refused(someone: Bearer) -> None:
    key = new_key()
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    answer = await someone.send(signed, DATA, {"x-amz-acl": "public-read"})
    assert (answer.status_code, code(answer)) == (403, "AccessDenied")
    without = replace(signed, headers={})
    assert (await someone.send(without, DATA)).status_code == 403
    assert await someone.store.stat(key) is None


async def test_a_part_is_signed_with_its_digest_or_not_at_all(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        with pytest.raises(ValueError, match="32 bytes"):
            await someone.store.sign_part(key, upload, 1, size=1, sha256=b"", seconds=MINUTE)


async def test_clients_get_addresses_of_the_public_endpoint_with_the_bucket_where_it_belongs(bucket: S3Site) -> None:
    port = bucket.front.port
    async with (
        _store(bucket, public_endpoint=f"http://store.test:{port}", style="virtual") as store,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        key = new_key()
        signed = await store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
        url = urlsplit(signed.url)
        assert (url.hostname, url.path) == ("media.store.test", f"/{key}")
        answer = await http.put(
            signed.url.replace("media.store.test", "127.0.0.1"),
            headers={**signed.headers, "Host": url.netloc},
            content=DATA,
        )
        assert answer.is_success, answer.text
        assert await store.stat(key) == StoredObject(len(DATA), sha256(DATA))
        elsewhere = await http.put(
            signed.url.replace("media.store.test", "127.0.0.1"), headers=signed.headers, content=DATA
        )
        assert code(elsewhere) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("changed", "address"),
    [
        ({"endpoint": None}, "https://media.s3.eu-central-1.amazonaws.com/"),
        ({"endpoint": None, "bucket": "dotted.media"}, "https://s3.eu-central-1.amazonaws.com/dotted.media/"),
        ({"endpoint": "https://minio.example.org:9000"}, "https://minio.example.org:9000/media/"),
        ({"endpoint": "https://minio.example.org", "style": "virtual"}, "https://media.minio.example.org/"),
        (
            {"endpoint": "https://account.r2.cloudflarestorage.com", "region": "auto"},
            "https://account.r2.cloudflarestorage.com/media/",
        ),
        ({"endpoint": None, "style": "path", "prefix": "one/"}, "https://s3.eu-central-1.amazonaws.com/media/one/"),
    ],
    ids=["aws", "aws, a bucket with dots", "minio", "minio by name", "r2", "aws by path, with a prefix"],
)
async def test_the_bucket_stands_where_the_store_expects_it(
    bucket: S3Site, changed: dict[str, str | None], address: str
) -> None:
    key = new_key()
    async with _store(bucket, **changed) as store:
        signed = await store.sign_download(key, seconds=MINUTE)
    assert signed.url.startswith(f"{address}{key}?")


# ---- what is kept apart, and kept quiet ----


async def test_stores_with_other_prefixes_in_one_bucket_know_nothing_of_each_other(
    someone: Bearer, bucket: S3Site
) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    async with _store(bucket, prefix="another/") as store:
        another = Bearer(bucket, store, someone.http)
        key = await another.keep(DATA)
        assert await someone.store.stat(key) is None
        assert key not in [each async for each in someone.store.list_keys(older_than=ahead)]
        assert [each async for each in store.list_keys(older_than=ahead)] == [key]
        await someone.store.delete([key])
        assert await store.stat(key) == StoredObject(len(DATA), sha256(DATA))


async def test_a_store_that_refuses_says_why_to_the_operator_and_nothing_of_keys_or_objects(
    bucket: S3Site, log: io.StringIO
) -> None:
    key = new_key()
    async with _store(bucket, secret_key="another/secret" * 3) as stranger, _store(bucket) as store:
        await store.sign_upload(key, size=1, sha256=bytes(32), seconds=MINUTE)
        assert await store.stat(key) is None
        for refused in (stranger.check(), stranger.stat(key), stranger.begin_parts(key)):
            with pytest.raises(StoreUnavailable):
                await refused
    written = log.getvalue()
    assert '"operation": "create_multipart_upload", "code": "SignatureDoesNotMatch"' in written
    for secret in (key, "another/secret", bucket.front.account.access_key, bucket.front.account.secret_key, "X-Amz"):
        assert secret not in written


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "s3"},
        {"kind": "s3", "bucket": "media", "access_key": "only one of both"},
        {"kind": "s3", "bucket": "Not A Bucket"},
        {"kind": "s3", "bucket": "media", "endpoint": "minio:9000"},
        {"kind": "s3", "bucket": "media", "endpoint": "https://user:password@minio.example.org"},
        {"kind": "ftp"},
    ],
)
async def test_settings_that_lead_nowhere_are_refused_at_the_start(told: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        BlobSettings.model_validate(told)


async def test_a_server_with_a_bucket_has_no_routes_for_objects_of_its_own(
    bucket: S3Site, settings: Settings, someone: Bearer
) -> None:
    app = create_app(settings.model_copy(update={"blobs": bucket.settings()}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test") as http:
        signed = await app.state.parts[ObjectStore].sign_download(new_key(), seconds=MINUTE)
        assert signed.url.startswith(bucket.front.url)
        answer = await http.get(f"/api/v1/objects/{new_key()}")
        assert (answer.status_code, code(answer)) == (404, "route_not_found")
    await app.state.parts[ObjectStore].close()
    await app.state.parts[Database].close()

"""What every object store does, shown of both: the server's own folder, and a bucket as strict as S3."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lockleaf.server.platform.blobs.errors import SizeMismatch, StoreUnavailable
from lockleaf.server.platform.blobs.protocol import SignedRequest, StoredObject, UploadGone
from tests.support.object_stores import (
    MIB,
    MINUTE,
    Bearer,
    altered,
    code,
    new_key,
    part,
    sha256,
)

# One event loop for all: an S3 client takes half a second to make.
pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = b"sealed " * 3000
LARGE = os.urandom(5 * MIB)
"""As large as a part must be that is not the last."""
LAST = b"the end"


async def _signed(someone: Bearer, key: str, data: bytes = DATA, seconds: int = MINUTE) -> SignedRequest:
    return await someone.store.sign_upload(key, size=len(data), sha256=sha256(data), seconds=seconds)


# ---- whole objects ----


async def test_what_was_signed_is_kept_and_read_back_as_an_attachment(someone: Bearer) -> None:
    key = await someone.keep(DATA)
    assert await someone.store.stat(key) == StoredObject(len(DATA), sha256(DATA))
    answer = await someone.fetch(key)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["cache-control"] == "private, no-store"


async def test_a_request_says_when_it_expires_and_what_to_send(someone: Bearer) -> None:
    before = datetime.now(UTC)
    signed = await _signed(someone, new_key(), seconds=300)
    assert signed.method == "PUT"
    assert signed.headers["Content-Length"] == str(len(DATA))
    assert timedelta(seconds=295) < signed.expires_at - before < timedelta(seconds=305)


async def test_without_a_digest_any_bytes_of_the_size_come_in_and_a_copy_stays_as_it_was_made(someone: Bearer) -> None:
    key, copy, other = new_key(), new_key(), DATA[::-1]
    assert await someone.store.copy(key, copy) is None
    assert await someone.store.stat(copy) is None
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=None, seconds=MINUTE)
    assert "x-amz-checksum-sha256" not in signed.headers
    assert (await someone.send(signed, DATA)).is_success
    assert await someone.store.copy(key, copy) == StoredObject(len(DATA), sha256(DATA))
    assert (await someone.send(signed, other)).is_success
    assert (await someone.fetch(key)).content == other
    answer = await someone.fetch(copy)
    assert (answer.content, answer.headers["content-type"]) == (DATA, "application/octet-stream")
    for wrong in (DATA + b"!", DATA[:-1]):
        refused = await someone.send(signed, wrong)
        assert (refused.status_code, code(refused)) in REFUSALS["too many bytes"] + REFUSALS["too few bytes"]
    if someone.kind == "file":
        named = replace(signed, url=f"{signed.url}&sha256={sha256(DATA).hex()}")
        refused = await someone.send(named, DATA)
        assert (refused.status_code, code(refused)) == (403, "url_invalid")


async def test_the_same_upload_again_changes_nothing(someone: Bearer) -> None:
    key = new_key()
    signed = await _signed(someone, key)
    for _ in range(2):
        assert (await someone.send(signed, DATA)).is_success
    assert await someone.store.stat(key) == StoredObject(len(DATA), sha256(DATA))


async def test_an_object_that_is_not_there_is_nowhere(someone: Bearer) -> None:
    key = new_key()
    assert await someone.store.stat(key) is None
    assert (await someone.fetch(key)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=20990-", 20990, 21000), ("bytes=-5", 20995, 21000)],
)
async def test_a_range_is_read_by_itself(someone: Bearer, asked: str, first: int, end: int) -> None:
    answer = await someone.fetch(await someone.keep(DATA), asked)
    assert (answer.status_code, answer.content) == (206, DATA[first:end])
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{len(DATA)}"


async def test_a_range_behind_the_end_is_refused(someone: Bearer) -> None:
    answer = await someone.fetch(await someone.keep(DATA), f"bytes={len(DATA)}-")
    assert answer.status_code == 416


async def test_uploads_of_one_key_at_the_same_time_leave_one_whole_object(someone: Bearer) -> None:
    key, data = new_key(), os.urandom(300_000)
    signed = await _signed(someone, key, data)
    answers = await asyncio.gather(*(someone.send(signed, data) for _ in range(6)))
    assert all(answer.is_success for answer in answers)
    assert (await someone.fetch(key)).content == data


# ---- what is refused ----


REFUSALS = {
    "too many bytes": ((413, "body_too_large"), (403, "SignatureDoesNotMatch")),
    "too few bytes": ((422, "size_mismatch"), (403, "SignatureDoesNotMatch")),
    "no bytes": ((422, "size_mismatch"), (403, "SignatureDoesNotMatch")),
    "other bytes": ((422, "digest_mismatch"), (400, "BadDigest")),
    "another key": ((403, "url_invalid"), (403, "SignatureDoesNotMatch")),
    "a field more": ((403, "url_invalid"), (403, "SignatureDoesNotMatch")),
    "an altered signature": ((403, "url_invalid"), (403, "SignatureDoesNotMatch")),
    "no signature": ((403, "url_invalid"), (403, "AccessDenied")),
    "an address for reading": ((403, "url_invalid"), (403, "AccessDenied")),
}


async def _misused(someone: Bearer, key: str, how: str) -> httpx.Response:
    signed = await _signed(someone, key)
    match how:
        case "too many bytes":
            return await someone.send(signed, DATA + b"!")
        case "too few bytes":
            return await someone.send(signed, DATA[:-1])
        case "no bytes":
            return await someone.send(signed, b"")
        case "other bytes":
            return await someone.send(signed, b"!" + DATA[1:])
        case "another key":
            return await someone.send(altered(signed, key, key[::-1]), DATA)
        case "a field more":
            return await someone.send(replace(signed, url=signed.url + "&more=1"), DATA)
        case "an altered signature":
            last = signed.url[-1]
            return await someone.send(replace(signed, url=signed.url[:-1] + ("0" if last != "0" else "1")), DATA)
        case "no signature":
            return await someone.send(replace(signed, url=signed.url.partition("?")[0]), DATA)
        case _:
            reading = await someone.store.sign_download(key, seconds=MINUTE)
            return await someone.send(replace(reading, method="PUT", headers=signed.headers), DATA)


@pytest.mark.parametrize("how", REFUSALS)
async def test_what_was_not_signed_is_refused_and_leaves_nothing(someone: Bearer, how: str) -> None:
    key = new_key()
    answer = await _misused(someone, key, how)
    assert (answer.status_code, code(answer)) == REFUSALS[how][someone.kind == "s3"]
    assert await someone.store.stat(key) is None
    assert await someone.store.stat(key[::-1]) is None


async def test_an_address_is_good_until_it_expires_for_writing_and_for_reading(someone: Bearer) -> None:
    key = await someone.keep(DATA)
    writing, reading = await _signed(someone, new_key()), await someone.store.sign_download(key, seconds=MINUTE)
    with someone.site.later(MINUTE - 20):
        assert (await someone.send(reading)).content == DATA
    refused = (403, "url_expired" if someone.kind == "file" else "AccessDenied")
    with someone.site.later(MINUTE + 1):
        for signed, data in ((writing, DATA), (reading, b"")):
            answer = await someone.send(signed, data)
            assert (answer.status_code, code(answer)) == refused


async def test_an_upload_that_breaks_off_leaves_nothing(someone: Bearer) -> None:
    key = new_key()
    await someone.cut(await _signed(someone, key), DATA[: len(DATA) // 2])
    assert await someone.store.stat(key) is None
    assert (await someone.send(await _signed(someone, key), DATA)).is_success


@pytest.mark.parametrize(
    "key", ["", "../../../etc/passwd", "a" * 39, "A" * 40, "a" * 39 + "/", "a" * 40 + "\n", "é" * 40]
)
async def test_what_is_no_key_is_never_used_as_one(someone: Bearer, key: str) -> None:
    store = someone.store
    calls: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: store.sign_upload(key, size=1, sha256=bytes(32), seconds=1),
        lambda: store.sign_download(key, seconds=1),
        lambda: store.begin_parts(key),
        lambda: store.stat(key),
        lambda: store.delete([key]),
    )
    for call in calls:
        with pytest.raises(ValueError, match="40 hexadecimal digits"):
            await call()


async def test_an_object_of_no_bytes_is_not_even_signed(someone: Bearer) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        await someone.store.sign_upload(new_key(), size=0, sha256=sha256(b""), seconds=MINUTE)


# ---- deleting and listing ----


async def _listed(someone: Bearer, ahead: timedelta = timedelta(minutes=5)) -> set[str]:
    return {key async for key in someone.store.list_keys(older_than=datetime.now(UTC) + ahead)}


async def test_objects_are_deleted_however_they_came_and_absent_ones_are_gone_already(someone: Bearer) -> None:
    one, kept = await someone.keep(DATA), await someone.keep(DATA)
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, LAST)
        await someone.store.complete_parts(key, upload, [part(1, LAST)])
    await someone.store.delete([one, key, *(new_key() for _ in range(1100))])
    for gone in (one, key):
        assert await someone.store.stat(gone) is None
        assert (await someone.fetch(gone)).status_code == 404
    assert (await someone.fetch(kept)).content == DATA
    await someone.store.delete([])


async def test_the_list_has_old_objects_alone_and_no_unfinished_uploads(someone: Bearer) -> None:
    async with someone.begun() as (key, upload), someone.begun() as (unfinished, _):
        await someone.keep_part(key, upload, 1, LAST)
        await someone.store.complete_parts(key, upload, [part(1, LAST)])
        one = await someone.keep(DATA)
        listed = await _listed(someone)
        assert {one, key} <= listed
        assert unfinished not in listed
        assert await _listed(someone, -timedelta(hours=1)) == set()


async def test_what_was_begun_long_ago_and_never_finished_is_thrown_away(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        kept = await someone.keep(DATA)
        await someone.keep_part(key, upload, 1, LAST)
        assert await someone.store.drop_unfinished(older_than=datetime.now(UTC) - timedelta(days=7)) == 0
        assert await someone.store.parts(key, upload) == [part(1, LAST)]
        assert await someone.store.drop_unfinished(older_than=datetime.now(UTC) + timedelta(minutes=5)) >= 1
        with pytest.raises(UploadGone):
            await someone.store.parts(key, upload)
        assert (await someone.fetch(kept)).content == DATA


# ---- a store that does not answer ----


async def test_a_store_that_is_away_says_so_at_each_step_and_goes_on_when_it_is_back(someone: Bearer) -> None:
    store, key = someone.store, await someone.keep(DATA)
    async with someone.begun() as (other, upload):
        await someone.keep_part(other, upload, 1, LAST)
        await store.check()

        async def listed() -> object:
            return await _listed(someone)

        steps: tuple[Callable[[], Awaitable[object]], ...] = (
            store.check,
            lambda: store.stat(key),
            lambda: store.begin_parts(new_key()),
            lambda: store.parts(other, upload),
            lambda: store.complete_parts(other, upload, [part(1, LAST)]),
            lambda: store.abort_parts(other, upload),
            lambda: store.delete([key]),
            lambda: store.drop_unfinished(older_than=datetime.now(UTC)),
            listed,
        )
        with someone.site.unreachable():
            failed = await asyncio.gather(*(step() for step in steps), return_exceptions=True)
            assert [type(each) for each in failed] == [StoreUnavailable] * len(steps)
        assert (await someone.fetch(key)).content == DATA
        assert await store.parts(other, upload) == [part(1, LAST)]
        await store.check()


async def test_bearers_hear_that_a_store_is_away_and_may_come_back(someone: Bearer) -> None:
    key, lost = await someone.keep(DATA), new_key()
    writing, reading = await _signed(someone, lost), await someone.store.sign_download(key, seconds=MINUTE)
    with someone.site.unreachable():
        for signed, data in ((writing, DATA), (reading, b"")):
            if someone.kind == "s3":
                with pytest.raises(httpx.TransportError):
                    await someone.send(signed, data)
            else:
                answer = await someone.send(signed, data)
                assert (answer.status_code, code(answer)) == (503, "store_unavailable")
                assert int(answer.headers["retry-after"]) > 0
    assert (await someone.send(writing, DATA)).is_success
    assert (await someone.send(reading)).content == DATA


# ---- what the server itself reads and puts back ----


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_the_server_puts_an_object_back_of_any_size_and_reads_it_even_where_it_was_deleted(
    someone: Bearer,
) -> None:
    large = os.urandom(17 * MIB)
    for data, pieces in ((DATA, [DATA[:7], DATA[7:]]), (large, [large[:MIB], large[MIB:]])):
        key = await someone.keep(DATA)
        await someone.store.delete([key])
        assert [piece async for piece in someone.store.download(key)] == []
        with pytest.raises((ValueError, SizeMismatch)):
            await someone.store.upload(key, _pieces(*pieces[:1]), size=len(data))
        assert await someone.store.stat(key) is None
        await someone.store.upload(key, _pieces(*pieces), size=len(data))
        assert b"".join([piece async for piece in someone.store.download(key)]) == data
        assert (await someone.fetch(key)).content == data

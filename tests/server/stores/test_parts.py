"""Uploads in parts, shown of both stores."""

from __future__ import annotations

import asyncio
import os

import pytest

from lockleaf.server.platform.blobs.protocol import PartMissing, StoredObject, StoredPart, UploadGone, WrongPart
from tests.support.object_stores import (
    MIB,
    MINUTE,
    Bearer,
    altered,
    bearer,
    new_key,
    part,
    sha256,
)

# One event loop for all: an S3 client takes half a second to make.
pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGE = os.urandom(5 * MIB)
"""As large as a part must be that is not the last."""
LAST = b"the end"


async def test_parts_make_an_object_in_whatever_order_they_come(someone: Bearer) -> None:
    pieces = {1: LARGE, 2: LARGE[::-1], 3: LAST}
    whole = [part(number, data) for number, data in pieces.items()]
    async with someone.begun() as (key, upload):
        for number in (3, 1, 2):
            assert (await someone.keep_part(key, upload, number, pieces[number])).is_success
        assert await someone.store.parts(key, upload) == whole
        assert await someone.store.stat(key) is None
        await someone.store.complete_parts(key, upload, whole)
        assert await someone.store.stat(key) == StoredObject(2 * 5 * MIB + len(LAST), None)
        assert (await someone.fetch(key)).content == b"".join(pieces.values())
        seam = await someone.fetch(key, f"bytes={5 * MIB - 3}-{5 * MIB + 3}")
        assert seam.content == LARGE[-3:] + LARGE[::-1][:4]
        end = await someone.fetch(key, f"bytes=-{len(LAST) + 2}")
        assert end.content == LARGE[::-1][-2:] + LAST


async def test_an_upload_goes_on_where_it_stood_and_a_part_may_be_sent_again(someone: Bearer) -> None:
    whole = [part(1, LARGE), part(2, LAST)]
    async with someone.begun() as (key, upload):
        for _ in range(2):
            await someone.keep_part(key, upload, 1, LARGE)
        async with bearer(someone.site) as another:
            assert await another.store.parts(key, upload) == whole[:1]
            with pytest.raises(PartMissing) as missing:
                await another.store.complete_parts(key, upload, whole)
            assert missing.value.numbers == (2,)
            assert await another.store.stat(key) is None
            await another.keep_part(key, upload, 2, LAST)
            await another.store.complete_parts(key, upload, whole)
        assert await someone.store.stat(key) == StoredObject(5 * MIB + len(LAST), None)


async def test_a_part_that_is_replaced_by_another_is_that_other_one(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, b"first")
        await someone.keep_part(key, upload, 1, b"second")
        assert await someone.store.parts(key, upload) == [part(1, b"second")]
        await someone.store.complete_parts(key, upload, [part(1, b"second")])
        assert (await someone.fetch(key)).content == b"second"


@pytest.mark.parametrize("other", [part(1, b"other"), StoredPart(1, 4, sha256(LAST))], ids=["digest", "size"])
async def test_parts_that_are_not_those_that_were_declared_make_nothing(someone: Bearer, other: StoredPart) -> None:
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, LAST)
        with pytest.raises(WrongPart) as wrong:
            await someone.store.complete_parts(key, upload, [other])
        assert wrong.value.number == 1
        assert await someone.store.stat(key) is None
        assert await someone.store.parts(key, upload) == [part(1, LAST)]


async def test_a_part_is_held_to_its_length_digest_number_and_upload(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        signed = await someone.store.sign_part(key, upload, 1, size=len(LAST), sha256=sha256(LAST), seconds=MINUTE)
        at_s3 = someone.kind == "s3"
        number = ("partNumber=1", "partNumber=2") if at_s3 else ("/1?", "/2?")
        for attempt, data in (
            (signed, LAST + b"!"),
            (signed, LAST[:-1]),
            (signed, LAST[::-1]),
            (altered(signed, *number), LAST),
            (altered(signed, upload, upload[::-1]), LAST),
            (altered(signed, key, key[::-1]), LAST),
        ):
            answer = await someone.send(attempt, data)
            assert 400 <= answer.status_code < 500
        assert await someone.store.parts(key, upload) == []


async def test_after_its_completion_an_upload_is_gone_and_the_object_stays(someone: Bearer) -> None:
    whole = [part(1, LAST)]
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, LAST)
        await someone.store.complete_parts(key, upload, whole)
        with pytest.raises(UploadGone):
            await someone.store.parts(key, upload)
        with pytest.raises(UploadGone) as gone:
            await someone.store.complete_parts(key, upload, whole)
        assert gone.value.numbers == (1,)
        assert (await someone.keep_part(key, upload, 1, LAST)).status_code == 404
        await someone.store.abort_parts(key, upload)
        assert (await someone.fetch(key)).content == LAST


async def test_an_upload_that_is_given_up_takes_its_parts_along_and_no_others(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        other = await someone.store.begin_parts(key)
        await someone.keep_part(key, other, 1, LAST)
        await someone.keep_part(key, upload, 1, LAST)
        for _ in range(2):
            await someone.store.abort_parts(key, upload)
        with pytest.raises(UploadGone):
            await someone.store.parts(key, upload)
        assert (await someone.keep_part(key, upload, 2, LAST)).status_code == 404
        assert await someone.store.parts(key, other) == [part(1, LAST)]
        await someone.store.abort_parts(key, other)
        assert await someone.store.stat(key) is None


async def test_completions_of_one_upload_at_the_same_time_make_one_whole_object(someone: Bearer) -> None:
    whole = [part(1, LARGE), part(2, LAST)]
    async with someone.begun() as (key, upload):
        for number, data in ((1, LARGE), (2, LAST)):
            await someone.keep_part(key, upload, number, data)
        attempts = (someone.store.complete_parts(key, upload, whole) for _ in range(5))
        ended = await asyncio.gather(*attempts, return_exceptions=True)
        assert None in ended
        assert {type(each) for each in ended} <= {type(None), UploadGone}
        assert (await someone.fetch(key)).content == LARGE + LAST


async def test_an_upload_is_of_one_key_alone(someone: Bearer) -> None:
    async with someone.begun() as (key, upload):
        await someone.keep_part(key, upload, 1, LAST)
        for store_key, word in ((new_key(), upload), (key, "0" * 32), (key, "../../objects")):
            with pytest.raises(UploadGone):
                await someone.store.parts(store_key, word)
            await someone.store.abort_parts(store_key, word)
        assert await someone.store.parts(key, upload) == [part(1, LAST)]

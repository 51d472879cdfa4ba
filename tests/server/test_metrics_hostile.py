"""Ciphertexts from anybody: what is invalid is refused by name, and what cannot be told from one harms its owner."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterator
from struct import pack as pack_struct
from typing import get_args

import httpx
import numpy
import pytest
import tenseal

from lockleaf.he import messages
from lockleaf.he.codec import Ciphertext, write_ciphertext
from lockleaf.he.errors import Reason
from lockleaf.he.params import CKKS_4096
from lockleaf.wire.codec import unpack
from lockleaf.wire.fields import encode_base64
from tests.support.account_holders import problem
from tests.support.accounts import register
from tests.support.measurers import Measurer, measurer
from tests.support.metrics import plain_context, replaced

AT = "2024-05-05T05:05:05Z"
MUTATIONS = 1000
KNOWN = set(get_args(Reason))


@pytest.fixture
async def someone(http: httpx.AsyncClient) -> Measurer:
    return await measurer(http)


def mutations(blob: bytes, chance: random.Random) -> Iterator[bytes]:
    """Changes of a serialised ciphertext: most of them where its structure is, some anywhere."""
    size = len(blob)
    while True:
        place = chance.choice((chance.randrange(150), chance.randrange(size)))
        match chance.randrange(8):
            case 0:
                yield blob[:place]
            case 1:
                yield blob[:place] + chance.randbytes(chance.randrange(1, 9)) + blob[place:]
            case 2:
                yield blob[:place] + blob[place + chance.randrange(1, 9) :]
            case 3:
                yield blob + chance.randbytes(chance.randrange(1, 99))
            case 4:
                data = bytearray(blob)
                data[place] ^= 1 << chance.randrange(8)
                yield bytes(data)
            case 5:
                length = chance.randrange(1, 17)
                yield blob[:place] + chance.randbytes(length) + blob[place + length :]
            case 6:
                length = chance.choice((1, 2, 4, 8))
                yield blob[:place] + chance.choice((b"\0", b"\xff")) * length + blob[place + length :]
            case _:
                length = chance.randrange(1, 3000)
                other = chance.randrange(max(1, size - length))
                yield blob[:place] + blob[other : other + length] + blob[place + length :]


async def test_a_thousand_mutations_are_refused_by_name_or_harm_nobody_else(
    http: httpx.AsyncClient, someone: Measurer
) -> None:
    chance = random.Random("a thousand mutations")
    careful = await measurer(http)
    await careful.sent(careful.value(7, AT))
    compressed = someone.keys.blob(1.0)
    plain = write_ciphertext(someone.keys.ciphertext(1.0))
    sources = [mutations(compressed, chance), mutations(plain, chance)]
    seen: Counter[str] = Counter()
    for index in range(MUTATIONS):
        answer = await someone.send({**someone.value(0, AT, "bad"), "encrypted_value": next(sources[index % 2])})
        if answer.status_code == 201:
            seen["taken"] += 1
            continue
        refused = problem(answer, 422, unpack_code(answer))
        if refused["code"] == "invalid_request":  # nothing at all is left of it
            continue
        assert refused["code"] == "invalid_ciphertext"
        assert refused["reason"] in KNOWN
        assert set(refused) == {"type", "title", "status", "detail", "code", "item", "field", "reason"}
        seen[refused["reason"]] += 1
    assert len(seen) > 8
    assert seen["taken"] < MUTATIONS / 2
    # What could not be told from a good one is only in its owner's sum, which the server still gives.
    if seen["taken"]:
        assert (await someone.result("sum", "bad"))["count"] == seen["taken"]
    await someone.sent(someone.value(3, AT, "good"))
    assert await someone.total("sum", "good") == pytest.approx(3, abs=0.01)
    assert await careful.total() == pytest.approx(7, abs=0.01)


def unpack_code(answer: httpx.Response) -> str:
    code: str = answer.json()["code"]
    return code


ZEROS = Ciphertext(CKKS_4096, "4.3", numpy.zeros((2, 1, 4096), dtype=numpy.uint64), CKKS_4096.scale, 1)


def _bomb() -> bytes:
    body = bytes(64 * 2**20)
    squeezed = zlib.compress(body, 9)
    inner = pack_struct("<HBBBBHQ", 0xA15E, 16, 4, 3, 1, 0, 16 + len(squeezed)) + squeezed
    return messages.write({1: messages.write_varint(1), 2: inner, 3: CKKS_4096.scale})


def _squeezed(ciphertext: Ciphertext) -> bytes:
    fields = messages.read(write_ciphertext(ciphertext), {1: messages.BYTES, 2: messages.BYTES, 3: messages.DOUBLE})
    squeezed = zlib.compress(messages.bytes_of(fields, 2)[16:], 9)
    inner = pack_struct("<HBBBBHQ", 0xA15E, 16, 4, 3, 1, 0, 16 + len(squeezed)) + squeezed
    return messages.write({**fields, 2: inner})


async def test_what_was_seen_elsewhere_is_refused_for_what_it_is(someone: Measurer) -> None:
    good = someone.keys.ciphertext(1.0)
    context = plain_context("ckks-4096")
    tensor = tenseal.ckks_tensor(context, [1.0, 2.0]).serialize()
    expected: list[tuple[bytes, set[str]]] = [
        (b"x", {"truncated"}),
        (bytes(60_000), {"envelope"}),
        (_bomb(), {"too_large"}),
        # No encryption of anything: it would be a hundred times as long on the disk.
        (_squeezed(ZEROS), {"truncated"}),
        (tensor, {"too_large"}),
        (someone.keys.blob(1.0)[:-1], {"truncated"}),
        (someone.keys.blob(1.0) + b"\0", {"envelope"}),
        (replaced(good, "degree", 8192), {"degree"}),
        (replaced(good, "modulus_count", 2), {"modulus_count"}),
        (replaced(good, "parms_id", bytes(32)), {"level"}),
        (replaced(good, "is_ntt_form", 0), {"form"}),
        (replaced(good, "size", 3), {"polynomials"}),
        (replaced(good, "scale", 2.0**40), {"scale"}),
        (replaced(good, "count", 4096), {"seeded"}),
        (replaced(good, "first_coefficient", CKKS_4096.primes[0]), {"coefficients"}),
    ]
    for blob, reasons in expected:
        refused = problem(
            await someone.send({**someone.value(0, AT), "encrypted_value": blob}), 422, "invalid_ciphertext"
        )
        assert refused["reason"] in reasons
    problem(await someone.aggregate(), 404, "no_metrics")


async def test_a_secret_key_is_not_taken_for_a_ciphertext_or_a_public_key(http: httpx.AsyncClient) -> None:
    owner = await register(http, privacy_tier="analytics_sync")
    secret = plain_context("ckks-4096").serialize(save_secret_key=True)
    body = {
        "privacy_tier": "analytics_sync",
        "consent_timestamp": AT.replace("2024", "2099"),
        "he_public_key": encode_base64(secret),
    }
    problem(await owner.request("PUT", "/users/me/privacy", json=body), 422, "secret_key_received")
    someone = await measurer(http)
    refused = await someone.send({**someone.value(0, AT), "encrypted_value": secret[:100_000]})
    assert problem(refused, 422, "invalid_ciphertext")["reason"] in KNOWN
    assert unpack((await someone.ask("GET", "/metrics")).content) == {"items": []}

"""A server that crafts sums to learn of the key from what the client does next, and learns nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lockleaf.client.errors import LockleafError, MetricsUnreadable
from lockleaf.he import codec, encrypt
from lockleaf.he.keys import make_keys
from lockleaf.he.params import CKKS_4096
from tests.support.diarist import Diarist
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request

Craft = Callable[[bytes], bytes]
STRANGER, _ = make_keys(CKKS_4096.name)


def _honest(sum_: bytes) -> bytes:
    return sum_


def _of_another_key(sum_: bytes) -> bytes:
    width = codec.read_ciphertext(sum_, CKKS_4096).values
    return encrypt.encrypt_slots(STRANGER, [1.0] * width)


def _nudged(sum_: bytes) -> bytes:
    """One residue is another, as in the attacks that read a key coordinate by coordinate."""
    read = codec.read_ciphertext(sum_, CKKS_4096)
    residues = read.residues.copy()
    residues[0, 0, 0] = (int(residues[0, 0, 0]) + 2**50) % CKKS_4096.primes[0]
    return codec.write_ciphertext(replace(read, residues=residues))


def _of_another_scale(sum_: bytes) -> bytes:
    read = codec.read_ciphertext(sum_, CKKS_4096)
    return codec.write_ciphertext(replace(read, scale=read.scale * 2))


def _of_another_size(sum_: bytes) -> bytes:
    read = codec.read_ciphertext(sum_, CKKS_4096)
    return codec.write_ciphertext(replace(read, values=read.values + 1))


class CraftsSums(Lie):
    """Gives the months on two pages, and crafts the sum of the first."""

    def __init__(self, craft: Craft) -> None:
        self.craft = craft
        self.asked: list[tuple[str, str, bytes]] = []

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        self.asked.append((request.method, request.path, request.body))
        if not request.asks("POST", "/encryption/aggregate"):
            return await honest(request)
        body: dict[str, Any] = request.read()
        second = body.pop("cursor", None) is not None
        whole = await honest(replace(request, body=Answer.of(request, body).body))
        value = whole.read()
        first, *rest = value["buckets"]
        assert rest
        first["encrypted_result"] = self.craft(first["encrypted_result"])
        value |= {"buckets": rest, "next_cursor": None} if second else {"buckets": [first], "next_cursor": "second"}
        return whole.saying(value)


async def test_what_a_sum_decrypts_to_changes_no_request(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.journal.write(body="one two three", date="2026-01-05")
    await laptop.journal.write(body="four five", date="2026-02-05")
    await laptop.metrics.count()
    seen: dict[str, list[tuple[str, str, bytes]]] = {}
    for craft in (_honest, _of_another_key, _nudged, _of_another_scale, _of_another_size):
        for by in ("month", "year"):
            lie = CraftsSums(craft)
            liar.tell(lie)
            error: LockleafError | None = None
            try:
                await laptop.metrics.stats(by=by, since="2026-01-01", until="2026-12-30")  # type: ignore[arg-type]
            except LockleafError as raised:
                error = raised
            with subtests.test(f"{craft.__name__} by {by}"):
                assert len([each for each in lie.asked if each[1] == "/encryption/aggregate"]) == 2
                assert lie.asked == seen.setdefault(by, lie.asked)
                assert type(error) is (type(None) if craft is _honest else MetricsUnreadable)

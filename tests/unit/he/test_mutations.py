"""A thousand mutations: each is refused by name, or is a ciphertext like another, and nothing dies of it."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator

import pytest
import tenseal

from lockleaf.he import codec, contexts, evaluate, messages, multiply
from lockleaf.he.errors import InvalidCiphertext, InvalidContext, SecretKeyReceived
from lockleaf.he.params import PARAMETER_SETS
from tests.support.metrics import holder, plain_context, raw_public_key, sealed_object

MUTATIONS = 1000
HEADERS = 160
"""Bytes at the beginning in which everything but coefficients and keys is found."""


def mutations(data: bytes, other: bytes, seed: str) -> Iterator[bytes]:
    """Changes of ``data``: bits, bytes and lengths, most of them in the headers, and pieces of ``other``."""
    chance = random.Random(seed)
    while True:
        changed = bytearray(data)
        at = chance.randrange(min(HEADERS, len(data)) if chance.random() < 0.7 else len(data))
        kind = chance.randrange(9)
        if kind == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + chance.choice((1, 8, 100))]
        elif kind == 4:
            changed[at:at] = chance.randbytes(chance.choice((1, 8, 100)))
        elif kind == 5:
            changed[at : at + 8] = chance.choice((0, 1, 2**31, 2**63, 2**64 - 1)).to_bytes(8, "little")
        elif kind == 6:
            changed[at : at + 64] = chance.randbytes(64)
        elif kind == 7:
            changed = bytearray(data[:at] + other[chance.randrange(len(other)) :])
        else:
            for _ in range(20):
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        yield bytes(changed)


def evaluate_all(name: str, public: bytes, blobs: list[bytes], contexts_: list[bytes]) -> dict[str, int]:
    """What a server does with each: read, sum, square, hand SEAL what was rewritten. Runs in a process of its own."""
    parameters, seen = PARAMETER_SETS[name], {"refused": 0, "summed": 0, "contexts": 0, "secrets": 0}
    context = tenseal.context_from(public, n_threads=1)
    squarer = None
    if "square" in parameters.operations:
        squarer = multiply.Squarer(contexts.read_public_context(public))
    accumulator = evaluate.Accumulator()
    for blob in blobs:
        try:
            accumulator.add(codec.check_ciphertext(blob, name, single=True))
        except InvalidCiphertext:
            seen["refused"] += 1
            continue
        seen["summed"] += 1
        if squarer is not None and seen["summed"] % 10 == 0:
            squarer.square(codec.check_ciphertext(blob, name, single=True))
        tenseal.ckks_vector_from(
            context, codec.write_ciphertext(codec.check_ciphertext(blob, name, single=True), codec.NATIVE)
        )
    if accumulator.count:
        tenseal.ckks_vector_from(context, codec.write_ciphertext(accumulator.total(), codec.NATIVE))
    for data in contexts_:
        try:
            read = contexts.read_public_context(data)
        except InvalidContext:
            seen["refused"] += 1
        except SecretKeyReceived:
            seen["secrets"] += 1
        else:
            seen["contexts"] += 1
            assert not tenseal.context_from(contexts.write_public_context(read, codec.NATIVE)).has_secret_key()
    return seen


@pytest.mark.parametrize("name", list(PARAMETER_SETS))
def test_a_thousand_mutations_are_refused_or_summed_and_nothing_dies(name: str) -> None:
    them = holder(name)
    compressed, plain = them.blob(1.0), codec.write_ciphertext(them.ciphertext(2.0))
    raw, raw_compressed = codec.write_raw(them.ciphertext(2.0)), sealed_object(compressed)
    small = plain_context(name).serialize(save_secret_key=False, save_relin_keys=False)
    sources = [(compressed, plain), (plain, compressed), (raw, raw_compressed), (raw_compressed, raw)]
    blobs: list[bytes] = []
    for source, other in sources:
        stream = mutations(source, other, name)
        blobs += [next(stream) for _ in range((MUTATIONS - 100) // len(sources))]
    public: list[bytes] = []
    for key in (small, raw_public_key(name)):
        stream = mutations(key, plain, name)
        public += [next(stream) for _ in range(50)]

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seen = pool.apply_async(evaluate_all, (name, them.public, blobs, public)).get(timeout=120)

    assert sum(seen.values()) == MUTATIONS
    assert seen["refused"] > MUTATIONS / 2
    assert seen["summed"] > 0


def test_a_mutated_ciphertext_harms_the_sum_it_is_in_and_no_other() -> None:
    them = holder("ckks-4096")
    flipped = bytearray(codec.write_ciphertext(them.ciphertext(1.0)))
    flipped[5000] ^= 1
    good = them.ciphertext(2.0)

    spoilt = evaluate.add(good, codec.check_ciphertext(bytes(flipped), "ckks-4096"))

    assert them.read(spoilt)[0] != pytest.approx(3.0, abs=1.0)
    assert them.read(good)[0] == pytest.approx(2.0, abs=1e-3)


def test_any_bytes_are_refused_by_name() -> None:
    chance = random.Random("any")
    for _ in range(300):
        data = chance.randbytes(chance.randrange(400))
        wrapped = messages.write({1: b"\x01", 2: data, 3: 2.0**30})
        for each in (data, wrapped):
            with pytest.raises(InvalidCiphertext):
                codec.check_ciphertext(each, "ckks-4096")
            with pytest.raises(InvalidContext):
                codec.check_public_context(each)

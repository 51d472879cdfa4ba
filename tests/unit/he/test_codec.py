"""A ciphertext from anybody is read whole or refused by name, and answered in its client's version of SEAL."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import tenseal
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.he import codec, evaluate, messages, seal
from lockleaf.he.codec import NATIVE, VERSIONS, SealVersion
from lockleaf.he.errors import InvalidCiphertext, Reason, UnknownParameterSet
from lockleaf.he.params import CKKS_4096, CKKS_8192, PARAMETER_SETS
from tests.support.metrics import holder, plain_context, plain_sum, replaced, sealed_object

SETS = list(PARAMETER_SETS)
versions = st.sampled_from(VERSIONS)


def refused(data: bytes, name: str = "ckks-4096") -> Reason:
    with pytest.raises(InvalidCiphertext) as caught:
        codec.check_ciphertext(data, name)
    return caught.value.reason


def vector(body: bytes, *, values: bytes = b"\x01", scale: float = CKKS_4096.scale) -> bytes:
    return messages.write({1: values, 2: body, 3: scale})


def compressed(body: bytes, mode: int, data: bytes) -> bytes:
    """A SEAL object that says it is compressed by ``mode``."""
    return body[:5] + bytes([mode, 0, 0]) + (16 + len(data)).to_bytes(8, "little") + data


def zstandard(data: bytes) -> bytes:
    spec = find_spec("_tenseal_cpp")
    assert spec is not None and spec.origin is not None
    library = ctypes.CDLL(spec.origin)
    library.ZSTD_compress.restype = ctypes.c_size_t
    size = ctypes.c_size_t
    room = ctypes.create_string_buffer(len(data) + len(data) // 128 + 1024)
    length = library.ZSTD_compress(room, size(len(room)), data, size(len(data)), 3)
    return room.raw[:length]


@pytest.fixture(scope="module")
def fresh() -> codec.Ciphertext:
    return holder("ckks-4096").ciphertext(42.0)


@pytest.mark.parametrize("name", SETS)
def test_what_tenseal_wrote_is_read_number_by_number(name: str) -> None:
    context = plain_context(name)
    blob = tenseal.ckks_vector(context, [1.0, 2.0, 3.0]).serialize()

    read = codec.check_ciphertext(blob, name)

    assert (read.version, read.values, read.level, read.scale) == (NATIVE, 3, 0, PARAMETER_SETS[name].scale)
    again = tenseal.ckks_vector_from(context, codec.write_ciphertext(read))
    assert again.decrypt() == tenseal.ckks_vector_from(context, blob).decrypt()


@pytest.mark.parametrize("name", SETS)
@given(before=versions, after=versions)
def test_a_version_changes_headers_and_nothing_else(name: str, before: SealVersion, after: SealVersion) -> None:
    parameters = PARAMETER_SETS[name]
    data = codec.write_ciphertext(holder(name).ciphertext(1.0), before)

    there = codec.with_version(data, after, parameters)

    assert codec.client_version(there) == after
    assert codec.with_version(there, before, parameters) == data
    a, b = codec.check_ciphertext(data, name), codec.check_ciphertext(there, name)
    assert np.array_equal(a.residues, b.residues)
    differing = [index for index, (x, y) in enumerate(zip(data, there, strict=True)) if x != y]
    assert len(differing) == (2 if before != after else 0)


@pytest.mark.parametrize("name", SETS)
@given(version=versions)
def test_what_seal_wrote_without_a_message_around_it_is_the_same_ciphertext(name: str, version: SealVersion) -> None:
    ciphertext = holder(name).ciphertext(1.0, 2.0)
    raw = codec.write_raw(ciphertext, version)

    read = codec.check_ciphertext(raw, name)

    assert raw == sealed_object(codec.write_ciphertext(ciphertext, version))
    assert codec.client_version(raw) == read.version == version
    assert np.array_equal(read.residues, ciphertext.residues)
    assert codec.write_raw(read) == raw


@pytest.mark.parametrize("name", SETS)
def test_a_ciphertext_that_does_not_say_its_slots_holds_one_value_or_all(name: str) -> None:
    raw = codec.write_raw(holder(name).ciphertext(7.0))

    assert codec.check_ciphertext(raw, name, single=True).values == 1
    assert codec.check_ciphertext(raw, name).values == PARAMETER_SETS[name].slots
    with pytest.raises(InvalidCiphertext, match="slots"):
        codec.check_ciphertext(holder(name).blob(7.0, 8.0), name, single=True)


def test_a_result_is_read_in_the_message_that_was_asked_for() -> None:
    """A client of TenSEAL's form takes no other answer."""
    raw = codec.write_raw(holder("ckks-4096").ciphertext(7.0))

    for level in (0, None):
        with pytest.raises(InvalidCiphertext, match="envelope"):
            codec.read_ciphertext(raw, CKKS_4096, level=level)


def test_a_sum_is_answered_in_the_version_of_the_client_that_was_last() -> None:
    them = holder("ckks-4096")
    older = replace(them.ciphertext(1.0), version="4.1")
    newer = replace(them.ciphertext(2.0), version="4.3")

    answered = codec.write_ciphertext(evaluate.total([newer, older]))

    assert codec.client_version(answered) == "4.1"
    assert codec.client_version(codec.write_ciphertext(evaluate.add(older, newer))) == "4.3"
    assert seal.VERSIONS == ("4.1", "4.3")


def test_every_version_inside_is_changed_so_that_seal_reads_it(fresh: codec.Ciphertext) -> None:
    """SEAL itself reads one version and refuses the other, inside as outside."""
    context = holder("ckks-4096").key.context
    foreign = codec.write_ciphertext(fresh, "4.1")
    half = replaced(fresh, "array_version", 1)

    assert tenseal.ckks_vector_from(context, codec.with_version(foreign, NATIVE, CKKS_4096)).decrypt()
    for data in (foreign, half):
        with pytest.raises(Exception, match=r"version|header"):
            tenseal.ckks_vector_from(context, data)
    assert refused(half) == "header"


@pytest.mark.parametrize("name", SETS)
def test_a_ciphertext_is_read_however_seal_compressed_it(name: str) -> None:
    ciphertext = holder(name).ciphertext(7.0)
    plain = codec.write_raw(ciphertext)
    scale = ciphertext.parameters.scale

    for mode, data in ((1, zlib.compress(plain[16:])), (2, zstandard(plain[16:]))):
        raw = compressed(plain, mode, data)
        for each in (raw, vector(raw, scale=scale)):
            assert np.array_equal(codec.check_ciphertext(each, name).residues, ciphertext.residues)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("parms_id", bytes(32), "level"),
        ("parms_id", CKKS_4096.key_id, "level"),
        ("is_ntt_form", 0, "form"),
        ("is_ntt_form", 255, "form"),
        ("correction", 0, "form"),
        ("correction", 2, "form"),
        ("size", 0, "polynomials"),
        ("size", 3, "polynomials"),
        ("size", 2**64 - 1, "polynomials"),
        ("degree", 0, "degree"),
        ("degree", 8192, "degree"),
        ("degree", 2**63, "degree"),
        ("modulus_count", 0, "modulus_count"),
        ("modulus_count", 2, "modulus_count"),
        ("modulus_count", 2**64 - 1, "modulus_count"),
        ("scale", 2.0**40, "scale"),
        ("scale", 0.0, "scale"),
        ("scale", -(2.0**30), "scale"),
        ("scale", float("nan"), "scale"),
        ("scale", float("inf"), "scale"),
        ("array_header", 0, "header"),
        ("array_length", 0, "header"),
        ("array_length", 2**64 - 1, "length"),
        ("count", 2**64 - 1, "length"),
        ("count", 4096, "seeded"),
        ("first_coefficient", CKKS_4096.primes[0], "coefficients"),
        ("first_coefficient", 2**64 - 1, "coefficients"),
    ],
)
def test_a_field_that_is_not_the_parameter_sets_is_refused_by_name(
    fresh: codec.Ciphertext, field: str, value: Any, reason: Reason
) -> None:
    wrapped = replaced(fresh, field, value)

    assert refused(wrapped) == reason
    assert refused(sealed_object(wrapped)) == reason


def test_the_largest_coefficient_below_its_modulus_is_taken(fresh: codec.Ciphertext) -> None:
    data = replaced(fresh, "first_coefficient", CKKS_4096.primes[0] - 1)

    assert int(codec.check_ciphertext(data, "ckks-4096").residues[0, 0, 0]) == CKKS_4096.primes[0] - 1


def test_a_coefficient_is_held_to_its_own_modulus_at_every_place() -> None:
    ciphertext = holder("ckks-8192").ciphertext(1.0)
    for polynomial in range(2):
        for index, prime in enumerate(CKKS_8192.primes_at(0)):
            residues = ciphertext.residues.copy()
            residues[polynomial, index, -1] = prime
            data = codec.write_ciphertext(replace(ciphertext, residues=residues))
            assert refused(data, "ckks-8192") == "coefficients"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "slots"),
        (lambda data: data[:1], "truncated"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: data + b"\0", "envelope"),
        (lambda data: data + data, "too_large"),
        (lambda data: data + b"\x20\x01", "envelope"),
        (lambda data: data + bytes(2**20), "too_large"),
        (lambda data: b"\xff" * 100, "envelope"),
        (lambda data: b"\x08\x01" + data[3:], "envelope"),
        (lambda data: b"\x0a\x01\x00" + data[3:], "slots"),
        (lambda data: b"\x0a\x02\x01\x01" + data[3:], "slots"),
        (lambda data: b"\x0a\x02\x81\x10" + data[3:], "slots"),  # 2049 values in 2048 slots
        (lambda data: b"\x0a\x02\x81\x00" + data[3:], "envelope"),
        (lambda data: b"\x0a\x00" + data[3:], "slots"),
        (lambda data: data[3:], "slots"),
        (lambda data: data[:3] + data[-9:], "truncated"),
        (lambda data: data[:-9], "scale"),
        (lambda data: data[:-8] + bytes(8), "scale"),
        (lambda data: data[:8] + b"\x5f" + data[9:], "header"),
        (lambda data: b"hello, this is no ciphertext", "envelope"),
        (lambda data: data[:-9] + b"\x12\x00" + data[-9:], "envelope"),  # a second ciphertext
    ],
)
def test_bytes_that_are_not_one_message_are_refused_by_name(
    fresh: codec.Ciphertext, change: Callable[[bytes], bytes], reason: Reason
) -> None:
    data = codec.write_ciphertext(fresh)
    assert data[3] == 0x12

    assert refused(change(data)) == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body[:3] + b"\x03" + body[4:], "version"),
        (lambda body: body[:4] + b"\x02" + body[5:], "version"),
        (lambda body: body[:6] + b"\x01" + body[7:], "header"),
        (lambda body: body[:8] + bytes(8) + body[16:], "header"),
        (lambda body: body[:8] + b"\xff" * 8 + body[16:], "truncated"),
        (lambda body: body + b"\0", "trailing"),
        (lambda body: body[:-8], "truncated"),
        (lambda body: compressed(body, 0, body[16:-8]), "truncated"),
        (lambda body: compressed(body, 0, body[16:] + bytes(8)), "too_large"),
        (lambda body: compressed(body, 3, body[16:]), "compression"),
        (lambda body: compressed(body, 2, body[16:]), "compression"),
        (lambda body: compressed(body, 1, body[16:]), "compression"),
        (lambda body: compressed(body, 2, zstandard(body[16:])[:-100]), "truncated"),
        (lambda body: compressed(body, 2, zstandard(body[16:]) + b"\0"), "trailing"),
        (lambda body: compressed(body, 2, zstandard(body[16:]) + zstandard(b"")), "trailing"),
        (lambda body: compressed(body, 2, zstandard(body[16:-8])), "truncated"),
        (lambda body: compressed(body, 2, zstandard(body[16:] + b"\0")), "too_large"),
        (lambda body: compressed(body, 2, zstandard(bytes(2**28))), "too_large"),
        (lambda body: compressed(body, 2, zstandard(b"")), "truncated"),
        (lambda body: compressed(body, 1, zlib.compress(body[16:])[:-100]), "truncated"),
        (lambda body: compressed(body, 1, zlib.compress(body[16:]) + b"\0"), "trailing"),
        (lambda body: compressed(body, 1, zlib.compress(bytes(2**26))), "too_large"),
        (lambda body: b"", "truncated"),
        (lambda body: body[:15], "truncated"),
    ],
)
def test_an_object_that_is_not_what_its_header_says_is_refused_by_name(
    fresh: codec.Ciphertext, change: Callable[[bytes], bytes], reason: Reason
) -> None:
    changed = change(sealed_object(codec.write_ciphertext(fresh)))

    assert refused(vector(changed)) == reason
    if changed:
        assert refused(changed) == reason


def test_a_ciphertext_of_another_set_is_refused() -> None:
    small, large = holder("ckks-4096").blob(1.0), holder("ckks-8192").blob(1.0)

    assert refused(small, "ckks-8192") == "degree"
    assert refused(large, "ckks-4096") == "too_large"
    assert refused(codec.write_raw(holder("ckks-4096").ciphertext(1.0)), "ckks-8192") == "degree"
    assert refused(codec.write_raw(holder("ckks-8192").ciphertext(1.0)), "ckks-4096") == "too_large"
    with pytest.raises(UnknownParameterSet):
        codec.check_ciphertext(small, "ckks-2048")


def test_a_ciphertext_that_was_computed_with_is_no_upload() -> None:
    """Its level and scale are others, and it could not be added to what is fresh."""
    context = plain_context("ckks-8192")
    value = tenseal.ckks_vector(context, [3.0])

    assert refused((value * 2.0).serialize(), "ckks-8192") == "modulus_count"
    averaged = evaluate.average(holder("ckks-8192").ciphertext(4.0), 2)
    assert refused(codec.write_ciphertext(averaged), "ckks-8192") == "scale"


def test_an_answer_with_a_scale_that_the_modulus_has_no_room_for_is_refused() -> None:
    computed = holder("ckks-4096").ciphertext(4.0)
    for scale in (0.5, 2.0**54, float("nan"), float("inf"), -1.0):
        with pytest.raises(InvalidCiphertext, match="scale"):
            codec.read_ciphertext(codec.write_ciphertext(replace(computed, scale=scale)), CKKS_4096, level=None)


def test_a_refusal_says_nothing_of_what_was_sent(fresh: codec.Ciphertext) -> None:
    with pytest.raises(InvalidCiphertext) as caught:
        codec.check_ciphertext(replaced(fresh, "degree", 123456789), "ckks-4096")

    assert str(caught.value) == "refused: degree"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", SETS)
def test_a_sum_by_tenseal_and_one_by_us_are_the_same_bytes(name: str) -> None:
    context = plain_context(name)
    blobs = [tenseal.ckks_vector(context, [float(number)]).serialize() for number in range(20)]

    ours = evaluate.total(codec.check_ciphertext(blob, name) for blob in blobs)

    theirs = codec.with_version(plain_sum(context, blobs), NATIVE, PARAMETER_SETS[name])
    assert codec.write_ciphertext(ours) == theirs

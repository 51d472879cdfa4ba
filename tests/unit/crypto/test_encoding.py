"""The byte forms: lengths, numbers, MessagePack, base64, HKDF."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.encoding import decode_base64, encode_base64, lp, pack, strict_unpack, u64
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.hkdf import expand, extract, hkdf

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary() | st.floats(width=64)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


def test_a_length_stands_before_the_bytes_of_a_text() -> None:
    assert lp("é") == b"\0\0\0\2\xc3\xa9"
    assert lp(b"") == b"\0\0\0\0"


def test_a_text_without_utf8_form_is_refused() -> None:
    with pytest.raises(Malformed):
        lp("\ud800")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_two_lists_of_parts_share_their_bytes_only_if_they_are_equal(one: list[bytes], other: list[bytes]) -> None:
    assert (b"".join(map(lp, one)) == b"".join(map(lp, other))) == (one == other)


def test_a_number_takes_eight_bytes_and_no_more() -> None:
    assert u64(258) == b"\0\0\0\0\0\0\1\2"
    assert u64(2**64 - 1) == b"\xff" * 8
    for beyond in (-1, 2**64):
        with pytest.raises(Malformed):
            u64(beyond)


@settings(max_examples=100, deadline=None)
@given(values)
def test_a_packed_value_comes_back(value: object) -> None:
    assert repr(strict_unpack(pack(value))) == repr(value)  # repr, since a NaN is not equal to itself


@settings(max_examples=100, deadline=None)
@given(values, st.binary(min_size=1, max_size=4))
def test_any_trailing_byte_is_refused(value: object, trailing: bytes) -> None:
    with pytest.raises(Malformed):
        strict_unpack(pack(value) + trailing)


@settings(max_examples=100, deadline=None)
@given(values, st.data())
def test_any_cut_value_is_refused(value: object, data: st.DataObject) -> None:
    packed = pack(value)
    with pytest.raises(Malformed):
        strict_unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])


@pytest.mark.parametrize(
    "value",
    [datetime.now(UTC), UUID(int=1), {1: 2}, 2**64, "\ud800", object()],
    ids=["time", "uuid", "number as key", "too large", "lone surrogate", "object"],
)
def test_what_would_not_come_back_the_same_is_not_packed(value: object) -> None:
    with pytest.raises(Malformed):
        pack(value)


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_base64_is_the_standard_alphabet_with_padding(data: bytes) -> None:
    assert encode_base64(data) == base64.b64encode(data).decode()
    assert decode_base64(encode_base64(data)) == data


@pytest.mark.parametrize("text", ["AA", "AA=", "A===", "AB==", "AA==\n", "A A==", "-_==", "é", "AA==AA=="])
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode_base64(text)


def test_hkdf_agrees_with_rfc_5869_where_salt_and_info_are_empty() -> None:
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert hkdf(b"\x0b" * 22, b"").hex() == expected
    assert expand(extract(b"\x0b" * 22), b"").hex() == expected

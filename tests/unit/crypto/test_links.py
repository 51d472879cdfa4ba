"""Link codes as they are made, copied and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto import base32
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.kdf import KdfParameters
from lockleaf.crypto.links import LinkCode
from tests.support.vectors import vectors, with_bytes

VECTORS = vectors("links")

numbers = st.integers(0, 2**64 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
parameters = st.one_of(
    st.builds(
        KdfParameters,
        st.just("argon2id"),
        st.binary(min_size=16, max_size=16),
        st.integers(1, 16),
        st.integers(8, 2**20),
        st.integers(1, 8),
    ),
    st.builds(KdfParameters, st.just("pbkdf2-sha256"), st.binary(min_size=16, max_size=16), st.integers(1, 10_000_000)),
)
keys = st.binary(min_size=32, max_size=32)
codes = st.builds(LinkCode, texts, texts, parameters, numbers, keys, texts, numbers, keys)


@pytest.mark.parametrize("case", VECTORS["codes"], ids=lambda case: case["name"])
def test_a_code_agrees_with_its_vector(case) -> None:
    code = LinkCode(
        case["server"],
        case["user_id"],
        KdfParameters(**with_bytes(case["kdf"])),
        case["keyring_version"],
        bytes.fromhex(case["signing_key"]),
        case["epoch"],
        case["seq"],
        bytes.fromhex(case["head"]),
    )
    assert code.text() == case["code"]
    assert base32.decode(case["code"]).hex() == case["bytes"]
    assert LinkCode.parse(case["code"]) == code


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_what_is_no_code_is_refused(case) -> None:
    with pytest.raises(Malformed):
        LinkCode.parse(case["code"])


@pytest.mark.parametrize("typed", VECTORS["same"]["typed"])
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    assert LinkCode.parse(typed) == LinkCode.parse(VECTORS["same"]["code"])


@given(codes)
def test_what_a_code_says_is_read_again(code: LinkCode) -> None:
    assert LinkCode.parse(code.text()) == code


@given(st.binary(max_size=80))
def test_bytes_come_back_from_their_digits(data: bytes) -> None:
    assert base32.decode(base32.encode(data)) == data


@given(st.text(base32.ALPHABET, max_size=40))
def test_digits_stand_for_one_text_of_bytes_or_none(digits: str) -> None:
    try:
        data = base32.decode(digits)
    except Malformed:
        return
    assert base32.encode(data) == digits


@given(codes, st.data())
def test_one_changed_digit_is_noticed(code: LinkCode, data: st.DataObject) -> None:
    text = code.text()
    place = data.draw(st.integers(0, len(text) - 1))
    digit = data.draw(st.sampled_from([each for each in base32.ALPHABET if each != text[place]]))
    with pytest.raises(Malformed):
        LinkCode.parse(text[:place] + digit + text[place + 1 :])

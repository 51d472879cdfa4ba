"""Padding hides lengths and has one form only."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import Malformed, TooLarge
from lockleaf.crypto.padding import MAX_PLAINTEXT, pad, padme, unpad
from tests.support.vectors import vectors

VECTORS = vectors("padding")


@pytest.mark.parametrize("case", VECTORS["padme"], ids=lambda case: str(case["length"]))
def test_padme_agrees_with_its_vectors(case) -> None:
    assert padme(case["length"]) == case["padded"]


@pytest.mark.parametrize("case", VECTORS["plaintext_length"], ids=lambda case: str(case["data"]))
def test_a_padded_plaintext_has_the_length_of_its_vector(case) -> None:
    assert len(pad(bytes(case["data"]))) == case["plaintext"]


def test_a_byte_beyond_the_limit_is_too_large() -> None:
    assert len(pad(bytes(VECTORS["too_large"] - 1))) == MAX_PLAINTEXT
    with pytest.raises(TooLarge):
        pad(bytes(VECTORS["too_large"]))


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 2**40))
def test_padme_is_the_least_length_whose_mantissa_is_as_short_as_its_exponent(length: int) -> None:
    def fits(candidate: int) -> bool:
        exponent = candidate.bit_length() - 1
        trailing_zeros = (candidate & -candidate).bit_length() - 1
        return exponent - trailing_zeros <= exponent.bit_length()

    padded = padme(length)
    assert padded >= length
    assert fits(padded)
    step = 1 << max(0, length.bit_length() - 1 - (length.bit_length() - 1).bit_length())
    assert padded - length < step  # no multiple of the step lies between


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 2**40))
def test_padme_adds_less_than_twelve_percent(length: int) -> None:
    assert (padme(length) - length) / length < 0.12


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_padme_never_reorders_lengths(one: int, other: int) -> None:
    assert (padme(one) <= padme(other)) or one > other


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_padded_data_come_back(data: bytes) -> None:
    assert unpad(pad(data)) == data


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=1000), st.data())
def test_any_other_filler_is_refused(data: bytes, draw: st.DataObject) -> None:
    plaintext = bytearray(pad(data))
    free = len(plaintext) - 4 - len(data)
    if free:
        plaintext[-1 - draw.draw(st.integers(0, free - 1))] = draw.draw(st.integers(1, 255))
        with pytest.raises(Malformed):
            unpad(bytes(plaintext))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=1000), st.integers(-300, 300).filter(bool))
def test_any_other_length_of_filler_is_refused(data: bytes, change: int) -> None:
    padded = pad(data)
    with pytest.raises(Malformed):
        unpad(padded[:change] if change < 0 else padded + bytes(change))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_whatever_is_opened_is_padded_in_the_one_form(plaintext: bytes) -> None:
    try:
        data = unpad(plaintext)
    except Malformed:
        return
    assert pad(data) == plaintext


def test_a_plaintext_beyond_the_limit_is_refused() -> None:
    longer = padme(MAX_PLAINTEXT + 1)
    with pytest.raises(Malformed):
        unpad((longer - 4).to_bytes(4, "big") + bytes(longer - 4))

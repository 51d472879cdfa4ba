"""Recovery codes as they are drawn, typed and proven."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import BadRecoveryCode
from lockleaf.crypto.recovery import new_code, normalise_code, recovery_key, verifier, verifier_hash
from tests.support.vectors import vectors

VECTORS = vectors("recovery")
SHOWN = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}")

codes = st.from_regex(SHOWN, fullmatch=True)


@pytest.mark.parametrize("case", VECTORS["vectors"], ids=lambda case: case["code"])
def test_a_code_agrees_with_its_vector(case) -> None:
    assert normalise_code(case["code"]).hex() == case["bytes"]
    assert verifier(case["code"]).hex() == case["verifier"]
    assert verifier_hash(verifier(case["code"])).hex() == case["verifier_hash"]
    assert recovery_key(case["code"]).hex() == case["recovery_key"]


@pytest.mark.parametrize("typed", VECTORS["same"]["typed"])
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    assert normalise_code(typed) == normalise_code(VECTORS["same"]["code"])


@pytest.mark.parametrize("typed", VECTORS["refused"])
def test_what_is_no_code_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(BadRecoveryCode) as caught:
        verifier(typed)
    assert not typed or typed not in str(caught.value)


def test_new_codes_have_their_shape_and_differ() -> None:
    drawn = [new_code() for _ in range(50)]
    assert all(SHOWN.fullmatch(code) for code in drawn)
    assert len({normalise_code(code) for code in drawn}) == 50


@settings(max_examples=100, deadline=None)
@given(codes, st.data())
def test_case_dashes_and_look_alikes_do_not_matter(code: str, data: st.DataObject) -> None:
    look_alikes = {"0": "0oO", "1": "1iIlL", "-": ["-", "", " ", "–"]}
    typed = "".join(
        data.draw(st.sampled_from(look_alikes.get(letter, [letter, letter.lower()])), label=letter) for letter in code
    )
    assert normalise_code(typed) == normalise_code(code)


@settings(max_examples=100, deadline=None)
@given(codes, codes)
def test_two_codes_are_the_same_only_if_they_read_the_same(one: str, other: str) -> None:
    assert (normalise_code(one) == normalise_code(other)) == (one == other)
    assert verifier(one) != recovery_key(one)

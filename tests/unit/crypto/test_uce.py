"""The key-encryption key of an account whose server may open it, and what a session seals it under."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto import errors, uce
from lockleaf.crypto.errors import CryptoError, Malformed, SealBroken
from tests.support.cheap_keys import USUAL_MEMORY_KIB
from tests.support.vectors import vectors

VECTORS = vectors("uce")
KEY = bytes.fromhex(VECTORS["session_key"])
NEXT = bytes.fromhex(VECTORS["next_session_key"])
KEK = bytes.fromhex(VECTORS["keks"][0]["kek"])
PLACE = {"user_id": VECTORS["user_id"], "session_id": VECTORS["session_id"]}
OTHERS = {"user_id": VECTORS["session_id"], "session_id": VECTORS["user_id"]}

keys = st.binary(min_size=32, max_size=32)
suites = st.sampled_from([1, 2])


@pytest.mark.parametrize("case", VECTORS["keks"], ids=lambda case: ascii(case["secret"]))
def test_a_key_encryption_key_agrees_with_its_vector(case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uce, "_MEMORY_KIB", USUAL_MEMORY_KIB)
    assert uce.derive_kek(case["secret"], bytes.fromhex(case["salt"])).hex() == case["kek"]


def test_two_keyboards_that_compose_a_letter_differently_give_one_key() -> None:
    by_secret = {case["secret"]: case["kek"] for case in VECTORS["keks"]}
    assert by_secret["cafe\u0301"] == by_secret["caf\u00e9"]


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17)])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(Malformed):
        uce.derive_kek("a password", salt)


def test_a_secret_without_a_utf_8_form_is_refused() -> None:
    with pytest.raises(Malformed):
        uce.derive_kek("\ud800", bytes(16))


@pytest.mark.parametrize("case", VECTORS["sealed_kek"], ids=lambda case: f"suite {case['suite']}")
def test_a_sealed_key_of_a_vector_opens(case) -> None:
    assert uce.open_kek(KEY, bytes.fromhex(case["sealed"]), **PLACE) == KEK


@pytest.mark.parametrize("case", VECTORS["successor"], ids=lambda case: f"suite {case['suite']}")
def test_a_successor_of_a_vector_opens(case) -> None:
    assert uce.open_successor(KEY, bytes.fromhex(case["sealed"]), **PLACE) == NEXT


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_what_a_vector_refuses_is_refused_with_its_error(case) -> None:
    with pytest.raises(CryptoError) as caught:
        uce.open_kek(KEY, bytes.fromhex(case["sealed"]), **PLACE)
    assert type(caught.value) is getattr(errors, case["error"])


@pytest.mark.parametrize(
    ("seal", "open"), [(uce.seal_kek, uce.open_kek), (uce.seal_successor, uce.open_successor)], ids=["kek", "successor"]
)
@given(session_key=keys, other=keys, sealed=keys, suite=suites)
def test_what_is_sealed_opens_with_its_session_key_in_its_place_alone(
    seal: Callable[..., bytes],
    open: Callable[..., bytes],
    session_key: bytes,
    other: bytes,
    sealed: bytes,
    suite: int,
) -> None:
    box = seal(session_key, sealed, **PLACE, suite=suite)
    assert open(session_key, box, **PLACE) == sealed
    assert box[1] == suite
    for name in PLACE:
        with pytest.raises(SealBroken):
            open(session_key, box, **{**PLACE, name: OTHERS[name]})
    if other != session_key:
        with pytest.raises(SealBroken):
            open(other, box, **PLACE)


@given(keys, keys)
def test_one_kind_of_seal_is_none_of_the_other(session_key: bytes, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        uce.open_successor(session_key, uce.seal_kek(session_key, sealed, **PLACE), **PLACE)
    with pytest.raises(SealBroken):
        uce.open_kek(session_key, uce.seal_successor(session_key, sealed, **PLACE, suite=1), **PLACE)


def test_session_keys_are_drawn_anew() -> None:
    drawn = {uce.new_session_key() for _ in range(50)}
    assert len(drawn) == 50
    assert {len(key) for key in drawn} == {32}

"""The lock of a device without a keychain, against its vectors and against what may be done to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto import errors
from lockleaf.crypto.device_lock import (
    LockContext,
    new_device_key,
    open_kept,
    seal_kept,
    unwrap_by_passkey,
    unwrap_device_key,
    wrap_by_passkey,
    wrap_device_key,
)
from lockleaf.crypto.kdf import CHEAPEST, KdfParameters
from tests.support.vectors import vectors

V = vectors("device_lock")
CONTEXT = LockContext(V["email"], V["user_id"], V["device_id"])
PARAMS = KdfParameters.from_wire(V["kdf"])
KEY = bytes.fromhex(V["device_key"])


def unwrap(wrapped: bytes, password: str = V["password"], context: LockContext = CONTEXT) -> bytes:
    return unwrap_device_key(wrapped, password, PARAMS, context, allow_test_parameters=True)


def test_the_vector_opens() -> None:
    assert unwrap(bytes.fromhex(V["wrapped"])) == KEY
    assert open_kept(KEY, bytes.fromhex(V["kept"]), CONTEXT) == V["text"].encode()


def test_a_security_key_opens_it_beside_the_password() -> None:
    output, wrapped = bytes.fromhex(V["prf_output"]), bytes.fromhex(V["wrapped_by_passkey"])
    assert unwrap_by_passkey(wrapped, output, CONTEXT) == KEY
    assert unwrap_by_passkey(wrap_by_passkey(KEY, output, CONTEXT), output, CONTEXT) == KEY
    for other in (
        LockContext(CONTEXT.email, "other", CONTEXT.device_id),
        LockContext(CONTEXT.email, CONTEXT.user_id, "x"),
    ):
        with pytest.raises(errors.SealBroken):
            unwrap_by_passkey(wrapped, output, other)
    with pytest.raises(errors.SealBroken):
        unwrap_by_passkey(wrapped, bytes(32), CONTEXT)
    with pytest.raises(errors.SealBroken):  # what the password seals is no seal of a key
        unwrap_by_passkey(bytes.fromhex(V["wrapped"]), output, CONTEXT)
    with pytest.raises(errors.Malformed):
        unwrap_by_passkey(wrap_by_passkey(KEY[:31], output, CONTEXT), output, CONTEXT)


@pytest.mark.parametrize("case", V["refused"], ids=lambda case: case["name"])
def test_what_is_no_lock_of_this_device_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(getattr(errors, case["error"])):
        unwrap(bytes.fromhex(case["wrapped"]))


def test_another_password_or_address_does_not_open_it() -> None:
    wrapped = bytes.fromhex(V["wrapped"])
    with pytest.raises(errors.SealBroken):
        unwrap(wrapped, password=V["password"] + " ")
    with pytest.raises(errors.SealBroken):
        unwrap(wrapped, context=LockContext("eve@example.org", V["user_id"], V["device_id"]))


def test_parameters_that_are_too_cheap_derive_nothing() -> None:
    with pytest.raises(errors.WeakKdf):
        unwrap_device_key(bytes.fromhex(V["wrapped"]), V["password"], PARAMS, CONTEXT)
    with pytest.raises(errors.WeakKdf):
        wrap_device_key(KEY, "p", CHEAPEST.new(), CONTEXT)


@given(
    password=st.text(st.characters(exclude_categories=["Cs"])), text=st.binary(max_size=500), at=st.integers(0, 10**6)
)
def test_what_was_sealed_comes_back_and_an_altered_bit_is_noticed(password: str, text: bytes, at: int) -> None:
    key, params = new_device_key(), CHEAPEST.new()
    wrapped = wrap_device_key(key, password, params, CONTEXT, allow_test_parameters=True)
    assert unwrap_device_key(wrapped, password, params, CONTEXT, allow_test_parameters=True) == key
    kept = seal_kept(key, text, CONTEXT)
    assert open_kept(key, kept, CONTEXT) == text
    altered = bytearray(kept)
    altered[at % len(kept)] ^= 1
    with pytest.raises(errors.CryptoError):
        open_kept(key, bytes(altered), CONTEXT)


def test_two_locks_of_one_password_share_nothing() -> None:
    assert new_device_key() != new_device_key()
    first, second = (
        wrap_device_key(KEY, "p", CHEAPEST.new(), CONTEXT, allow_test_parameters=True)[18:] for _ in range(2)
    )
    assert first != second

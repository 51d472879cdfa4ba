"""Recipients, identities and signatures."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import BadRecipient, Malformed, SealBroken
from lockleaf.crypto.identity import (
    checkpoint_message,
    identity_from_seed,
    open_sealed,
    parse_recipient,
    public_signing_key,
    recipient_from_seed,
    rotation_message,
    seal_to,
    sign,
    verify,
)
from tests.support.vectors import vectors

VECTORS = vectors("identity")
KEYS = VECTORS["keys"]
SEED = bytes.fromhex(KEYS[0]["seed"])

seeds = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("case", KEYS, ids=lambda case: case["recipient"])
def test_the_text_forms_agree_with_their_vectors(case) -> None:
    seed = bytes.fromhex(case["seed"])
    assert identity_from_seed(seed) == case["identity"]
    assert recipient_from_seed(seed) == case["recipient"]
    assert public_signing_key(seed).hex() == case["signing_key"]


def test_the_text_forms_agree_with_the_age_specification() -> None:
    seed = b"B" * 32
    assert identity_from_seed(seed) == "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    assert recipient_from_seed(seed) == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_a_recipient_is_the_x25519_public_key_of_rfc_7748() -> None:
    secret = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    public = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    assert parse_recipient(public) == recipient_from_seed(secret)


def test_the_signature_agrees_with_rfc_8032() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert public_signing_key(seed) == public
    assert sign(seed, b"") == signature
    assert verify(public, b"", signature)


def test_a_recipient_is_read_from_any_of_its_forms() -> None:
    text = KEYS[0]["recipient"]
    raw = X25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
    assert parse_recipient(text) == parse_recipient(text.upper()) == parse_recipient(raw) == text


@pytest.mark.parametrize("raw", VECTORS["refused_raw"])
def test_a_point_that_cannot_be_sealed_to_is_refused(raw: str) -> None:
    with pytest.raises(BadRecipient):
        parse_recipient(bytes.fromhex(raw))


@pytest.mark.parametrize("text", VECTORS["refused_text"], ids=lambda text: ascii(text[:20]))
def test_a_text_that_is_no_usable_recipient_is_refused(text: str) -> None:
    with pytest.raises(BadRecipient):
        seal_to(text, b"note")


@settings(max_examples=50, deadline=None)
@given(seeds, st.binary(max_size=300))
def test_what_is_sealed_to_a_recipient_opens_with_its_identity(seed: bytes, data: bytes) -> None:
    assert open_sealed([identity_from_seed(seed)], seal_to(recipient_from_seed(seed), data)) == data


def test_any_of_several_identities_opens_and_no_other() -> None:
    note = seal_to(KEYS[0]["recipient"], b"note")
    assert open_sealed([KEYS[1]["identity"], KEYS[0]["identity"]], note) == b"note"
    for identities in ([KEYS[1]["identity"]], []):
        with pytest.raises(SealBroken):
            open_sealed(identities, note)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 190))  # from the end: age pads its header at random, to 190 bytes or more
def test_a_cut_or_longer_age_file_does_not_open(missing: int) -> None:
    note = seal_to(KEYS[0]["recipient"], b"note")
    for broken in (note[:-missing], note + b"\0", note[: -missing - 1] + b"\0" + note[-missing:]):
        if broken == note:
            continue
        with pytest.raises(SealBroken):
            open_sealed([KEYS[0]["identity"]], broken)


def test_an_identity_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed):
        open_sealed(["AGE-SECRET-KEY-1"], seal_to(KEYS[0]["recipient"], b"note"))


def test_the_checkpoint_agrees_with_its_vector() -> None:
    case = VECTORS["checkpoint"]
    message = checkpoint_message(
        case["user_id"], case["epoch"], case["seq"], bytes.fromhex(case["head"]), case["device_id"], case["time"]
    )
    assert message.hex() == case["message"]
    assert sign(SEED, message).hex() == case["signature"]
    assert verify(public_signing_key(SEED), message, bytes.fromhex(case["signature"]))


def test_the_rotation_agrees_with_its_vector() -> None:
    case = VECTORS["rotation"]
    message = rotation_message(
        case["user_id"], case["keyring_version"], case["recipient"], bytes.fromhex(case["signing_key"])
    )
    assert message.hex() == case["message"]
    assert verify(public_signing_key(SEED), message, bytes.fromhex(case["signature"]))


@settings(max_examples=50, deadline=None)
@given(seeds, st.binary(max_size=100), st.data())
def test_a_signature_holds_for_its_key_and_message_alone(seed: bytes, message: bytes, data: st.DataObject) -> None:
    public, signature = public_signing_key(seed), sign(seed, message)
    assert verify(public, message, signature)
    assert not verify(public, message + b"\0", signature)
    assert not verify(public_signing_key(bytes(32)), message, signature) or seed == bytes(32)
    broken = bytearray(signature)
    bit = data.draw(st.integers(0, 64 * 8 - 1))
    broken[bit // 8] ^= 1 << bit % 8
    assert not verify(public, message, bytes(broken))


@pytest.mark.parametrize(
    ("public", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(33), bytes(64)), (b"\xff" * 32, b"")]
)
def test_a_malformed_key_or_signature_does_not_verify(public: bytes, signature: bytes) -> None:
    assert not verify(public, b"message", signature)


def test_messages_to_sign_have_hashes_and_keys_of_their_width() -> None:
    with pytest.raises(Malformed):
        checkpoint_message("u", "e", 1, bytes(31), "d", "2024-05-01T00:00:00Z")
    with pytest.raises(Malformed):
        checkpoint_message("u", "e", -1, bytes(32), "d", "2024-05-01T00:00:00Z")
    with pytest.raises(Malformed):
        rotation_message("u", 1, "age1", bytes(33))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_is_32_bytes(length: int) -> None:
    with pytest.raises(Malformed):
        identity_from_seed(bytes(length))

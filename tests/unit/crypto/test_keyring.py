"""The keyring, its derived keys and its seal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto import errors, identity
from lockleaf.crypto.errors import CryptoError, Malformed, SealBroken, UnknownKey
from lockleaf.crypto.keyring import (
    PASSWORD_LABEL,
    RECOVERY_LABEL,
    UCE_LABEL,
    KeyEntry,
    Keyring,
    open_keyring,
    seal_keyring,
)
from tests.support.vectors import vectors

VECTORS = vectors("keyring")
WRAP_KEY = bytes.fromhex(VECTORS["wrap_key"])
NOW = "2024-05-01T06:30:00Z"
ENTRIES = [KeyEntry(e["key_id"], bytes.fromhex(e["master_key"]), e["created_at"]) for e in VECTORS["entries"]]
KEYRING = Keyring(ENTRIES)

rings = st.lists(
    st.tuples(st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32)),
    min_size=1,
    max_size=5,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: Keyring([KeyEntry(key_id, key, NOW) for key_id, key in sorted(pairs)]))


def opened(sealed: bytes, **changes) -> Keyring:
    place = {"wrap_key": WRAP_KEY, "label": PASSWORD_LABEL, "user_id": VECTORS["user_id"], "version": 7} | changes
    return open_keyring(sealed, **place)


def sealed() -> bytes:
    return seal_keyring(KEYRING, WRAP_KEY, label=PASSWORD_LABEL, user_id=VECTORS["user_id"], version=7)


def test_the_packed_form_agrees_with_its_vector() -> None:
    assert KEYRING.pack().hex() == VECTORS["packed"]
    assert Keyring.unpack(bytes.fromhex(VECTORS["packed"])) == KEYRING


@pytest.mark.parametrize("case", VECTORS["vectors"], ids=lambda case: f"{case['label']}, suite {case['suite']}")
def test_a_sealed_keyring_of_a_vector_opens(case) -> None:
    label = case["label"].encode()
    assert label in {PASSWORD_LABEL, RECOVERY_LABEL, UCE_LABEL}
    assert opened(bytes.fromhex(case["sealed"]), label=label, version=case["version"]) == KEYRING


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_keyring_that_a_vector_refuses_is_refused_with_its_error(case) -> None:
    with pytest.raises(CryptoError) as caught:
        opened(bytes.fromhex(case["sealed"]))
    assert type(caught.value) is getattr(errors, case["error"])


def test_derived_keys_agree_with_their_vector() -> None:
    derived = VECTORS["derived"]
    entry = KEYRING.first
    assert entry.master_key.hex() == derived["master_key"]
    assert entry.record_root.hex() == derived["record_root"]
    assert entry.signing_seed.hex() == derived["signing_seed"]
    assert entry.identity_seed.hex() == derived["identity_seed"]
    assert entry.local_key.hex() == derived["local_key"]
    assert KEYRING.index_key.hex() == derived["index_key"]


@settings(max_examples=50, deadline=None)
@given(rings, st.sampled_from([PASSWORD_LABEL, RECOVERY_LABEL, UCE_LABEL]), st.sampled_from([1, 2]))
def test_a_keyring_comes_back_from_its_seal(keyring: Keyring, label: bytes, suite: int) -> None:
    place = {"label": label, "user_id": VECTORS["user_id"], "version": 3}
    assert open_keyring(seal_keyring(keyring, WRAP_KEY, suite=suite, **place), WRAP_KEY, **place) == keyring


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    broken = bytearray(sealed())
    bit = data.draw(st.integers(0, len(broken) * 8 - 1))
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealBroken, Malformed)):
        opened(bytes(broken))


@pytest.mark.parametrize(
    "change",
    [
        {"wrap_key": bytes(32)},
        {"label": RECOVERY_LABEL},
        {"label": UCE_LABEL},
        {"user_id": "0190a3a0-0000-7000-8000-000000000002"},
        {"version": 6},
        {"version": 8},
    ],
    ids=str,
)
def test_a_keyring_opens_only_for_what_it_was_sealed_for(change) -> None:
    assert opened(sealed()) == KEYRING
    with pytest.raises(SealBroken):
        opened(sealed(), **change)


def test_a_purpose_that_the_protocol_does_not_have_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="label"):
        seal_keyring(KEYRING, WRAP_KEY, label=b"lockleaf/1/other", user_id=VECTORS["user_id"], version=1)


def test_the_same_keyring_is_never_sealed_to_the_same_bytes() -> None:
    assert sealed() != sealed()


def test_a_rotation_writes_with_a_new_key_and_still_reads_with_the_old() -> None:
    before = Keyring.new(NOW)
    after = before.rotated("2024-06-01T00:00:00Z")
    assert [entry.key_id for entry in after] == [1, 2]
    assert after.first == before.newest
    assert after.get(1) == before.newest
    assert after.entries == (before.newest, after.newest)
    assert hash(after) != hash(before)
    assert after.newest.created_at == "2024-06-01T00:00:00Z"
    assert after.newest.master_key != before.newest.master_key
    assert after.index_key == before.index_key
    assert after.newest.recipient != before.newest.recipient
    assert len(before) == 1


def test_a_key_that_the_keyring_lacks_is_named_as_such() -> None:
    with pytest.raises(UnknownKey):
        KEYRING.get(3)


def test_signing_key_and_identity_work_with_their_public_halves() -> None:
    entry = KEYRING.newest
    signature = entry.signing_key.sign(b"message")
    Ed25519PublicKey.from_public_bytes(entry.public_signing_key).verify(signature, b"message")
    assert identity.sign(entry.signing_seed, b"message") == signature
    assert identity.public_signing_key(entry.signing_seed) == entry.public_signing_key
    assert identity.open_sealed([entry.identity], identity.seal_to(entry.recipient, b"note")) == b"note"


def test_what_was_sealed_to_an_old_recipient_opens_after_a_rotation() -> None:
    before = Keyring.new(NOW)
    note = identity.seal_to(before.newest.recipient, b"note")
    assert identity.open_sealed(before.rotated(NOW).identities, note) == b"note"


def test_each_record_has_a_key_of_its_own() -> None:
    places = [("entries", "a"), ("entries", "b"), ("tags", "a"), ("entriesa", ""), ("", "entriesa")]
    keys = {entry.record_key(*place) for entry in KEYRING for place in places}
    assert len(keys) == 2 * len(places)


def test_no_key_is_shown() -> None:
    entry = KEYRING.first
    assert all(name not in f"{entry!r} {KEYRING!r}" for name in ("master", str(entry.master_key), entry.identity))


@pytest.mark.parametrize("entries", [[], [ENTRIES[0], ENTRIES[0]], ENTRIES[::-1]], ids=["none", "twice", "falling"])
def test_a_keyring_has_keys_with_rising_ids(entries: list[KeyEntry]) -> None:
    with pytest.raises(Malformed):
        Keyring(entries)


@pytest.mark.parametrize("key_id", [0, -1, 2**32, True, "1"], ids=repr)
def test_a_key_id_is_a_number_that_fits_the_frame(key_id) -> None:
    with pytest.raises(Malformed):
        KeyEntry(key_id, bytes(32), NOW)

"""The keyring, its derived keys and its seal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto import errors, identity
from lockleaf.crypto.errors import CryptoError, Malformed, SealBroken, UnknownKey
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import (
    PASSWORD_LABEL,
    RECOVERY_LABEL,
    UCE_LABEL,
    KeyEntry,
    Keyring,
    open_keyring,
    seal_keyring,
)
from tests.support.vectors import keyring_of, vectors

VECTORS = vectors("keyring")
WRAP_KEY = bytes.fromhex(VECTORS["wrap_key"])
NOW = "2024-05-01T06:30:00Z"
KEYRING = keyring_of(VECTORS["entries"])
ENTRIES = list(KEYRING)
END = HistoryPlace("epoch", 7, bytes(32))
LATER = HistoryPlace("epoch", 9, bytes(31) + b"\1")

places = st.builds(
    HistoryPlace,
    epoch=st.text(st.characters(codec="ascii"), min_size=1, max_size=64),
    seq=st.integers(0, 2**63 - 1),
    head=st.binary(min_size=32, max_size=32),
)
rings = st.lists(
    st.tuples(st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32), places),
    min_size=1,
    max_size=5,
    unique_by=lambda part: part[0],
).map(
    lambda parts: Keyring(
        [
            KeyEntry(key_id, key, NOW, None if n == len(parts) else at)
            for n, (key_id, key, at) in enumerate(sorted(parts, key=lambda part: part[0]), start=1)
        ]
    )
)


def opened(sealed: bytes, **changes) -> Keyring:
    place = {"wrap_key": WRAP_KEY, "label": PASSWORD_LABEL, "user_id": VECTORS["user_id"], "version": 7} | changes
    return open_keyring(sealed, **place)


def sealed() -> bytes:
    return seal_keyring(KEYRING, WRAP_KEY, label=PASSWORD_LABEL, user_id=VECTORS["user_id"], version=7)


def test_the_packed_form_agrees_with_its_vector() -> None:
    assert KEYRING.pack().hex() == VECTORS["packed"]
    assert Keyring.unpack(bytes.fromhex(VECTORS["packed"])) == KEYRING


def test_a_keyring_that_begins_after_what_another_application_wrote_agrees_with_its_vector() -> None:
    adopted = keyring_of(VECTORS["adopted"]["entries"])
    packed = bytes.fromhex(VECTORS["adopted"]["packed"])
    assert (Keyring.unpack(packed), adopted.pack()) == (adopted, packed)
    assert adopted.first.begins_after is not None
    assert Keyring([KEYRING.first, *KEYRING.entries[1:]]).beginning_after(adopted.first.begins_after) == adopted
    later = adopted.rotated(adopted.newest.created_at, adopted.first.begins_after)
    assert later.first.begins_after == adopted.first.begins_after
    assert adopted.extends(KEYRING)


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
    assert entry.index_key.hex() == derived["index_key"]
    assert KEYRING.index_key.hex() == VECTORS["index_key"]


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
    after = before.rotated("2024-06-01T00:00:00Z", END)
    assert [entry.key_id for entry in after] == [1, 2]
    assert after.first.is_key_of(before.newest)
    assert after.get(1) == after.first
    assert hash(after) != hash(before)
    assert after.newest.created_at == "2024-06-01T00:00:00Z"
    assert after.newest.master_key != before.newest.master_key
    assert after.newest.recipient != before.newest.recipient
    assert len(before) == 1


def test_a_rotation_says_where_the_old_key_ends() -> None:
    twice = Keyring.new(NOW).rotated(NOW, END).rotated(NOW, LATER)
    assert [entry.retired_at for entry in twice] == [END, LATER, None]


def test_labels_and_tokens_are_made_anew_by_a_rotation() -> None:
    before = Keyring.new(NOW)
    after = before.rotated(NOW, END)
    assert after.index_key == after.newest.index_key != before.index_key


def test_a_keyring_extends_those_that_it_came_from_wherever_their_keys_were_retired() -> None:
    before = Keyring.new(NOW)
    after = before.rotated(NOW, END)
    assert after.extends(before)
    assert after.extends(after)
    assert not before.extends(after)
    assert not after.extends(Keyring.new(NOW))
    moved = after.retired_anew(LATER, known=lambda place: False)
    assert moved.extends(after)
    assert after.extends(moved)


def test_only_places_that_a_history_lost_are_replaced() -> None:
    twice = Keyring.new(NOW).rotated(NOW, END).rotated(NOW, LATER)
    newer = HistoryPlace("another", 3, bytes(32))
    assert twice.retired_anew(newer, known=lambda place: place == END).entries[:2] == (
        twice.entries[0],
        KeyEntry(2, twice.get(2).master_key, NOW, newer),
    )


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
    assert identity.open_sealed(before.rotated(NOW, END).identities, note) == b"note"


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

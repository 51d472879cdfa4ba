"""Records under seal: what opens, and everything that does not."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto import envelope, errors
from lockleaf.crypto.encoding import pack
from lockleaf.crypto.envelope import RecordContext, open_record, parse, seal_record
from lockleaf.crypto.errors import CryptoError, Malformed, SealBroken, TooLarge, UnknownKey
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.padding import MAX_PLAINTEXT
from lockleaf.wire.content import MAX_PAYLOAD_BYTES
from tests.support.vectors import keyring_of, vectors, with_bytes

VECTORS = vectors("envelope")
KEYRING = keyring_of(vectors("keyring")["entries"])
END = HistoryPlace("epoch", 7, bytes(32))
CONTEXT = RecordContext(**with_bytes(VECTORS["context"]))
CONTENT = {"type": "entry", "body": "Up betimes."}

contexts = st.builds(
    RecordContext,
    user_id=st.uuids().map(str),
    collection=st.sampled_from(["entries", "tags", "x-notes"]),
    record_id=st.from_regex(r"[A-Za-z0-9._-]{1,128}", fullmatch=True),
    revision=st.integers(1, 2**63 - 1),
    parent=st.binary(min_size=32, max_size=32),
    deleted=st.booleans(),
    meta=st.binary(min_size=32, max_size=32),
)
maps = st.dictionaries(
    st.text(max_size=8),
    st.text(max_size=400) | st.binary(max_size=40) | st.integers(-(2**63), 2**63) | st.lists(st.text(max_size=8)),
    max_size=6,
)
suites = st.sampled_from([1, 2])


@pytest.mark.parametrize("case", VECTORS["vectors"], ids=lambda case: case["name"])
def test_the_payload_of_a_vector_opens_to_its_map(case) -> None:
    payload = bytes.fromhex(case["payload"])
    context = RecordContext(**with_bytes(case["context"]))
    frame = parse(payload)
    assert (frame.version, frame.suite, frame.key_id) == (1, case["suite"], case["key_id"])
    assert open_record(KEYRING, context, payload) == with_bytes(case["map"])


@pytest.mark.parametrize("case", VECTORS["vectors"], ids=lambda case: case["name"])
def test_what_is_sealed_here_differs_from_a_vector_by_its_nonce_alone(case) -> None:
    """Sealing has no way to be given a nonce, so the vector's is put to the test by its parts."""
    context, payload = RecordContext(**with_bytes(case["context"])), bytes.fromhex(case["payload"])
    writer = Keyring(
        [
            replace(entry, retired_at=None) if entry.key_id == case["key_id"] else entry
            for entry in KEYRING
            if entry.key_id <= case["key_id"]
        ]
    )
    sealed = seal_record(writer, context, with_bytes(case["map"]), suite=case["suite"])
    assert (sealed[:6], len(sealed)) == (payload[:6], len(payload))
    key = writer.newest.record_key(context.collection, context.record_id)
    aad = context.aad(payload[:6])
    assert envelope.open(key, aad, sealed) == envelope.open(key, aad, payload)


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["name"])
def test_a_payload_that_a_vector_refuses_is_refused_with_its_error(case) -> None:
    with pytest.raises(CryptoError) as caught:
        open_record(KEYRING, CONTEXT, bytes.fromhex(case["payload"]))
    assert type(caught.value) is getattr(errors, case["error"])


@settings(max_examples=100, deadline=None)
@given(contexts, maps, suites)
def test_a_sealed_record_opens_to_what_was_sealed(context: RecordContext, content: dict, suite: int) -> None:
    payload = seal_record(KEYRING, context, content, suite=suite)
    assert open_record(KEYRING, context, payload) == content


@settings(max_examples=100, deadline=None)
@given(contexts, suites, st.data())
def test_any_flipped_bit_is_refused(context: RecordContext, suite: int, data: st.DataObject) -> None:
    broken = bytearray(seal_record(KEYRING, context, CONTENT, suite=suite))
    bit = data.draw(st.integers(0, len(broken) * 8 - 1))
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises((SealBroken, Malformed)):
        open_record(KEYRING, context, bytes(broken))


@pytest.mark.parametrize("suite", [1, 2])
def test_each_single_bit_of_the_header_is_refused(suite: int) -> None:
    payload = seal_record(KEYRING, CONTEXT, CONTENT, suite=suite)
    for bit in range(6 * 8):
        broken = bytearray(payload)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SealBroken, Malformed)):
            open_record(KEYRING, CONTEXT, bytes(broken))


@settings(max_examples=100, deadline=None)
@given(contexts, contexts, st.sampled_from([field.name for field in fields(RecordContext)]))
def test_any_changed_field_of_its_place_is_refused(context: RecordContext, other: RecordContext, name: str) -> None:
    changed = replace(context, **{name: getattr(other, name)})
    payload = seal_record(KEYRING, context, CONTENT)
    if changed == context:
        assert open_record(KEYRING, changed, payload) == CONTENT
    else:
        with pytest.raises(SealBroken):
            open_record(KEYRING, changed, payload)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=64))
def test_any_trailing_byte_is_refused(trailing: bytes) -> None:
    with pytest.raises(SealBroken):
        open_record(KEYRING, CONTEXT, seal_record(KEYRING, CONTEXT, CONTENT) + trailing)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_nobody_sealed_are_refused(payload: bytes) -> None:
    with pytest.raises((SealBroken, Malformed)):
        open_record(KEYRING, CONTEXT, payload)


def test_letters_cannot_move_between_collection_and_record_id() -> None:
    payload = seal_record(KEYRING, replace(CONTEXT, collection="x-ab", record_id="c"), CONTENT)
    with pytest.raises(SealBroken):
        open_record(KEYRING, replace(CONTEXT, collection="x-a", record_id="bc"), payload)


def test_another_account_does_not_open_it() -> None:
    payload = seal_record(KEYRING, CONTEXT, CONTENT)
    stranger = Keyring.new("2024-05-01T00:00:00Z").rotated("2024-05-01T00:00:00Z", END)
    with pytest.raises(SealBroken):
        open_record(stranger, CONTEXT, payload)


def test_a_rotated_keyring_reads_the_old_and_an_old_keyring_asks_for_the_new() -> None:
    later = KEYRING.rotated("2024-05-01T00:00:00Z", END)
    assert open_record(later, CONTEXT, seal_record(KEYRING, CONTEXT, CONTENT)) == CONTENT
    with pytest.raises(UnknownKey):
        open_record(KEYRING, CONTEXT, seal_record(later, CONTEXT, CONTENT))


def test_the_same_content_is_never_sealed_to_the_same_bytes() -> None:
    assert seal_record(KEYRING, CONTEXT, CONTENT) != seal_record(KEYRING, CONTEXT, CONTENT)


@pytest.mark.parametrize("length", [0, 1, 100])
def test_short_texts_cannot_be_told_apart_by_length(length: int) -> None:
    empty = seal_record(KEYRING, CONTEXT, CONTENT | {"body": ""})
    assert len(seal_record(KEYRING, CONTEXT, CONTENT | {"body": "x" * length})) == len(empty) == 34 + 256


def test_the_longest_content_fits_a_payload_and_one_byte_more_is_too_large() -> None:
    longest = {"body": "x" * (MAX_PLAINTEXT - 4 - len(pack({"body": "x" * 2**16})) + 2**16)}
    payload = seal_record(KEYRING, CONTEXT, longest)
    assert len(payload) == MAX_PLAINTEXT + 34 <= MAX_PAYLOAD_BYTES
    assert open_record(KEYRING, CONTEXT, payload) == longest
    with pytest.raises(TooLarge):
        seal_record(KEYRING, CONTEXT, {"body": longest["body"] + "x"})


@pytest.mark.parametrize(
    "change",
    [
        {"revision": 0},
        {"revision": -1},
        {"revision": 2**63},
        {"parent": b""},
        {"meta": bytes(33)},
        {"user_id": CONTEXT.user_id.upper()},
        {"record_id": "\ud800"},
    ],
    ids=str,
)
def test_a_place_that_cannot_be_is_refused_both_ways(change) -> None:
    impossible = replace(CONTEXT, **change)
    with pytest.raises(Malformed):
        seal_record(KEYRING, impossible, CONTENT)
    with pytest.raises(Malformed):
        open_record(KEYRING, impossible, seal_record(KEYRING, CONTEXT, CONTENT))


@pytest.mark.parametrize("suite", [0, 3, 255])
def test_an_unknown_suite_is_not_sealed_with(suite: int) -> None:
    with pytest.raises(Malformed):
        seal_record(KEYRING, CONTEXT, CONTENT, suite=suite)

"""The two encodings: what is packed comes back, nothing may follow it, and what is built by hand agrees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.wire.codec import MSGPACK, MalformedBody, decode, pack, pack_with_items, unpack
from lockleaf.wire.fields import decode_base64, encode_base64
from lockleaf.wire.sync import Change, Feed, Record, pack_record

NOW = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=40) | st.binary(max_size=400),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=10), inner, max_size=20),
    max_leaves=30,
)


@given(values)
def test_what_is_packed_comes_back(value: Any) -> None:
    assert unpack(pack(value)) == value


@given(values, st.binary(min_size=1, max_size=20))
def test_nothing_may_follow_a_value(value: Any, more: bytes) -> None:
    with pytest.raises(MalformedBody):
        unpack(pack(value) + more)


@given(values, st.data())
def test_nothing_may_be_missing(value: Any, data: st.DataObject) -> None:
    packed = pack(value)
    kept = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(MalformedBody):
        unpack(packed[:kept])


@given(st.lists(values, max_size=40), st.dictionaries(st.text(max_size=8), values, max_size=10))
def test_items_that_were_packed_before_make_the_same_map(items: list[Any], fields: dict[str, Any]) -> None:
    fields.pop("changes", None)
    joined = pack_with_items("changes", [pack(item) for item in items], fields)
    assert unpack(joined) == {"changes": items, **fields}


@given(st.binary(max_size=200))
def test_base64_has_one_form(data: bytes) -> None:
    text = encode_base64(data)
    assert decode_base64(text) == data
    for other in (text + "=", text + "\n", " " + text, text.replace("=", "") if "=" in text else text + "A"):
        with pytest.raises(ValueError, match="base64"):
            decode_base64(other)


changes = st.builds(
    Change,
    collection=st.just("entries"),
    record_id=st.just("9b58704a-938b-4c82-a13b-ca8f67c32a1a"),
    base_revision=st.integers(0, 2**40),
    parent=st.binary(min_size=32, max_size=32),
    payload=st.binary(max_size=500),
    deleted=st.booleans(),
    labels=st.lists(st.binary(min_size=16, max_size=16), max_size=5, unique=True).map(tuple),
    source=st.none() | st.just("cli"),
    occurred_at=st.none() | st.just("1660-01-11T00:00:00.5+01:00"),
    device_id=st.just("device"),
    client_updated_at=st.just(NOW),
)


@given(changes, st.integers(1, 2**50))
def test_a_record_as_it_is_stored_is_a_record_as_it_travels(change: Change, seq: int) -> None:
    packed = pack_record(change, seq=seq, created_at=NOW, updated_at=NOW)
    record = decode(Record, packed, MSGPACK)
    shared = set(Change.model_fields) & set(Record.model_fields)
    assert {name: getattr(record, name) for name in shared} == {name: getattr(change, name) for name in shared}
    assert (record.seq, record.revision, record.created_at, record.updated_at) == (
        seq,
        change.base_revision + 1,
        NOW,
        NOW,
    )
    assert set(unpack(packed)) <= set(Record.model_fields)
    page = {"cursor": "c", "has_more": False, "seq": seq, "head": bytes(32), "epoch": "e", "epochs": []}
    feed = decode(Feed, pack_with_items("changes", [packed], page), MSGPACK)
    assert feed.changes == (record,)

"""What is written without the models is what they would write."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lockleaf.server.features.content import sealed
from lockleaf.wire.codec import unpack_stored
from lockleaf.wire.sync import Change, Record, pack_record

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)


@given(
    st.builds(
        Change,
        collection=st.just("entries"),
        record_id=st.uuids().map(str),
        base_revision=st.integers(0, 2**40),
        parent=st.binary(min_size=32, max_size=32),
        payload=st.binary(max_size=500),
        deleted=st.booleans(),
        labels=st.lists(st.binary(min_size=16, max_size=16), max_size=5, unique=True).map(tuple),
        occurred_at=st.none() | st.just("1660-01-11T00:00:00.5+01:00"),
        device_id=st.just("device"),
        client_updated_at=moments,
    ),
    st.none() | texts,
    st.integers(1, 2**50),
    moments,
    moments,
)
def test_an_entry_as_json_is_what_its_model_says(
    change: Change, source: str | None, seq: int, created_at: datetime, updated_at: datetime
) -> None:
    stored = unpack_stored(pack_record(change, seq=seq, created_at=created_at, updated_at=updated_at))
    record = Record.model_validate(stored).model_copy(update={"source": source})
    said = stored if source is None else {**stored, "source": source}
    assert sealed.as_json(said) == sealed.shown(record).model_dump_json().encode()

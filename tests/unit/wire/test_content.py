"""The rules of an entry's map, which clients and servers share."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto.envelope import RecordContext, seal_record
from lockleaf.crypto.errors import TooLarge
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.codec import pack
from lockleaf.wire.content import (
    MAX_CONTENT_BYTES,
    InvalidContent,
    clean_tags,
    date_text,
    entry_fields,
    labelled,
    shared_source,
)
from lockleaf.wire.days import shared_date, shared_time
from lockleaf.wire.sync import Change

SEEN = {"seen": ["e" * 64, 2**63, b"h" * 32], "device": "d" * 64, "written_at": "2026-01-01T00:00:00.000000000+00:00"}


def change(**fields: object) -> Change:
    base = {
        "collection": "entries", "record_id": "x", "base_revision": 0, "parent": bytes(32), "payload": b"x",
        "device_id": "d", "client_updated_at": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return Change.model_validate({**base, **fields})


def test_the_longest_map_can_be_sealed_with_its_writers_head_and_a_longer_one_need_not() -> None:
    keyring = Keyring.new("2026-01-01T00:00:00Z")
    context = RecordContext("00000000-0000-0000-0000-000000000000", "entries", "x", 1, bytes(32), False, bytes(32))
    frame = len(pack({"body": "x" * 100_000})) - 100_000
    longest = {"body": "x" * (MAX_CONTENT_BYTES - frame)}
    assert len(pack(longest)) == MAX_CONTENT_BYTES
    assert seal_record(keyring, context, longest | SEEN)
    with pytest.raises(TooLarge):
        seal_record(keyring, context, {"body": longest["body"] + "x" * 600} | SEEN)


@given(st.datetimes(timezones=st.one_of(st.none(), st.timezones())), st.sampled_from([None, "UTC", "Asia/Kathmandu"]))
def test_any_time_is_shared_in_a_form_that_the_store_takes(value: datetime, zone: str | None) -> None:
    shared = shared_time(date_text(value), zone)
    assert change(occurred_at=shared).occurred_at == shared


@given(st.dates())
def test_a_day_is_shared_as_its_beginning_in_utc(value: date) -> None:
    assert shared_time(date_text(value), "Asia/Kathmandu") == f"{value.isoformat()}T00:00:00Z"


@given(st.dictionaries(st.sampled_from(["occurred_at", "time_zone", "source"]), st.text() | st.integers() | st.none()))
def test_what_another_program_wrote_is_shared_only_where_the_store_takes_it(content: dict[str, object]) -> None:
    shared = {"occurred_at": shared_date(content), "source": shared_source(content)}
    assert change(**shared).source == shared["source"]


@given(st.dictionaries(st.sampled_from(["mood", "source", "tags"]), st.text() | st.lists(st.text() | st.integers())))
def test_only_text_is_found_by_its_label(content: dict[str, object]) -> None:
    for kind, value in labelled(content):
        tags = content.get("tags")
        assert value
        assert value == content.get(kind) or (kind == "tag" and isinstance(tags, list) and value in tags)


@pytest.mark.parametrize(
    "text",
    ["", "today", "2026-02-30", "20260314", "2026-W05-1", "2026-03-14T25:00", "2026-03-14T24:00:00Z", "2026-3-14"],
)
def test_what_is_no_day_and_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidContent):
        date_text(text)


def test_fields_are_trimmed_and_what_is_empty_is_absent() -> None:
    fields = entry_fields(body=" as it is ", title=" t ", mood=" ", tags=[" a", "a", "", "b "], date="2026-03-14")
    assert fields == {
        "type": "entry",
        "body": " as it is ",
        "title": "t",
        "tags": ["a", "b"],
        "occurred_at": "2026-03-14",
    }


def test_limits_are_kept() -> None:
    assert len(clean_tags(f"{n}" for n in range(60))) == 60
    for wrong in ({"tags": [f"{n}" for n in range(61)]}, {"tags": ["x" * 201]}, {"title": "x" * 1001}):
        with pytest.raises(InvalidContent):
            entry_fields(body="", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidContent):
        entry_fields(body="", time_zone="Mars/Olympus")

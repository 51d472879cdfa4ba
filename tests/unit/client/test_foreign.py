"""What another application sealed: nothing of it is lost, and nothing is taken for more than it is."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from lockleaf.client.records.foreign import FOREIGN, foreign_content, foreign_fields
from lockleaf.client.records.readings import reading_of
from lockleaf.wire.codec import pack
from lockleaf.wire.fields import decode_base64

FIELDS = {"encrypted_content": "c2VhbGVk", "tag_names": ["walks"], "rounds": 12, "weight": 1.5, "kept": True}


def test_fields_stay_as_they_came_and_none_of_them_but_the_date_is_understood() -> None:
    content = foreign_content(pack(FIELDS | {"occurred_at": "2026-03-14", "mood": "calm", "title": "in the clear"}))
    told = {name: value for name, value in content.items() if name != FOREIGN}
    assert told == {"type": "entry", "body": "", "occurred_at": "2026-03-14"}
    fields = foreign_fields(content)
    assert fields is not None
    assert {name: fields[name] for name in FIELDS} == FIELDS


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", None, 20260314, ["2026-03-14"]])
def test_a_date_that_is_none_is_left_among_the_fields(date: Any) -> None:
    content = foreign_content(pack(FIELDS | {"occurred_at": date}))
    assert "occurred_at" not in content
    assert foreign_fields(content) == FIELDS | {"occurred_at": date}


@pytest.mark.parametrize(
    "payload",
    [
        b"\x01\x01" + bytes(300),
        b"no MessagePack at all",
        pack(["a", "list"]),
        pack(FIELDS | {"nested": {"deeper": 1}}),
        pack(FIELDS | {"raw": b"\0\1"}),
        pack(FIELDS | {"endless": inf}),
        pack(FIELDS | {"lists": [["of lists"]]}),
    ],
)
def test_bytes_that_are_no_such_fields_are_kept_whole(payload: bytes) -> None:
    fields = foreign_fields(foreign_content(payload))
    assert fields is not None
    assert decode_base64(fields["payload"]) == payload


@pytest.mark.parametrize("value", [None, "text", ["list"], {1: "number for a name"}, {"deep": {"er": 1}}])
def test_what_is_no_map_of_fields_makes_no_foreign_entry(value: Any) -> None:
    assert foreign_fields({"type": "entry", "body": "words", FOREIGN: value}) is None


def test_it_is_not_measured_and_what_its_user_adds_is() -> None:
    content = foreign_content(pack(FIELDS))
    assert reading_of(content, "2026-03-14T10:00:00Z") is None
    reading = reading_of(content | {"body": "three own words"}, "2026-03-14T10:00:00Z")
    assert reading is not None
    assert reading.values["word_count"] == 3

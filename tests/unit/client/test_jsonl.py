"""JSON Lines: what is an entry, what is not, and on which line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.entries import EntryDraft
from lockleaf.client.errors import MalformedImport
from lockleaf.client.importers import jsonl, read_jsonl
from lockleaf.client.imports import imported_id, portions


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def put(file: Path, *lines: Any) -> Path:
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def test_every_field_is_taken_over(file: Path) -> None:
    line = {"date": "2020-01-02T03:04:05+01:00", "text": " ü\n", "title": " T ", "mood": "calm", "tags": ["a"], "id": 7}
    (draft,) = read_jsonl(put(file, line))
    assert (draft.date, draft.body, draft.title, draft.mood, draft.tags) == (
        line["date"],
        " ü\n",
        " T ",
        "calm",
        ("a",),
    )
    assert draft.external_id == "id\x007"


def test_body_is_another_name_of_text_and_empty_lines_are_passed_over(file: Path) -> None:
    drafts = list(
        read_jsonl(put(file, "", {"date": "2020-01-02", "body": "b"}, "   ", {"date": "2020-01-02", "text": ""}))
    )
    assert [draft.body for draft in drafts] == ["b", ""]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_may_be_packed_and_bear_a_byte_order_mark(file: Path, pack: Any, mark: bytes) -> None:
    file.write_bytes(pack(mark + b'{"date": "2020-01-02", "text": "t"}'))
    (draft,) = read_jsonl(file)
    assert draft.body == "t"


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '"text"',
        "[" * 100_000,
        {"date": "2020-01-02"},
        {"text": "t"},
        {"date": "2020-02-30", "text": "t"},
        {"date": "20200102", "text": "t"},
        {"date": "2020-W01-1", "text": "t"},
        {"date": "yesterday", "text": "t"},
        {"date": 20200102, "text": "t"},
        {"date": "2020-01-02", "text": 5},
        {"date": "2020-01-02", "text": "t", "tags": "a"},
        {"date": "2020-01-02", "text": "t", "tags": ["x" * 300]},
        {"date": "2020-01-02", "text": "t", "tags": [1]},
        {"date": "2020-01-02", "text": "t", "mood": 3},
        {"date": "2020-01-02", "text": "t", "title": "x" * 2000},
        {"date": "2020-01-02", "text": "t", "id": {}},
        {"date": "2020-01-02", "text": "t", "id": True},
        {"date": "2020-01-02", "text": "x" * (1 << 20)},
        '{"date": "2020-01-02", "text": "\\ud800"}',
    ],
)
def test_a_line_that_is_no_entry_is_named_and_not_quoted(file: Path, line: Any) -> None:
    drafts = read_jsonl(put(file, {"date": "2020-01-01", "text": "first"}, "", line))
    assert next(drafts).body == "first"
    with pytest.raises(MalformedImport) as caught:
        next(drafts)
    assert caught.value.line == 3
    assert "line 3" in str(caught.value)
    assert "xxx" not in str(caught.value)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(file: Path) -> None:
    file.write_bytes(gzip.compress(b'{"text": "' + b"x" * (jsonl.MAX_LINE_BYTES + 10)))
    with pytest.raises(MalformedImport):
        list(read_jsonl(file))


def test_a_packed_file_that_ends_early_is_named(file: Path) -> None:
    lines = "".join(json.dumps({"date": "2020-01-02", "text": str(number)}) + "\n" for number in range(5000))
    file.write_bytes(gzip.compress(lines.encode())[:-2000])
    with pytest.raises(MalformedImport):
        list(read_jsonl(file))


def test_entries_without_an_id_are_named_by_date_place_and_text(file: Path) -> None:
    lines = [
        {"date": day, "text": text} for day, text in (("2020-01-01", "a"), ("2020-01-01", "a"), ("2020-01-02", "a"))
    ]
    names = [draft.external_id for draft in read_jsonl(put(file, *lines))]
    assert len(set(names)) == 3
    assert [draft.external_id for draft in read_jsonl(file)] == names
    assert [draft.external_id for draft in read_jsonl(put(file, *lines, {"date": "2020-01-03", "text": "b"}))][
        :3
    ] == names


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_an_imported_id_is_a_uuid_of_provider_and_name(one: str, two: str, three: str, four: str) -> None:
    first, second = imported_id(b"k" * 32, one, two), imported_id(b"k" * 32, three, four)
    assert (first == second) == ((one, two) == (three, four))
    assert first[14] == "8"
    assert first[19] in "89ab"
    assert first != imported_id(b"j" * 32, one, two)


def test_what_stands_before_a_malformed_draft_is_not_lost() -> None:
    draft = EntryDraft(body="b", date="2020-01-01", external_id="1", provider="p")

    def drafts() -> Any:
        yield from [draft] * 1001
        raise MalformedImport(1002)

    found = portions(drafts())
    assert [len(next(found)), len(next(found))] == [1000, 1]
    with pytest.raises(MalformedImport):
        next(found)

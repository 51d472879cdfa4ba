"""What journals from elsewhere look like, and what becomes of each line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers import read_jsonl, reading
from lockleaf.client.journal.imports import imported_id, portions
from lockleaf.client.records.entries import EntryDraft

LINE = {"date": "2026-03-01", "text": "one"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def put(file: Path, *lines: Any) -> Path:
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def drafts(path: Path) -> list[EntryDraft]:
    found = list(read_jsonl(path))
    assert all(isinstance(each, EntryDraft) for each in found), found
    return [each for each in found if isinstance(each, EntryDraft)]


def bodies(path: Path) -> list[str]:
    return [each.body if isinstance(each, EntryDraft) else each.place for each in read_jsonl(path)]


def test_every_field_is_taken_over(file: Path) -> None:
    line = {
        "date": "2020-01-02T03:04:05+01:00", "text": " ü\n", "title": " T ", "mood": "calm", "tags": ["a"], "id": 7,
        "time_zone": "Europe/Berlin", "source": "old app", "metrics": {"sleep": 7, "steps": None},
    }  # fmt: skip
    (draft,) = drafts(put(file, line))
    assert (draft.date, draft.body, draft.title, draft.mood) == (line["date"], " ü\n", " T ", "calm")
    assert (draft.tags, draft.time_zone, draft.source, draft.metrics) == (
        ("a",), "Europe/Berlin", "old app", {"sleep": 7},
    )  # fmt: skip
    assert draft.external_id == "id\x007"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_may_be_in_any_usual_form_of_text(file: Path, pack: Any, end: str, encoding: str) -> None:
    text = end.join(json.dumps(LINE | {"text": text}, ensure_ascii=False) for text in ("größer", "", "😀"))
    file.write_bytes(pack(text.encode(encoding)))
    assert bodies(file) == ["größer", "", "😀"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([LINE, LINE | {"text": 'two {"}'}]),
        json.dumps([LINE, LINE | {"text": 'two {"}'}], indent=2),
        json.dumps(LINE, indent=1) + json.dumps(LINE | {"text": 'two {"}'}, indent=1),
        json.dumps(LINE) + ",\n" + json.dumps(LINE | {"text": 'two {"}'}) + ",",
    ],
)
def test_an_array_objects_over_several_lines_and_commas_are_read(file: Path, text: str) -> None:
    file.write_text(text)
    assert bodies(file) == ["one", 'two {"}']


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '"text"',
        "[" * 100_000,
        "{" * 100_000,
        {"date": "2020-01-02"},
        {"text": "t"},
        {"date": "2020-02-30", "text": "t"},
        {"date": "20200102", "text": "t"},
        {"date": "2020-W01-1", "text": "t"},
        {"date": "yesterday", "text": "t"},
        {"date": "Nov 21, 2026 at 6:30 PM", "text": "t"},
        {"date": 1e300, "text": "t"},
        {"date": True, "text": "t"},
        {"date": "2020-01-02", "text": 5},
        {"date": "2020-01-02", "text": "t", "body": "b"},
        {"date": "2020-01-02", "text": "t", "tags": "a"},
        {"date": "2020-01-02", "text": "t", "tags": [1]},
        {"date": "2020-01-02", "text": "t", "mood": 3},
        {"date": "2020-01-02", "text": "t", "id": {}},
        {"date": "2020-01-02", "text": "t", "id": True},
        '{"date": "2020-01-02", "text": "first", "text": "second"}',
        '{"date": "2020-01-02", "text": "half a li',
        b'{"date": "2020-01-02", "text": "\xfc"}',
    ],
)
def test_a_line_that_is_no_entry_costs_itself_and_is_named_and_not_quoted(file: Path, line: Any) -> None:
    raw = line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
    before, after = (json.dumps(LINE | {"text": text}).encode() for text in ("before", "after"))
    file.write_bytes(b"\n".join([before, b"", raw, after]))
    first, skipped, last = read_jsonl(file)
    assert isinstance(first, EntryDraft)
    assert isinstance(last, EntryDraft)
    assert (first.body, last.body) == ("before", "after")
    assert isinstance(skipped, Skipped)
    assert skipped.place == "line 3"
    assert "half a li" not in skipped.reason


def test_a_broken_object_of_an_array_costs_itself(file: Path) -> None:
    text = json.dumps([LINE | {"text": text} for text in ("before", "broken", "after")], indent=1)
    file.write_text(text.replace('"broken"', '"broken'))
    assert bodies(file) == ["before", "line 6", "after"]
    file.write_text(json.dumps([LINE, 5, LINE | {"text": "after"}]))
    assert bodies(file) == ["one", "line 1", "after"]
    file.write_text(text[:-30])
    assert bodies(file)[:2] == ["before", "broken"]
    assert bodies(file)[2:] == ["line 10"]


def test_an_array_that_was_cut_off_between_two_objects_is_said(file: Path) -> None:
    text = json.dumps([LINE, LINE | {"text": "lost"}], indent=1)
    for end in ("}", "},", "},\n"):
        file.write_text(text[: text.index("}")] + end)
        found = list(read_jsonl(file))
        assert [type(each) for each in found] == [EntryDraft, Skipped]
        assert isinstance(found[1], Skipped)
        assert "cut off" in found[1].reason


@pytest.mark.parametrize("start", ["", "[\n"])
def test_a_line_of_a_hundred_megabytes_costs_itself_and_no_memory(file: Path, start: str) -> None:
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(start.encode() + json.dumps(LINE).encode() + b'\n{"date": "2026-03-01", "text": "')
        for _ in range(100):
            packed.write(b"x" * 1_000_000)
        packed.write(b'"}\n' + json.dumps(LINE | {"text": "after"}).encode() + b"\n")
        packed.write(b"]" if start else b"")
    first, skipped, last = read_jsonl(file)
    assert isinstance(first, EntryDraft)
    assert isinstance(last, EntryDraft)
    assert last.body == "after"
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "longer than 32 MiB"


def test_a_packed_file_that_ends_early_is_said_behind_what_could_be_read(file: Path) -> None:
    lines = "".join(json.dumps(LINE | {"text": str(number)}) + "\n" for number in range(5000))
    file.write_bytes(gzip.compress(lines.encode())[:-2000])
    *read, last = read_jsonl(file)
    assert isinstance(last, Skipped)
    assert "damaged" in last.reason
    assert len(read) > 1000


@pytest.mark.parametrize(
    ("written", "kept", "noted"),
    [
        ("1931-05-04", "1931-05-04", False),
        (" 1969-12-31T23:59:59Z ", "1969-12-31T23:59:59Z", False),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00", False),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59-12:00", False),
        ("2026-11-21T18:30:00.123456789Z", "2026-11-21T18:30:00.123456789Z", False),
        ("2026-11-21 18:30:00", "2026-11-21 18:30:00", False),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", True),
        ("2026-11-21T24:00:00Z", "2026-11-22T00:00:00Z", True),
        (1750000000, "2025-06-15T15:06:40Z", True),
        (1750000000000, "2025-06-15T15:06:40Z", True),
        (-1.5, "1969-12-31T23:59:58.500000Z", True),
    ],
)
def test_dates_are_kept_to_the_letter_where_an_entry_can_and_otherwise_said(
    file: Path, written: Any, kept: str, *, noted: bool
) -> None:
    (draft,) = drafts(put(file, LINE | {"date": written}))
    assert (draft.date, bool(draft.notes)) == (kept, noted)


def test_half_an_emoji_is_replaced_and_said(file: Path) -> None:
    (draft,) = drafts(put(file, '{"date": "2026-03-01", "text": "cut \\ud83d", "tags": ["\\udc00"]}'))
    assert (draft.body, draft.tags, len(draft.notes)) == ("cut \ufffd", ("\ufffd",), 1)


def test_an_entry_without_an_id_is_named_by_its_date_and_text_wherever_it_stands(file: Path) -> None:
    lines = [LINE | {"text": text} for text in "abc"]
    names = {draft.external_id for draft in drafts(put(file, *lines))}
    assert len(names) == 3
    assert {draft.external_id for draft in drafts(put(file, LINE | {"text": "new"}, *reversed(lines)))} > names


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20)), max_size=5), st.booleans())
def test_any_objects_are_found_in_an_array_as_they_are_in_it(tmp_path_factory: Any, found: Any, wide: bool) -> None:
    file = tmp_path_factory.mktemp("import") / "array.json"
    file.write_text(json.dumps(found, indent=None if wide else 1), "utf-8")
    assert [json.loads(piece.text) for piece in reading.pieces_of(file.open("rb"))] == found


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_an_imported_id_is_a_uuid_of_provider_and_name(one: str, two: str, three: str, four: str) -> None:
    first, second = imported_id(b"k" * 32, one, two), imported_id(b"k" * 32, three, four)
    assert (first == second) == ((one, two) == (three, four))
    assert first[14] == "8"
    assert first[19] in "89ab"
    assert first != imported_id(b"j" * 32, one, two)


def test_what_stands_before_an_error_of_a_reader_is_not_lost() -> None:
    draft = EntryDraft(body="b", date="2020-01-01", external_id="1", provider="p")

    def drafts() -> Any:
        yield from [draft] * 1001
        raise OSError

    found = portions(drafts())
    assert [len(next(found)), len(next(found))] == [1000, 1]
    with pytest.raises(OSError):
        next(found)

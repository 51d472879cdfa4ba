"""Entries and conflicts as text."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lockleaf.cli.conflicts import marked, still_marked
from lockleaf.cli.rendering import diff_of, entries_table, entry_json, headline, printable
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import Conflict

WHEN = datetime(2026, 11, 21, tzinfo=UTC)


def entry(body: str = "text", **changes: object) -> Entry:
    fields: dict[str, object] = {
        "id": "2ca01e22-c580-4fe1-8c7d-8d07e9b72063",
        "date": "2026-11-21",
        "title": None,
        "body": body,
        "mood": None,
        "tags": (),
        "revision": 1,
        "created_at": WHEN,
        "updated_at": WHEN,
    }
    return Entry(**(fields | changes))  # type: ignore[arg-type]


def conflict(local: Entry | None, remote: Entry | None) -> Conflict:
    return Conflict("b94ce0599824b0c0", "2ca01e22", local, remote, "phone", WHEN, True)


def rendered(*entries: Entry, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(entries_table(entries, width))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@given(st.text())
def test_what_is_shown_commands_no_terminal(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066)}


def test_letters_signs_and_joined_emoji_are_shown_as_they_are() -> None:
    text = "Größe, 日本語, العربية, 👩\u200d🌾 ❤\ufe0f\n\tx"
    assert printable(text) == text


@given(st.text(), st.integers(10, 100))
def test_a_headline_is_one_line_of_at_most_its_width(body: str, width: int) -> None:
    line = headline(entry(body), width)
    assert "\n" not in line
    assert len(line) <= width + 1


def test_a_headline_is_the_title_where_there_is_one() -> None:
    assert headline(entry("the body", title="The title")) == "The title"


@pytest.mark.parametrize("width", [70, 80, 100, 200])
def test_a_table_keeps_ids_dates_and_states_whole_and_one_line_an_entry(width: int) -> None:
    long = entry(
        "word " * 200,
        date="2026-11-21T18:30:00",
        mood="rather melancholic today",
        tags=("garden", "a very long tag"),
        pending=True,
        conflict=True,
    )
    lines = [line for line in rendered(long, width=width).splitlines() if "2ca01e22" in line]
    assert len(lines) == 1
    assert "2026-11-21 18:30" in lines[0]
    assert "conflict, not synced" in lines[0]


def test_json_has_every_field_of_an_entry_under_its_name() -> None:
    internal = {"shown_as", "merged"}
    assert set(entry_json(entry())) == (set(Entry.__dataclass_fields__) - internal) | {"version"}


def test_a_diff_names_what_only_one_version_has() -> None:
    diff = diff_of(conflict(entry("same\nlocal line", mood="glad"), entry("same\nremote line")))
    assert "+local line" in diff.splitlines()
    assert "-remote line" in diff.splitlines()
    assert "+mood: glad" in diff.splitlines()


def test_a_deletion_is_a_version_without_lines() -> None:
    assert "-text" in diff_of(conflict(None, entry())).splitlines()
    assert marked(conflict(None, entry("kept"))).count("kept") == 1


@given(st.text(), st.text())
def test_a_text_with_both_versions_marked_is_known_as_undecided(local: str, remote: str) -> None:
    assert still_marked(marked(conflict(entry(local), entry(remote))))


def test_a_heading_underlined_with_equal_signs_is_no_mark() -> None:
    assert not still_marked("Heading\n=======\ntext")

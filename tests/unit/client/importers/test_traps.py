"""Texts of megabytes that are nothing but the beginnings of what a reader looks for: each is read all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.journals.dayone import entry, write_dayone
from tests.support.journals.diaries import journey_entry, write_csv, write_journey
from tests.support.journals.notes import JoplinNotes
from tests.support.journals.reading import drafts, read

LENGTH = 500_000
"""In characters: reading that took time by the square of it would take minutes."""
BEGINNINGS = [
    "[",
    "![",
    "![[",
    "[a](<",
    '[a](b "',
    "[a](",
    "#",
    "# ",
    "#a",
    "`",
    "```\n",
    "<p",
    "<p ",
    "@-",
    "@",
    "\\",
    "(",
    "---\n",
]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_text_of_beginnings_is_read(tmp_path: Path, beginning: str) -> None:
    text = f"x{beginning * (LENGTH // len(beginning))}"
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "2026-01-01.md").write_text(text)
    notes = JoplinNotes()
    notes.note("t", text)
    (tmp_path / "jrnl.txt").write_text(f"[2026-01-01 09:00] t\n{text}")
    paths = [
        tmp_path / "vault",
        tmp_path / "jrnl.txt",
        write_dayone(tmp_path / "dayone.zip", {"Journal": [entry(text)]}),
        write_journey(tmp_path / "journey.zip", [journey_entry("1", text, 0)]),
        notes.write_jex(tmp_path / "joplin.jex"),
        write_csv(tmp_path / "t.csv", ["date", "text"], [["2026-01-01", text]]),
    ]
    for path in paths:
        assert len(drafts(path)) == 1


def test_json_of_brackets_alone_is_named(tmp_path: Path) -> None:
    for text in ('{"entries": [' + "[" * LENGTH, '{"metadata": {}, "entries": [' + '{"a":' * LENGTH):
        (tmp_path / "Journal.json").write_text('{"metadata": {}, ' + text[1:])
        found, left = read(tmp_path / "Journal.json")
        assert (found, len(left)) == ([], 1)
    (tmp_path / "deep.json").write_text(json.dumps({"metadata": {}, "entries": [{"text": "x"}]}))
    assert [each.reason for each in read(tmp_path / "deep.json")[1]]

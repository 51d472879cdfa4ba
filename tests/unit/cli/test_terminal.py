"""What is written to a terminal: whoever it is from, it says something and commands nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.cli.dates import shown_date
from lockleaf.cli.errors import Complaint, complain
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import json_escaped

HOSTILE = "\x1b]0;gotcha\x07\x9b31m\u202ered[bold]"
SHOWN = "]0;gotcha31mred[bold]"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(home=tmp_path, profile="default", json=False, quiet=False, color=False)


def test_lines_and_notes_are_cleaned_of_commands(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.line(HOSTILE)
    run.note(f"The server refused it ({HOSTILE}).")
    said = capsys.readouterr()
    assert said.out == f"{SHOWN}\n"
    assert said.err == f"The server refused it ({SHOWN}).\n"


def test_errors_are_cleaned_of_commands() -> None:
    said = io.StringIO()
    complain(Complaint(f"Something went wrong. ({HOSTILE})"), as_json=False, stream=said)
    assert SHOWN in said.getvalue()
    assert not set(said.getvalue()) & set("\x1b\x07\x9b\u202e")


def test_a_date_that_is_none_is_cleaned_of_commands() -> None:
    assert shown_date(HOSTILE) == SHOWN
    assert shown_date("2026-03-14\x1b18:30:00") == "2026-03-14 18:30"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_says_the_same_without_a_character_that_commands(value: Any) -> None:
    document = json_escaped(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert not set(document) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x2066)}

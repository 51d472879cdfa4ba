"""What is written to a terminal: whoever it is from, it says something and commands nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.cli import prompts
from lockleaf.cli.dates import shown_date
from lockleaf.cli.errors import Complaint, complain
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import json_escaped, shown_name

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


@given(st.text())
def test_a_name_is_one_line_and_commands_nothing(name: str) -> None:
    shown = shown_name(name)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set("\x1b\x07\x9b\u202e\u2066\r\n\t\x7f")
    if name.isascii() and name.isprintable():
        assert shown == name


def test_what_would_command_the_terminal_is_seen_in_a_name() -> None:
    assert shown_name("a\n\x1b]0;b\u202egpj.exe") == "a\\n\\x1b]0;b\\u202egpj.exe"
    assert shown_name("caf\u00e9 \U0001f468\u200d\U0001f469.png") == "caf\u00e9 \U0001f468\u200d\U0001f469.png"


def test_a_question_is_cleaned_of_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    prompts.confirm(f"Delete {HOSTILE} for good?")
    asked = capsys.readouterr().err
    assert "]0;gotcha" in asked
    assert not set(asked) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize(("allowed", "limit"), [(None, (0, 0)), ("1", (4096, 4096))])
def test_no_core_dump_is_written_unless_it_is_allowed(allowed: str | None, limit: tuple[int, int]) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096));"
        "sys.argv = ['lockleaf', '--version']; from lockleaf.cli.main import main; main();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "LOCKLEAF_ALLOW_CORE_DUMPS"}
    if allowed is not None:
        environment["LOCKLEAF_ALLOW_CORE_DUMPS"] = allowed
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == str(limit)

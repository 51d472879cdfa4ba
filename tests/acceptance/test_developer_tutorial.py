"""The developer's tutorial does what it says: its programs as they stand there, run in its order, answer as shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.tutorials import follow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "build-a-journal-app.md"
PROGRAMS = ("journal.py", "opening.py", "check.py", "reader.py")


def test_every_program_and_command_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for name, text in zip(PROGRAMS, programs, strict=True):
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("CLONE", str(ROOT))
    answers: list[str] = []
    ran = follow(PAGE, tmp_path, heard=lambda _, said: answers.append(said), changed=str)
    assert ran > 9
    # Every vector of key derivation by Argon2id, and of envelopes.
    assert any(int(found) > 8 for said in answers for found in re.findall(r"(\d+) vectors fit", said))

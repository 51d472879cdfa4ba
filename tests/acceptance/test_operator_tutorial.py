"""The operator's tutorial does what it says: each command in its order, in a shell, with the answers shown."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.tutorials import follow

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "run-a-server.md"
CODE = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b")


def test_every_command_of_the_page_succeeds_and_answers_as_shown(tmp_path: Path) -> None:
    invited: list[str] = []

    def heard(command: str, said: str) -> None:
        if "admin invite" in command:
            invited.extend(CODE.findall(said.splitlines()[0]))

    def changed(command: str) -> str:
        return CODE.sub(invited[0], command) if invited else command

    assert follow(PAGE, tmp_path, heard=heard, changed=changed) > 18

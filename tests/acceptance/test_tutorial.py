"""Tutorial and README do what they say: commands run in their order, and print nothing but what stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer

ROOT = Path(__file__).parents[2]
PAGES = {"docs/tutorials/keep-a-journal.md": 20, "README.md": 5}
"""Each page, and more than how many commands it has."""
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}(?:-[0-9a-f]{12})?\b")
CODE = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b")
LINK = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{300,}\b")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Each command of the console blocks, and what the tutorial shows of its answer."""
    for block in re.findall(r"^```console\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            yield command, shown


def lines(text: str) -> set[str]:
    """The lines of an answer without what differs from run to run: ids, codes, times, and the widths of tables."""
    for pattern, name in ((CODE, "CODE"), (LINK, "LINK"), (MOMENT, "MOMENT"), (ID, "ID"), (re.compile("─+"), "─")):
        text = pattern.sub(name, text)
    return {" ".join(line.split()) for line in text.splitlines()} - {""}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_succeeds_and_answers_as_shown(
    server: RunningServer, tmp_path: Path, page: str
) -> None:
    device, email = CommandLine(tmp_path), fresh_email()
    ours: dict[str, str] = {}
    codes: list[str] = []
    links: list[str] = []
    ran = []
    for command, shown in steps(page):
        if not command.startswith("lockleaf "):
            assert command == "make serve"  # the server of this test stands for it
            continue
        here = command.replace("http://127.0.0.1:8000", server.url).replace("you@example.org", email)
        here = LINK.sub(lambda _, known=links: known[-1], here)
        _, *arguments = shlex.split(ID.sub(lambda found, known=ours: known[found[0]], here))
        environment = {"LOCKLEAF_NEW_PASSWORD": PASSWORD, "LOCKLEAF_RECOVERY_CODE": codes[0] if codes else ""}
        typed, ended, _ = shown.partition("^D\n")  # what a person types for -, up to the end of it
        answer = device.run(*arguments, environment=environment, stdin=typed.encode() if ended else b"")
        codes += CODE.findall(answer.out)
        links += LINK.findall(answer.out)
        ours |= {theirs[:8]: own[:8] for theirs, own in zip(ID.findall(shown), ID.findall(answer.out), strict=False)}
        said = answer.out.replace(email, "you@example.org").replace(server.url, "http://127.0.0.1:8000")
        assert lines(said) <= lines(shown), command
        ran.append(command)
    assert len(ran) > PAGES[page]

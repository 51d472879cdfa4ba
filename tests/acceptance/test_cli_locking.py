"""``lock``, and the password that a person types at the terminal when a command wants the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal

ASKED = "Password to unlock the journal: "
TEXT = "written before it was locked"


@pytest.fixture(scope="module")
def laptop(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    device = CommandLine(tmp_path_factory.mktemp("home"), "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    device.run("write", TEXT)
    yield device
    device.run("lock")


def at_the_terminal(device: CommandLine, *arguments: str) -> Terminal:
    return Terminal(device, *arguments, without=("LOCKLEAF_PASSWORD",))


def test_a_locked_journal_asks_a_person_and_takes_a_second_try(laptop: CommandLine) -> None:
    laptop.run("lock")
    with at_the_terminal(laptop, "list") as terminal:
        terminal.wait_for(ASKED)
        terminal.type("not this one")
        terminal.wait_for("That is not the password. Try again.")
        terminal.wait_for(ASKED)
        terminal.type(PASSWORD)
        terminal.wait_for(TEXT)
        assert terminal.end() == 0
        assert PASSWORD not in terminal.seen
    # It stays open for the commands that follow.
    with at_the_terminal(laptop, "list") as terminal:
        terminal.wait_for(TEXT)
        assert terminal.end() == 0
        assert ASKED not in terminal.seen


def test_three_wrong_passwords_end_the_command_and_say_why(laptop: CommandLine) -> None:
    laptop.run("lock")
    with at_the_terminal(laptop, "list") as terminal:
        for _ in range(3):
            terminal.wait_for(ASKED)
            terminal.type("not this one")
        assert terminal.end() == 3
        assert TEXT not in terminal.seen
        assert "Traceback" not in terminal.seen


def test_a_password_that_is_not_text_is_named(laptop: CommandLine) -> None:
    laptop.run("lock")
    with at_the_terminal(laptop, "unlock") as terminal:
        terminal.wait_for(ASKED)
        terminal.type("gr\xfcn".encode("latin-1"))
        terminal.wait_for("UTF-8")
        assert terminal.end() == 9
        assert "Traceback" not in terminal.seen
        assert "Unexpected" not in terminal.seen


@pytest.mark.parametrize("arguments", [("unlock",), ("list",), ("write", "a text")], ids=lambda each: each[0])
def test_ctrl_c_at_the_question_ends_the_command_quietly(laptop: CommandLine, arguments: tuple[str, ...]) -> None:
    laptop.run("lock")
    with at_the_terminal(laptop, *arguments) as terminal:
        terminal.wait_for(ASKED)
        terminal.interrupt()
        assert terminal.end() == 130
        assert "Traceback" not in terminal.seen


def test_the_text_of_an_entry_is_piped_while_the_password_is_typed(laptop: CommandLine, tmp_path: Path) -> None:
    laptop.run("lock")
    piped = tmp_path / "piped"
    piped.write_text("piped while it was locked\n")
    with at_the_terminal(laptop, "write") as terminal:
        # Standard input is the terminal here: the editor would open, so the question has to come before it.
        terminal.wait_for(ASKED)
        terminal.interrupt()
        assert terminal.end() == 130
    shell = CommandLine(laptop.home, laptop.profile, program=Path("/bin/sh"))
    with Terminal(shell, "-c", f'"{laptop.program}" write < "{piped}"', without=("LOCKLEAF_PASSWORD",)) as terminal:
        terminal.wait_for(ASKED)
        terminal.type(PASSWORD)
        assert terminal.end() == 0
    assert "piped while it was locked" in laptop.run("list").out


def test_ctrl_c_ends_a_repair_at_each_of_its_questions_and_typing_is_shown_again(laptop: CommandLine) -> None:
    laptop.run("unlock")
    with at_the_terminal(laptop, "repair", "--again") as terminal:
        terminal.wait_for("Password: ")
        assert not terminal.shows_typing()
        terminal.interrupt()
        assert terminal.end() == 130
        assert terminal.shows_typing()
    # What was never sent is offered.
    with at_the_terminal(laptop, "repair", "--again") as terminal:
        terminal.wait_for("Password: ")
        terminal.type(PASSWORD)
        terminal.wait_for("[Y/n]: ")
        terminal.interrupt()
        assert terminal.end() == 130
    laptop.run("repair", "--yes")
    assert TEXT in laptop.run("list").out

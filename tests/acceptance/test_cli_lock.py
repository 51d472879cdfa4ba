"""``lockleaf lock`` and ``unlock``, for a person at a terminal and for a script without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal

pytestmark = pytest.mark.unmeasured

NOBODY = {"LOCKLEAF_PASSWORD": ""}


@pytest.fixture
def device(server: RunningServer, tmp_path: Path) -> CommandLine:
    device = CommandLine(tmp_path, "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "x")
    device.run("write", "the first entry", environment=NOBODY)
    return device


def test_a_locked_journal_opens_for_the_password_alone(device: CommandLine) -> None:
    assert "is locked" in device.run("lock").out
    error = device.run("list", "--json", environment=NOBODY, code=3).error()
    assert (error["code"], error["name"]) == ("journal_locked", "JournalLocked")
    assert "lockleaf unlock" in error["hint"]
    assert device.run("status", "--json", environment=NOBODY, code=3).value()["locked"] is True
    assert device.run("unlock", environment=NOBODY, code=3).err
    wrong = device.run("list", "--json", environment={"LOCKLEAF_PASSWORD": "not the password"}, code=3).error()
    assert wrong["name"] == "WrongPassword"
    refused = device.run("logout", "--forget", "--json", environment=NOBODY, code=3).error()
    assert refused["name"] == "JournalLocked"
    # Each command asks where nothing may be remembered, and a script answers with the environment.
    never = {"LOCKLEAF_UNLOCK_MINUTES": "0"}
    assert device.run("list", "--json", environment=never).value()["body"] == "the first entry"
    device.run("list", environment=NOBODY, code=3)
    assert device.run("unlock", "--minutes", "60", "--json").value()["kept"] in (True, False)
    device.run("list", environment={"LOCKLEAF_UNLOCK_MINUTES": "many"}, code=2)


def test_a_person_is_asked_at_the_terminal(device: CommandLine) -> None:
    device.run("lock")
    with Terminal(device, "list", without=("LOCKLEAF_PASSWORD",)) as terminal:
        terminal.wait_for("Password to unlock the journal: ")
        terminal.type("not the password")
        terminal.wait_for("Try again.")
        terminal.wait_for("Password to unlock the journal: ")
        terminal.type(PASSWORD)
        terminal.wait_for("the first entry")
        assert terminal.end() == 0
    assert PASSWORD not in terminal.seen


def test_who_keeps_it_unlocked_is_told_what_that_means(device: CommandLine) -> None:
    told = device.run("unlock", "--keep-unlocked")
    assert "whoever copies your home folder" in told.err
    key = device.home / "profiles" / "laptop" / "unlocked.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert device.run("status", "--json", environment=NOBODY).value()["keys_in"] == "file"
    device.run("lock")
    assert not key.exists()
    device.run("list", environment=NOBODY, code=3)

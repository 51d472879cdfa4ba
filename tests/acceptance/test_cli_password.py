"""A password that is easy to guess, on the command line: refused, explained, and answered with a better one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, CommandLine, Outcome, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal

SUGGESTION = re.compile(r"if you like it: ((?:[a-z-]+ ){4}[a-z-]+)")


@pytest.fixture
def device(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, "laptop")


def register(device: CommandLine, server: RunningServer, password: str, *options: str, code: int = 0) -> Outcome:
    return device.run(
        *("register", "--server", server.url, "--email", fresh_email(), "--device-name", "x", *options),
        environment={"LOCKLEAF_PASSWORD": password},
        code=code,
    )


@pytest.mark.parametrize("custody", ["e2e", "uce"])
@pytest.mark.parametrize("password", ["short", "password1234"])
def test_a_weak_password_makes_no_account(
    device: CommandLine, server: RunningServer, password: str, custody: str
) -> None:
    refused = register(device, server, password, "--custody", custody, code=9)
    assert "too easy to guess" in refused.err
    suggested = SUGGESTION.search(refused.err)
    assert suggested is not None
    error = register(device, server, password, "--custody", custody, "--json", code=9).error()
    assert (error["code"], error["name"]) == ("password_too_weak", "PasswordTooWeak")
    assert SUGGESTION.search(error["message"]) is None
    assert not (device.home / "profiles").exists()
    register(device, server, suggested[1], "--custody", custody)


def test_who_insists_has_it(device: CommandLine, server: RunningServer) -> None:
    register(device, server, "password1234", "--allow-weak-password")


def test_a_new_password_is_held_to_the_same_floor(device: CommandLine, server: RunningServer) -> None:
    codes = register(device, server, PASSWORD, "--json").value()["recovery_codes"]
    weak = {"LOCKLEAF_NEW_PASSWORD": "testpass123", "LOCKLEAF_RECOVERY_CODE": codes[0]}
    assert "too easy to guess" in device.run("password", environment=weak, code=9).err
    device.run("password", "--allow-weak-password", environment=weak)
    device.run("logout")
    assert "too easy to guess" in device.run("recovery", "use", environment=weak, code=9).err
    device.run("recovery", "use", "--allow-weak-password", environment=weak)


def test_a_person_is_told_why_is_shown_a_passphrase_and_is_asked_again(
    device: CommandLine, server: RunningServer
) -> None:
    address = ("register", "--server", server.url, "--email", fresh_email(), "--device-name", "x")
    with Terminal(device, *address, without=("LOCKLEAF_PASSWORD",)) as terminal:
        terminal.wait_for("Password: ")
        terminal.type("password1234")
        terminal.wait_for("The same again: ")
        terminal.type("password1234")
        terminal.wait_for("This is a very common password.")
        suggested = SUGGESTION.search(terminal.wait_for("Password: "))
        assert suggested is not None
        terminal.type(suggested[1])
        terminal.wait_for("The same again: ")
        terminal.type(suggested[1])
        assert terminal.end() == 0
    assert device.run("login", environment={"LOCKLEAF_PASSWORD": suggested[1]}, code=None).code == 5
    assert suggested[1].encode() not in b"".join(
        file.read_bytes() for file in device.home.rglob("*") if file.is_file() and os.access(file, os.R_OK)
    )

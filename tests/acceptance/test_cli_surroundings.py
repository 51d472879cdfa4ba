"""Commands where streams are closed or full, encodings lack letters, and terminals have no size."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import SECONDS, CommandLine, fresh_email
from tests.support.editors import editor_that
from tests.support.process import RunningServer

BAD = "a\udcff"


@pytest.fixture(scope="module")
def device(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    made = CommandLine(tmp_path_factory.mktemp("surroundings"))
    made.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "laptop")
    made.run("write", "Grüße \N{FROG FACE}", "--tag", "café")
    return made


def shell(device: CommandLine, line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", f'"$0" {line}', str(device.program)],
        env=device.variables() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("list >&-", 0, ""),
        ("list --json >&-", 0, ""),
        ("write one <&- >&- 2>&-", 0, ""),
        ("list >/dev/full", 8, "could not be written (No space left on device)"),
        ("write two 2>/dev/full", 0, ""),
        ("show zzzz 2>&-", 4, ""),
        ("show zzzz 2>/dev/full", 4, ""),
        ("write <&-", 9, "needs a terminal"),
    ],
)
def test_a_stream_that_is_closed_or_full_is_no_fault_of_the_program(
    device: CommandLine, tmp_path: Path, line: str, code: int, said: str
) -> None:
    # One that wants a terminal, by its name; whether this machine has it does not matter.
    ended = shell(device, line, EDITOR=editor_that(tmp_path, "exit 0", name="nano"))
    assert ended.returncode == code, ended
    assert said in ended.stderr.decode()
    assert b"Unexpected" not in ended.stderr


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["ascii", "C"],
)
@pytest.mark.parametrize("command", ["list --tag café", "stats", "tags"])
def test_letters_that_an_encoding_lacks_are_written_otherwise(
    device: CommandLine, environment: dict[str, str], command: str
) -> None:
    ended = shell(device, command, **environment)
    assert ended.returncode == 0, ended
    assert ended.stdout.strip()


@pytest.mark.parametrize("size", ["0", "1", "x", "9" * 20])
def test_a_size_that_is_none_hides_nothing(device: CommandLine, size: str) -> None:
    ended = shell(device, "show zzzz", COLUMNS=size, LINES=size)
    assert ended.returncode == 4
    assert b"no such entry" in b" ".join(ended.stderr.split())
    assert shell(device, "list --help", COLUMNS=size, LINES=size).returncode == 0


def test_a_password_that_is_no_text_is_named_as_such(tmp_path: Path) -> None:
    other = CommandLine(tmp_path, environment={"LOCKLEAF_PASSWORD": BAD})
    unreachable = "http://127.0.0.1:9"
    error = other.run("login", "--server", unreachable, "--email", fresh_email(), "--json", code=9).error()
    assert error["name"] == "PasswordNotText"
    assert "LOCKLEAF_PASSWORD" in error["message"]


def test_the_end_of_a_line_is_no_part_of_a_password(device: CommandLine) -> None:
    with_end = device.variables()["LOCKLEAF_PASSWORD"] + "\r\n"
    device.run("lock")
    error = device.run("list", "--json", environment={"LOCKLEAF_PASSWORD": BAD}, code=9).error()
    assert error["name"] == "PasswordNotText"
    device.run("unlock", environment={"LOCKLEAF_PASSWORD": with_end})

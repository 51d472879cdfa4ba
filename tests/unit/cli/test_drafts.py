"""What is typed or piped is in the journal or in a draft, whatever an editor, a pipe or an encoding does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lockleaf.cli.main import main
from lockleaf.client import BlockingClient
from lockleaf.client.journal.drafts import known_drafts
from tests.support.editors import editor_that, standard_input
from tests.support.offline_devices import offline_device

LINES = 'printf "Line %s of an evening.\\n" $(seq 40)'


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """A home with a journal on this device, whose server does not answer."""
    for name in [name for name in os.environ if name.startswith("LOCKLEAF_")]:
        monkeypatch.delenv(name)
    (tmp_path / "memory").mkdir()
    for name, value in {
        "LOCKLEAF_HOME": str(tmp_path / "home"),
        "LOCKLEAF_PROFILE": "laptop",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "XDG_RUNTIME_DIR": str(tmp_path / "memory"),
        "VISUAL": "",
    }.items():
        monkeypatch.setenv(name, value)
    async with offline_device(tmp_path / "home"):
        pass
    return tmp_path


class Said:
    """How a command ended, and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


class Desk:
    """Runs commands in this process."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capfd = home, monkeypatch, capfd

    def run(self, *arguments: str, stdin: bytes | None = None, editor: str | None = None) -> Said:
        self.capfd.readouterr()
        with self.monkeypatch.context() as patched, standard_input(self.monkeypatch, stdin):
            if editor is not None:
                patched.setenv("EDITOR", editor)
            code = main(arguments)
        said = self.capfd.readouterr()
        return Said(code, said.out, " ".join(said.err.split()))

    def editor(self, does: str) -> str:
        return editor_that(self.home, does)

    def bodies(self) -> list[str]:
        return [entry["body"] for entry in map(json.loads, self.run("list", "--all", "--json").out.splitlines())]

    def drafts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("drafts", "--json").out.splitlines()]

    def plain(self) -> list[Path]:
        return [file for file in (self.home / "memory").rglob("*") if file.is_file()]


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Desk:
    return Desk(home, monkeypatch, capfd)


def test_a_text_that_is_saved_leaves_no_file_and_no_draft(desk: Desk) -> None:
    said = desk.run("write", editor=desk.editor('echo "typed by hand" > "$1"'))
    assert (said.code, desk.bodies()) == (0, ["typed by hand"])
    assert (desk.plain(), known_drafts(desk.home / "home/profiles/laptop/drafts")) == ([], [])
    assert {file.name for file in (desk.home / "home/profiles/laptop/drafts").iterdir()} <= {".disk"}
    assert list((desk.home / "memory").iterdir()) == []


@pytest.mark.parametrize(
    ("does", "code"),
    [
        (LINES + ' > "$1"; printf "The caf\\xe9.\\n" >> "$1"', 9),
        (LINES + ' > "$1"; exit 3', 9),
        (LINES + ' > "$1"; kill -KILL $$', 9),
        (LINES + ' > "$1"; mv "$1" "$(dirname "$1")/renamed.txt"', 9),
        (LINES + ' > "$1.save"', 9),
    ],
    ids=["no UTF-8", "failed", "killed", "renamed", "emergency copy"],
)
def test_whatever_an_editor_does_what_it_left_is_a_draft(desk: Desk, does: str, code: int) -> None:
    said = desk.run("write", "--title", "An evening", "--tag", "home", editor=desk.editor(does))
    assert said.code == code
    assert "Unexpected" not in said.err
    [draft] = desk.drafts()
    assert draft["path"] in said.err
    assert f"lockleaf write --draft {draft['id']}" in said.err
    assert b"Line 40 of an evening." in Path(draft["path"]).read_bytes()
    assert draft["path"] in desk.run("status", "--offline").err
    assert draft["path"] not in desk.run("status", "--offline", "-q").err

    # What is printed is followed.
    more = ("--encoding", "latin-1") if "latin-1" in said.err else ()
    assert desk.run("write", "--draft", draft["id"], *more, editor=desk.editor("true")).code == 0
    [entry] = map(json.loads, desk.run("list", "--json").out.splitlines())
    assert "Line 40 of an evening." in entry["body"]
    assert (entry["title"], entry["tags"]) == ("An evening", ["home"])
    assert ("café" in entry["body"]) == bool(more)
    assert (desk.drafts(), desk.plain()) == ([], [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_text_whose_first_bytes_name_its_encoding_is_read_as_that(desk: Desk, encoding: str) -> None:
    (desk.home / "saved").write_bytes("The café, 日本語.\n".encode(encoding))
    assert desk.run("write", editor=desk.editor(f'cp "{desk.home}/saved" "$1"')).code == 0
    assert desk.bodies() == ["The café, 日本語."]


def test_a_draft_of_an_edit_goes_on_with_its_entry(desk: Desk) -> None:
    entry = desk.run("write", "The first words.").out.strip()
    assert desk.run("edit", entry, editor=desk.editor('echo "Better words." > "$1"; exit 1')).code == 9
    [draft] = desk.drafts()
    assert (draft["purpose"], draft["entry_id"]) == ("edit", entry)
    seen = desk.editor(f'cat "$1" > "{desk.home}/seen"; echo "The best." >> "$1"')
    assert desk.run("write", "--draft", draft["id"][:5], editor=seen).out.strip() == entry
    assert (desk.home / "seen").read_text() == "Better words.\n"
    assert desk.bodies() == ["Better words.\nThe best."]


def test_an_emptied_file_changes_nothing_and_loses_nothing(desk: Desk) -> None:
    entry = desk.run("write", "The first words.").out.strip()
    said = desk.run("edit", entry, editor=desk.editor(': > "$1"'))
    assert (said.code, "Nothing was changed" in said.err) == (0, True)
    assert (desk.bodies(), desk.drafts(), desk.plain()) == (["The first words."], [], [])


def test_an_editor_that_goes_on_behind_its_back_keeps_its_file(desk: Desk) -> None:
    os.mkfifo(desk.home / "go")
    does = f'(read -r _ < "{desk.home}/go"; echo "typed later" > "$1"; echo done > "{desk.home}/done") & exit 0'
    os.mkfifo(desk.home / "done")
    said = desk.run("write", editor=desk.editor(does))
    assert said.code == 9
    assert "may still be open" in said.err
    (desk.home / "go").write_text("\n")
    assert (desk.home / "done").read_text() == "done\n"
    [identity] = re.findall(r"--draft ([0-9a-f]{8})", said.err)[:1]
    for _ in range(500):  # its last steps after the file
        again = desk.run("write", "--draft", identity, editor=desk.editor("true"))
        if "still open" not in again.err:
            break
    assert desk.bodies() == ["typed later"]


def test_a_draft_is_told_until_it_is_discarded_and_outlives_its_plain_file(desk: Desk) -> None:
    desk.run("write", editor=desk.editor('echo "two hours" > "$1"; exit 1'))
    [file] = desk.plain()
    file.unlink()  # as a reboot does
    [draft] = desk.drafts()
    assert draft["path"] is None
    assert "sealed" in desk.run("list").err
    assert desk.run("drafts", "show", draft["id"]).out == "two hours\n"
    sealed = b"".join(each.read_bytes() for each in (desk.home / "home/profiles/laptop/drafts").iterdir())
    assert b"two hours" not in sealed
    assert desk.run("drafts", "discard", draft["id"]).code == 2
    assert desk.run("drafts", "discard", draft["id"], "--yes").code == 0
    assert desk.run("list").err == "No entries."


@pytest.mark.parametrize("variable", ["EDITOR", "VISUAL"])
@pytest.mark.parametrize("editor", ["vim -c 'set tw=72", "/nowhere/at/all --wait"])
def test_an_editor_that_cannot_be_is_named_with_its_variable(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, variable: str, editor: str
) -> None:
    monkeypatch.setenv(variable, editor)
    said = desk.run("write")
    assert said.code == 2
    assert said.err.startswith(f"error: {variable} ")


# ---- standard input ----


def test_what_is_piped_is_the_entry_and_an_argument_wins_aloud(desk: Desk) -> None:
    editor = desk.editor('echo "not this" > "$1"')
    first = desk.run("write", stdin=b"from a pipe\n", editor=editor)
    assert desk.bodies() == ["from a pipe\n"]
    second = desk.run("write", "from an argument", stdin=b"from a pipe\n", editor=editor)
    assert "Standard input was not read" in second.err
    assert desk.run("edit", first.out.strip(), stdin=b"anew", editor=editor).code == 0
    third = desk.run("edit", first.out.strip(), "--mood", "glad", stdin=b"something else", editor=editor)
    assert "Standard input was not read" in third.err
    assert sorted(desk.bodies()) == ["anew", "from an argument"]


def test_an_empty_pipe_and_no_terminal_are_said(desk: Desk, tmp_path: Path) -> None:
    vim = editor_that(tmp_path, 'echo "not this" > "$1"', "vim")
    for command in (["write"], ["write", "-"], ["edit", desk.run("write", "words").out.strip()]):
        said = desk.run(*command, stdin=b"", editor=vim)
        assert (said.code, "empty" in said.err) == (9, True)
    assert desk.bodies() == ["words"]
    window = desk.editor('echo "from a window" > "$1"')
    assert desk.run("write", "-", stdin=b"", editor=window).code == 9
    assert "so your editor opens" in desk.run("write", stdin=b"", editor=window).err
    assert sorted(desk.bodies()) == ["from a window", "words"]
    program = [sys.executable, "-m", "lockleaf", "write"]
    with subprocess.Popen(
        program,
        env=os.environ | {"EDITOR": vim},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as alone:
        assert b"needs a terminal" in alone.communicate()[1]
    assert alone.returncode == 9


def test_a_byte_that_is_no_text_costs_that_byte_and_the_bytes_are_kept(desk: Desk) -> None:
    data = b"A page typed at the prompt, stra\xc3e after a backspace.\n"
    said = desk.run("write", "-", stdin=data)
    assert said.code == 0
    assert "Byte 33 of line 1 (0xC3)" in said.err
    assert desk.bodies() == ["A page typed at the prompt, stra\N{REPLACEMENT CHARACTER}e after a backspace.\n"]
    [draft] = desk.drafts()
    assert (draft["purpose"], draft["entry_id"]) == ("original", said.out.strip())
    assert "unsaved draft" not in desk.run("list").err
    with closing(BlockingClient.open(profile="laptop")) as client:
        drafts = client.drafts
        assert drafts.content(drafts.find(draft["id"])).text == data
    assert desk.run("write", "--draft", draft["id"], "--encoding", "latin-1", editor=desk.editor("true")).code == 0
    assert desk.bodies() == ["A page typed at the prompt, straÃe after a backspace.\n"[:-1]]


def test_an_encoding_that_is_named_is_taken(desk: Desk) -> None:
    assert desk.run("write", "--encoding", "latin-1", stdin=b"caf\xe9").code == 0
    assert desk.bodies() == ["café"]
    assert desk.run("write", "--encoding", "klingon", stdin=b"caf\xe9").code == 2


def test_an_argument_that_is_no_text_is_taken_like_a_pipe(desk: Desk) -> None:
    said = desk.run("write", os.fsdecode(b"caf\xe9"))
    assert (said.code, desk.bodies()) == (0, ["caf\N{REPLACEMENT CHARACTER}"])
    refused = desk.run("write", "words", "--title", os.fsdecode(b"caf\xe9"))
    assert (refused.code, "Unexpected" in refused.err) == (9, False)


@pytest.mark.parametrize("profile", ["laptop", "nobody"])
def test_what_was_piped_and_cannot_be_saved_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    monkeypatch.setenv("LOCKLEAF_PROFILE", profile)
    if profile == "nobody":  # no journal is begun under such a password
        monkeypatch.setenv("LOCKLEAF_PASSWORD", "password1")
    text = b"far too much " * 400_000 if profile == "laptop" else b"an evening's words"
    with monkeypatch.context() as patched:
        patched.setattr("tests.support.editors.os.write", _written_by_another)
        said = desk.run("write", "--mood", "glad", stdin=text)
    assert said.code in (9, 3)
    if profile == "laptop":
        [draft] = desk.drafts()
        assert f"lockleaf write --draft {draft['id']}" in said.err
        assert desk.run("drafts", "show", draft["id"]).out == text.decode()
    else:
        [file] = desk.plain()
        assert f"lockleaf write < {file}" in said.err
        assert file.read_bytes() == text


def _written_by_another(handle: int, data: bytes) -> int:
    """Write more than a pipe holds."""
    if os.fork() == 0:
        with os.fdopen(os.dup(handle), "wb") as pipe:
            pipe.write(data)
        os._exit(0)
    return len(data)


# ---- the process ends ----


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_draft_outlives_the_program_and_is_told(desk: Desk, number: signal.Signals) -> None:
    for fifo in ("typed", "end"):
        os.mkfifo(desk.home / fifo)
    does = f'trap "" HUP TERM; echo "two hours" > "$1"; echo "$1" > "{desk.home}/typed"; read -r _ < "{desk.home}/end"'
    program = [sys.executable, "-m", "lockleaf", "write", "--mood", "tired"]
    process = subprocess.Popen(
        program, env=os.environ | {"EDITOR": desk.editor(does)}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    file = (desk.home / "typed").read_text().strip()
    assert desk.drafts() == []  # somebody is at work on it
    process.send_signal(number)
    assert process.wait(60) == (-number if number == signal.SIGKILL else 128 + number)
    assert Path(file).read_text() == "two hours\n"
    [draft] = desk.drafts()
    assert draft["editor_is_open"]
    assert file in desk.run("write", "something else").err
    assert desk.run("write", "--draft", draft["id"]).code == 5
    (desk.home / "end").write_text("\n")
    for _ in range(500):
        if desk.run("write", "--draft", draft["id"], editor=desk.editor("true")).code == 0:
            break
    assert "two hours" in desk.bodies()
    assert not Path(file).exists()


def test_forgetting_the_journal_says_which_drafts_stay(desk: Desk) -> None:
    desk.run("write", editor=desk.editor('echo "not saved" > "$1"; exit 1'))
    [draft] = desk.drafts()
    said = desk.run("logout", "--forget", "--yes")
    assert said.code == 0
    assert "1 draft stays" in said.out
    assert draft["path"] in said.out
    assert "nothing is left" not in said.out
    assert Path(draft["path"]).read_text() == "not saved\n"
    assert [each.id for each in known_drafts(desk.home / "home/profiles/laptop/drafts")] == [draft["id"]]


def test_a_draft_that_nothing_could_open_afterwards_is_not_left_behind(desk: Desk) -> None:
    desk.run("write", editor=desk.editor('echo "not saved" > "$1"; exit 1'))
    file = desk.home / "home/profiles/laptop/profile.json"
    profile = json.loads(file.read_text())
    file.write_text(json.dumps(profile | {"account_deleted": True}))
    said = desk.run("logout", "--forget", "--yes")
    assert said.code == 5
    assert "lockleaf drafts show ID" in said.err
    [draft] = desk.drafts()
    assert desk.run("drafts", "show", draft["id"]).out == "not saved\n"
    assert desk.run("drafts", "discard", draft["id"], "--yes").code == 0
    assert desk.run("logout", "--forget", "--yes").code == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("search", "\udce9"), "QUERY"),
        (("tags", "rename", "sea", "\udce9"), "NEW_NAME"),
        (("list", "--tag", "sea", "--tag", "\udce9"), "--tag"),
        (("login", "--email", "\udce9"), "--email"),
        (("login", "--device-name", "\udce9"), "--device-name"),
    ],
    ids=["search", "tag", "filter", "email", "device"],
)
def test_an_argument_in_another_encoding_is_named(desk: Desk, arguments: tuple[str, ...], named: str) -> None:
    said = desk.run(*arguments)
    assert said.code == 2
    assert f"{named}" in said.err
    assert "not UTF-8" in said.err
    assert "\udce9" not in said.err


@pytest.mark.parametrize("option", ["--title", "--tag", "--mood"])
def test_what_is_piped_is_kept_where_another_argument_is_refused(desk: Desk, option: str) -> None:
    said = desk.run("write", option, "\udce9", stdin=b"piped words\n")
    assert said.code == 9
    assert f"the {option.removeprefix('--')} has bytes that are not UTF-8" in said.err
    [draft] = desk.drafts()
    assert "piped words" in desk.run("drafts", "show", draft["id"]).out

"""Files on the command line, as far as no server is needed: attached, listed, opened, deleted and brought back."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lockleaf.cli.files import media_note, shown_size
from lockleaf.cli.main import main
from lockleaf.client import MediaReport
from lockleaf.client.errors import ObjectStoreUnreachable
from lockleaf.client.media.transfers import MediaRefusal
from lockleaf.exit_codes import ExitCode
from tests.support.offline_devices import offline_device

HOSTILE = "..\\..\\\x1b[31m.bashrc"


@dataclass
class Terminal:
    """Runs commands in this process, and gives what they wrote."""

    capsys: pytest.CaptureFixture[str]
    folder: Path

    def run(self, *arguments: str, code: int = 0) -> str:
        assert main(arguments) == code, self.capsys.readouterr().err
        return self.capsys.readouterr().out

    def values(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in self.run("--json", *arguments).splitlines()]

    def fails(self, code: ExitCode, *arguments: str) -> str:
        assert main(["--json", *arguments]) == code
        name: str = json.loads(self.capsys.readouterr().err.splitlines()[-1])["error"]["name"]
        return name


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    async def prepare() -> None:
        async with offline_device(tmp_path / "home"):
            pass

    asyncio.run(prepare())
    for name, value in {
        "LOCKLEAF_HOME": str(tmp_path / "home"),
        "LOCKLEAF_PROFILE": "laptop",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    capsys.readouterr()
    yield Terminal(capsys, folder)


def test_files_are_attached_listed_and_opened(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"one\n")
    Image.new("RGB", (400, 200), "green").save(tmp_path / "photo.png")
    entry = terminal.run("write", "with files").strip()
    ids = terminal.run("attach", entry[:8], str(tmp_path / "notes.txt"), str(tmp_path / "photo.png")).split()
    notes, photo = terminal.values("media", "--entry", entry[:8])
    assert [notes["media_id"], photo["media_id"]] == ids
    assert (notes["name"], notes["media_type"], notes["size"], notes["waiting"]) == ("notes.txt", "text/plain", 4, True)
    assert notes["thumbnail"] is None
    (shown,) = terminal.values("show", entry)
    assert [each["media_id"] for each in shown["attachments"]] == ids
    page = terminal.run("show", entry)
    assert f"+ notes.txt · 4 bytes · not sent · {ids[0][:8]}" in page
    assert "photo.png" in terminal.run("media", "list")
    assert photo["thumbnail"]["media_id"] in terminal.run("media", "show", ids[1])

    assert terminal.run("open", entry, "notes.txt") == "Saved 4 bytes to notes.txt.\n"
    assert (terminal.folder / "notes.txt").read_bytes() == b"one\n"
    (saved,) = terminal.values("open", photo["thumbnail"]["media_id"][:8], "-o", str(tmp_path))
    assert Path(saved["file"]) == tmp_path / "photo.thumbnail.webp"
    assert terminal.fails(ExitCode.CONFLICT, "open", ids[0]) == "FileExists"
    terminal.run("open", ids[0], "--force")


def test_standard_output_gets_the_bytes_and_nothing_else(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_bytes(bytes(range(256)))
    entry = terminal.run("write", "text").strip()
    terminal.run("attach", entry, str(tmp_path / "data"))
    taken = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(taken))
    assert main(["open", entry, "--output", "-"]) == 0
    assert taken.getvalue() == bytes(range(256))


def test_what_is_meant_has_to_be_plain(terminal: Terminal, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"x")
    entry = terminal.run("write", "text").strip()
    assert terminal.fails(ExitCode.NOT_FOUND, "open", entry) == "AttachmentNotFound"
    terminal.run("attach", entry, str(tmp_path / "one"), str(tmp_path / "two"))
    for arguments in (["open", entry], ["open", entry, "three"], ["open", "00000000"]):
        assert terminal.fails(ExitCode.NOT_FOUND, *arguments) == "AttachmentNotFound"
    assert terminal.fails(ExitCode.INPUT, "attach", entry, str(tmp_path)) == "NoSuchFile"
    two = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert terminal.fails(ExitCode.USAGE, "attach", entry, *two, "--name", "x") == "UsageError"
    assert terminal.fails(ExitCode.USAGE, "open", entry, "one", "--view") == "NotViewable"
    assert terminal.fails(ExitCode.LOCAL, "open", entry, "one", "-o", str(tmp_path / "no" / "one")) == "CannotWrite"
    assert terminal.fails(ExitCode.USAGE, "open", entry, "one", "-o", f"{tmp_path}/no/") == "NoSuchFolder"


def test_no_file_is_attached_if_one_cannot_be_and_it_is_said_which(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    entry = terminal.run("write", "text").strip()
    for name, why in (("absent", "No such file"), ("folder", "a folder"), ("pipe", "a pipe")):
        assert main(["attach", entry, str(tmp_path / "there"), str(tmp_path / name)]) == ExitCode.INPUT
        refused = terminal.capsys.readouterr()
        assert refused.out == ""
        assert why in refused.err
        assert name in refused.err
    assert terminal.values("media") == []


def test_a_hostile_name_stays_where_it_is_put_and_commands_no_terminal(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    entry = terminal.run("write", "text").strip()
    terminal.run("attach", entry, str(tmp_path / "x"), "--name", HOSTILE)
    for page in (terminal.run("media"), terminal.run("show", entry), terminal.run("open", entry)):
        assert "\x1b" not in page
    assert [path.name for path in terminal.folder.iterdir()] == ["[31m.bashrc"]


def test_a_deleted_file_comes_back(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    entry = terminal.run("write", "text").strip()
    media_id = terminal.run("attach", entry, str(tmp_path / "x")).strip()
    assert terminal.run("media", "delete", media_id[:8]).strip() == media_id
    assert terminal.values("media") == []
    (deleted,) = terminal.values("media", "--deleted")
    assert (deleted["media_id"], deleted["deleted"]) == (media_id, True)
    terminal.run("media", "restore", media_id[:8])
    assert [each["media_id"] for each in terminal.values("media")] == [media_id]


def test_what_is_deleted_for_good_is_named_before_and_wants_a_yes(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    entry = terminal.run("write", "text").strip()
    one, two = (terminal.run("attach", entry, str(tmp_path / "x")).strip() for _ in range(2))
    (deleted,) = terminal.values("media", "delete", one)
    assert (deleted["media_id"], deleted["deleted"]) == (one, True)
    for media_id in (one, two):
        assert main(["media", "delete", "--for-good", media_id[:8]]) == ExitCode.USAGE
        assert "x (1 bytes) would be gone for good. --yes" in " ".join(terminal.capsys.readouterr().err.split())
        terminal.run("media", "delete", "--for-good", "--yes", media_id[:8])
    assert terminal.values("media", "--deleted") == terminal.values("media") == []
    assert terminal.fails(ExitCode.NOT_FOUND, "media", "delete", "--for-good", one) == "AttachmentNotFound"


def test_it_is_said_how_much_room_there_is_for_what_does_not_fit() -> None:
    refusal = MediaRefusal("0123456789", "quota_exceeded", needed=3_000_000, used=4_500_000, limit=6_000_000)
    note = media_note(MediaReport(waiting=1, refused=(refusal,)))
    assert note is not None
    assert "needs 3.0 MB, and of 6.0 MB there are 1.5 MB left" in note
    assert "lockleaf media delete --for-good" in note


def test_of_what_is_gone_it_is_not_said_that_it_is_kept() -> None:
    for code in ("staged_file_lost", "not_found"):
        note = media_note(MediaReport(waiting=1, refused=(MediaRefusal("0123456789", code),)))
        assert note is not None
        assert f"({code})" in note
        assert "01234567" in note
        assert "is kept" not in note


def test_a_report_says_what_was_sent_what_waits_and_why() -> None:
    assert media_note(MediaReport()) is None
    refused = (MediaRefusal("0123456789", "quota_exceeded"),)
    note = media_note(
        MediaReport(uploaded=2, deleted=1, waiting=3, refused=refused, trouble=ObjectStoreUnreachable("status 503"))
    )
    assert note is not None
    assert "2 sent, 1 deleted" in note
    assert "01234567 (quota_exceeded)" in note
    assert "2 still to be sent" in note
    assert "cannot be reached" in note


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5_400_000, "5.4 MB"), (10**13, "10000.0 GB")],
)
def test_sizes_are_shown_in_the_unit_that_fits(size: int, shown: str) -> None:
    assert shown_size(size) == shown

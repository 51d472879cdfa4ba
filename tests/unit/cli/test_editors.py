"""The editors that people have, in a terminal: they keep nothing of a text, and nothing of it is lost with them."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lockleaf.cli.editors import private_command
from tests.support.offline_devices import offline_device

PATIENCE = 60
WORDS = "nobody else shall read this"
EDITORS = {
    "vim": (f"i{WORDS}".encode(), b"\x1b:wq\r"),
    "vim.tiny": (f"i{WORDS}".encode(), b"\x1b:wq\r"),
    "nvim": (f"i{WORDS}".encode(), b"\x1b:wq\r"),
    "nano": (WORDS.encode(), b"\x18y\r"),
}
"""Each editor: what is typed, and what saves and ends it."""
SAVE_WHEN_THEY_DIE = tuple(EDITORS)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A home whose owner likes backups, undo files and histories."""
    (tmp_path / "memory").mkdir()
    kept = tmp_path / "kept"
    kept.mkdir()
    settings = f"set backup writebackup undofile swapfile backupdir={kept} undodir={kept} directory={kept}\n"
    (tmp_path / ".vimrc").write_text(settings)
    (tmp_path / ".config/nvim").mkdir(parents=True)
    (tmp_path / ".config/nvim/init.vim").write_text(settings)
    nano = f'set backup\nset backupdir "{kept}"\nset historylog\nset positionlog\nset locking\nset tabsize 3\n'
    (tmp_path / ".nanorc").write_text(nano)
    async with offline_device(tmp_path / "home"):
        pass
    return tmp_path


_PROGRAM = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from lockleaf.cli.main import main
sys.exit(main())
"""
"""Lockleaf, in command of the terminal that it was given."""


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], leader: int) -> None:
        self.process, self.leader, self.shown = process, leader, b""

    def read(self, seconds: float) -> bool:
        """Take what is shown within ``seconds``; False where nothing is, or the terminal is closed."""
        if not select.select([self.leader], [], [], seconds)[0]:
            return False
        try:
            self.shown += (piece := os.read(self.leader, 65536))
        except OSError:
            return False
        return bool(piece)

    def wait_for(self, word: str) -> None:
        for _ in range(PATIENCE * 10):
            if word.encode() in self.shown:
                return
            self.read(0.1)
        raise AssertionError(self.shown[-2000:])

    def end(self) -> int:
        """Take what is shown until the command has ended."""
        while self.process.poll() is None:
            self.read(0.1)
        return self.process.returncode


@contextmanager
def writing_in(editor: str, home: Path) -> Iterator[Terminal]:
    if shutil.which(editor) is None:
        pytest.skip(f"{editor} is not installed here")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKLEAF_", "XDG_"))}
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "write"],
        env=clean
        | {
            "HOME": str(home),
            "LOCKLEAF_HOME": str(home / "home"),
            "LOCKLEAF_PROFILE": "laptop",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "XDG_RUNTIME_DIR": str(home / "memory"),
            "VISUAL": editor,
            "TERM": "xterm",
            "LINES": "24",
            "COLUMNS": "80",
        },
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    terminal = Terminal(process, leader)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(terminal.leader)


def _type(terminal: Terminal, editor: str) -> None:
    terminal.wait_for("entry.md")
    while terminal.read(0.5):
        pass  # until the editor has drawn its screen
    os.write(terminal.leader, EDITORS[editor][0])
    terminal.wait_for(WORDS[-8:])


def _copies(home: Path) -> list[Path]:
    return [
        file
        for file in home.rglob("*")
        if file.is_file() and not file.is_relative_to(home / "home") and WORDS.encode() in file.read_bytes()
    ]


@pytest.mark.parametrize("editor", EDITORS)
def test_an_editor_saves_the_text_and_keeps_nothing_of_it(home: Path, editor: str) -> None:
    with writing_in(editor, home) as terminal:
        _type(terminal, editor)
        assert {file.name for file in _copies(home)} <= {".unsaved.md"}  # no swap file
        os.write(terminal.leader, EDITORS[editor][1])
        assert terminal.end() == 0, terminal.shown[-500:]
    assert _copies(home) == []
    assert list((home / "kept").iterdir()) == []
    assert list((home / "memory").iterdir()) == []
    assert not (home / ".viminfo").exists()


@pytest.mark.parametrize("editor", SAVE_WHEN_THEY_DIE)
def test_what_was_typed_outlives_a_terminal_that_is_closed(home: Path, editor: str) -> None:
    with writing_in(editor, home) as terminal:
        _type(terminal, editor)
        # As the system does when the window is closed: everything in the foreground is told.
        os.killpg(terminal.process.pid, signal.SIGHUP)
        assert terminal.end() == 128 + signal.SIGHUP
    [kept] = _copies(home)
    assert kept.is_relative_to(home / "memory")


def test_editors_with_windows_are_told_to_wait(tmp_path: Path) -> None:
    assert private_command(["code"], tmp_path) == ["code", "--wait"]
    assert private_command(["code", "-w", "-n"], tmp_path) == ["code", "-w", "-n"]
    assert private_command(["/usr/bin/subl"], tmp_path) == ["/usr/bin/subl", "--wait"]
    assert private_command(["my-editor", "--odd"], tmp_path) == ["my-editor", "--odd"]

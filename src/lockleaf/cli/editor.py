"""Writing in the person's own editor, on a private file that does not stay behind."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.run import Run

__all__ = ["Draft", "editor_command"]


def editor_command() -> list[str]:
    """Return the editor that the environment names: ``VISUAL``, ``EDITOR``, or a common one that is installed.

    Raises:
        Complaint: there is none.
    """
    for variable in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in ("nano", "vim", "vi"):
        if shutil.which(name):
            return [name]
    raise Complaint(
        "No editor is set. Set VISUAL or EDITOR, or give the text as an argument or with - on standard input."
    )


class Draft:
    """A private file in which a person writes.

    It lies in a folder of its own (0700, the file 0600) and is removed at the end. If what was written could not be
    saved, it stays, and its place is told: nobody types a page twice.

    Args:
        run: where to tell.
        initial: what stands in the file at first.
    """

    def __init__(self, run: Run, initial: str = "") -> None:
        self._run = run
        self._initial = initial
        self._written: str | None = None

    def __enter__(self) -> Self:
        # mkdtemp makes the folder 0700: editors put their own copies beside the file. The user's runtime folder, where
        # there is one, is in memory, so that the text never touches the disk.
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        place = runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="lockleaf-", dir=place))
        self._file = self._folder / "entry.md"
        handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(self._initial)
        return self

    def write(self) -> str | None:
        """Open the editor and return what is written; None if nothing is, or nothing was changed.

        Raises:
            Complaint: the editor cannot be started, failed, or left no text.
        """
        command = editor_command()
        self._run.note(f"Opening {command[0]} on a private file; it is removed when you are done.")
        try:
            done = subprocess.run([*command, str(self._file)], check=False)  # noqa: S603  (the person's own editor)
        except OSError:
            raise Complaint(f"The editor {command[0]} cannot be started.") from None
        try:
            written = self._file.read_bytes().decode()
        except (UnicodeDecodeError, FileNotFoundError):
            raise Complaint("The editor left no UTF-8 text.", ExitCode.INPUT, "InvalidText") from None
        if written != self._initial:
            self._written = written
        if done.returncode != 0:
            raise Complaint(f"The editor {command[0]} ended with code {done.returncode}, so nothing was written.")
        if not written.strip() or written == self._initial:
            self._written = None
            return None
        # Editors end the last line; a person did not mean to.
        return written.removesuffix("\n")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._written is not None:
            self._run.err.print(f"What you wrote is kept in {self._file}", markup=False, soft_wrap=True)
            return
        shutil.rmtree(self._folder, ignore_errors=True)

"""Writing in the person's own editor, on a private file that goes once its bytes are safe, and not before."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import NoReturn, Self

from lockleaf import client as sdk
from lockleaf.cli.draft_folders import in_memory, make_draft_folder, other_files, remove_plain
from lockleaf.cli.editors import UNSAVED, editor_command, needs_terminal, private_command
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import decoded, what_is_wrong
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode

__all__ = ["Draft", "Task"]

_LOOK_SECONDS = 1.0
"""Seconds between two looks at whether the editor has saved: what it saved is then sealed in the profile's folder."""
_FAREWELL_SECONDS = 2.0
"""Seconds that an editor has to end with the terminal, and to write what it does then."""


@dataclass(frozen=True)
class Task:
    """What a text is written for.

    Attributes:
        purpose: of the draft.
        content: with what the editor begins (``initial``, and ``text`` where a draft goes on), and what was given
            with it.
        entry_id, conflict_id: to what it belongs.
    """

    purpose: sdk.Purpose
    content: sdk.DraftContent
    entry_id: str | None = None
    conflict_id: str | None = None


class _Ended(BaseException):
    """The terminal was closed, or the process is asked to end."""

    def __init__(self, number: int) -> None:
        self.number = number


class Draft:
    """A private file in which a person writes.

    It lies in a folder of its own (0700, the file 0600), and what the editor saves there is also sealed in the
    profile's folder. `saved` says that the journal has it; without that it stays, whatever happens, and its place is
    told: nobody types a page twice.

    Args:
        run: where to tell.
        drafts: of the profile.
        task: what is written.
    """

    def __init__(self, run: Run, drafts: sdk.Drafts, task: Task) -> None:
        self._run = run
        self._drafts = drafts
        self._task = task
        self._begun_with = task.content.text or task.content.initial
        self._content = replace(task.content, text=self._begun_with)
        self._safe = False
        self._open_elsewhere = False
        self._held = ExitStack()
        self._unsaved: bytes | None = None

    def __enter__(self) -> Self:
        self._command = editor_command()
        self._require_terminal()
        self._folder = make_draft_folder()
        self._file = self._folder / "entry.md"
        self._beside = self._folder / UNSAVED
        try:
            handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(self._begun_with)
            task = self._task
            self._draft = self._drafts.begin(
                task.purpose, self._content, path=self._file, entry_id=task.entry_id, conflict_id=task.conflict_id
            )
            self._held.enter_context(self._drafts.working_on(self._draft))
        except BaseException:
            remove_plain(self._file)
            raise
        self._warn_of_the_disk()
        return self

    @property
    def known(self) -> sdk.UnsavedDraft:
        """The draft, as the profile knows it."""
        return self._draft

    def write(self) -> str | None:
        """Open the editor and return what is written; None if nothing is, or nothing was changed.

        Raises:
            Complaint: the editor cannot be started, failed, or left what is no text.
        """
        name = self._command[0]
        self._run.note(f"Opening {name} on a private file; it is removed when you are done.")
        code = self._edit()
        data = self._read(died=code != 0)
        if code != 0:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
            raise Complaint(f"The editor {name} {how}, so nothing was written.", ExitCode.INPUT, "EditorFailed")
        if not self._content.changed or not data.strip():
            if self._open_elsewhere:
                raise Complaint(
                    f"The editor {name} returned at once, and may still be open. Save and close it there, then take "
                    f"the draft up: lockleaf write --draft {self._draft.id}. So that this command waits for it, give "
                    'it its option to wait, such as EDITOR="code --wait" or "gvim -f".',
                    ExitCode.INPUT,
                    "EditorStillOpen",
                )
            if self._content.changed:
                raise Complaint(
                    "The editor left no text where it began, so nothing was written.", ExitCode.INPUT, "EditorFailed"
                )
            return None
        try:
            text = decoded(data)
        except UnicodeDecodeError as error:
            raise Complaint(
                f"Nothing was written: what the editor left is not all text. {what_is_wrong(data, error)} If it is in "
                f"another encoding, name it: lockleaf write --draft {self._draft.id} --encoding latin-1.",
                ExitCode.INPUT,
                "InvalidText",
            ) from None
        # Editors end the last line; a person did not mean to.
        return text.removesuffix("\n")

    def saved(self) -> None:
        """Say that the journal has what was written, so that the draft may go."""
        self._safe = True

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()
        if self._safe or (not self._content.changed and not self._open_elsewhere) or self._is_the_one_of_before():
            if others := other_files(self._folder, self._file):
                self._file.unlink(missing_ok=True)
                self._drafts.end(self._draft)
                self._say(f"Your editor left other files, which are kept: {', '.join(map(str, others))}")
                return
            remove_plain(self._file)
            self._drafts.end(self._draft)
            return
        where = f"in {self._draft.path}" if self._draft.has_plain_file else "sealed in this profile"
        self._say(
            f"What you wrote is kept {where}. lockleaf write --draft {self._draft.id} goes on with it; lockleaf drafts "
            "lists every draft."
        )

    # ---- the editor ----

    def _edit(self) -> int:
        """Run the editor to its end, and return its exit code."""
        command = [*private_command(self._command, self._folder), str(self._file)]
        try:
            with ExitStack() as held:
                inherited = held.enter_context(self._drafts.handle_for_editor(self._draft))
                held.enter_context(_signals())
                terminal = held.enter_context(_terminal())
                try:
                    editor = subprocess.Popen(command, stdin=terminal, pass_fds=(inherited,))  # noqa: S603  (their own)
                except OSError as error:
                    raise Complaint(
                        f"The editor {self._command[0]} cannot be started: {error.strerror}.", name="InvalidEditor"
                    ) from None
                code = self._follow(editor)
        except _Ended as ended:
            self._leave(ended.number)
        self._open_elsewhere = self._drafts.is_edited(self._draft)
        return code

    def _follow(self, editor: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return editor.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                self._seal()
                self._seal_unsaved()
            except _Ended:
                with contextlib.suppress(subprocess.TimeoutExpired, _Ended):
                    editor.wait(_FAREWELL_SECONDS)
                self._read(died=True)
                raise

    def _leave(self, number: int) -> NoReturn:
        """End as the signal asks for, the draft left for the next command."""
        with contextlib.suppress(OSError):  # the terminal may be gone
            self._say(f"What you wrote is kept in {self._draft.path}. lockleaf drafts lists every draft.")
        self._open_elsewhere = True
        os._exit(128 + number)

    # ---- what it leaves ----

    def _read(self, *, died: bool) -> bytes:
        """Return the bytes that the editor saved, and seal them.

        Args:
            died: it did not end as its person wanted: then what was typed and not saved is wanted too.
        """
        self._seal()
        if died:
            self._seal_unsaved()
            if self._unsaved is not None:
                self._content = replace(self._content, text=self._unsaved)
        elif self._unsaved is not None and self._file.exists():
            self._draft = self._drafts.move(self._draft, self._file)
            self._drafts.keep(self._draft, self._content)
        try:
            return self._file.read_bytes()
        except OSError:
            return b""

    def _seal(self) -> None:
        """Seal what the editor has saved so far, if that is news."""
        try:
            data = self._file.read_bytes()
        except OSError:
            data = b""
        if not data.strip() or data == self._begun_with:
            # Renamed, or written as an emergency copy, as nano does when its terminal is closed.
            others = other_files(self._folder, self._file)
            if not others:
                return
            newest = max(others, key=lambda each: each.stat().st_mtime)
            data = newest.read_bytes()
            if self._draft.path != str(newest):
                self._draft = self._drafts.move(self._draft, newest)
        if data != self._content.text:
            self._content = replace(self._content, text=data)
            self._drafts.keep(self._draft, self._content)

    def _seal_unsaved(self) -> None:
        """Seal what was typed and not saved yet, where the editor writes it beside the draft."""
        try:
            saved = self._file.stat().st_mtime_ns if self._file.exists() else 0
            if self._beside.stat().st_mtime_ns <= saved:
                return
            data = self._beside.read_bytes()
        except OSError:
            return
        if data.strip() and data not in (self._unsaved, self._content.text):
            self._unsaved = data
            self._drafts.keep(self._draft, replace(self._content, text=data))
            self._draft = self._drafts.move(self._draft, self._beside)

    def _is_the_one_of_before(self) -> bool:
        """Whether this goes on with a draft that is kept anyhow, and adds nothing to it."""
        return bool(self._task.content.text) and self._content.text == self._begun_with and not self._open_elsewhere

    # ---- words ----

    def _require_terminal(self) -> None:
        if needs_terminal(self._command) and not os.isatty(0) and not _has_terminal():
            raise Complaint(
                f"The editor {self._command[0]} needs a terminal, and there is none. Pipe the text in, or give it as "
                "an argument.",
                ExitCode.INPUT,
                "NoTerminal",
            )

    def _warn_of_the_disk(self) -> None:
        told = self._run.home / "profiles" / self._run.profile / "drafts" / ".disk"
        if in_memory(self._folder) or told.exists():
            return
        with contextlib.suppress(OSError):
            told.touch(mode=0o600)
        self._run.note(
            f"This machine has no folder in memory for drafts, so while you write the text lies unencrypted in "
            f"{self._folder.parent}. XDG_RUNTIME_DIR names such a folder."
        )

    def _say(self, text: str) -> None:
        self._run.err.print(printable(text), markup=False, soft_wrap=True)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Leave Ctrl-C to the editor, and raise where the terminal is closed or the process asked to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ended(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # once is enough: what follows keeps the draft
        raise _Ended(number)

    before = {}
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        before[number] = signal.getsignal(number)
        if number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda number, frame: None)  # not SIG_IGN, which the editor would inherit
        elif before[number] is not signal.SIG_IGN:
            signal.signal(number, ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _terminal() -> Iterator[int | None]:
    """Give the editor the terminal where standard input is something else; None where there is nothing to change."""
    if os.isatty(0) or not _has_terminal():
        yield None
        return
    handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    try:
        yield handle
    finally:
        os.close(handle)

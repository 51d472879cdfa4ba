"""Which editor, and how each of those that people have is told to keep nothing of a private text."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from lockleaf.cli.configuration import configuration
from lockleaf.cli.errors import Complaint
from lockleaf.exit_codes import ExitCode

__all__ = ["UNSAVED", "editor_command", "needs_terminal", "opens_without_terminal", "private_command"]

_VARIABLES = ("VISUAL", "EDITOR")
_USUAL = ("nano", "vim", "vi")
_VIM = frozenset({"vim", "vi", "nvim", "view", "vimx", "gvim", "mvim", "vim.tiny", "vim.basic", "vim.nox", "vim.gtk3"})
_WAITING = {
    **dict.fromkeys(("code", "code-insiders", "codium", "cursor", "windsurf", "subl", "zed", "zeditor", "mate", "atom"),
                    ("--wait", "-w")),
    **dict.fromkeys(("gvim", "mvim"), ("--nofork", "-f")),
    "gedit": ("--wait", "-w"),
    "kate": ("--block", "-b"),
}  # fmt: skip
"""Editors that leave their window open and return at once unless told to wait, and how they are told."""
_NOT_KEPT_BY_NANO = re.compile(rb"^\s*set\s+(backup|backupdir|historylog|positionlog|locking)\b")
UNSAVED = ".unsaved.md"
"""What was typed and not saved yet, beside the draft, where an editor can be told to write it."""
# After the person's own settings. There is no swap file from which anything could be recovered when the terminal is
# closed, so that what is typed is written beside the draft, in the same private folder, as it is typed.
_VIM_KEEPS_NOTHING = (
    "silent! set noswapfile nobackup nowritebackup",
    "silent! set noundofile",
    "silent! autocmd TextChanged,TextChangedI,InsertLeave <buffer> silent! keepalt noautocmd write! %:p:h/" + UNSAVED,
)
_EMACS_KEEPS_NOTHING = """(setq make-backup-files nil create-lockfiles nil auto-save-list-file-prefix nil
auto-save-file-name-transforms nil)"""


def editor_command() -> list[str]:
    """Return the editor that ``VISUAL``, ``EDITOR`` or the configuration names, or a common one that is installed.

    Raises:
        Complaint: there is none, or what is named cannot be understood.
    """
    for variable, named in _named():
        try:
            words = shlex.split(named)
        except ValueError:
            raise Complaint(
                f"{variable} has a quotation mark that is opened and not closed. Set it to a command such as vim, or "
                f"\"vim -c 'set tw=72'\".",
                ExitCode.USAGE,
                "InvalidEditor",
            ) from None
        if words:
            if shutil.which(words[0]) is None:
                raise Complaint(
                    f"{variable} names the editor {words[0]}, which is not there or cannot be run. Set {variable} to "
                    "one that is installed.",
                    ExitCode.USAGE,
                    "InvalidEditor",
                )
            return words
    for name in _USUAL:
        if shutil.which(name):
            return [name]
    raise Complaint(
        "No editor is set. Set VISUAL or EDITOR, or give the text as an argument or with - on standard input."
    )


def needs_terminal(command: list[str]) -> bool:
    """Return whether an editor is one that works in a terminal alone."""
    name = Path(command[0]).name
    return name in (_VIM | {"nano", "pico", "micro", "hx", "kak", "ne", "joe", "mcedit"}) and name not in _WAITING


def opens_without_terminal() -> bool:
    """Return whether the environment names an editor that works where there is no terminal, as one with windows.

    Raises:
        Complaint: what it names cannot be understood.
    """
    return any(named for _, named in _named()) and not needs_terminal(editor_command())


def _named() -> list[tuple[str, str]]:
    """Return what may name an editor, with what it names."""
    variables = [(variable, os.environ.get(variable, "")) for variable in _VARIABLES]
    return [*variables, ("editor in the configuration file", configuration().editor or "")]


def private_command(command: list[str], folder: Path) -> list[str]:
    """Return ``command`` with options by which the editor keeps no swap, undo, backup or history of what it edits.

    Args:
        command: the editor, as `editor_command` gives it.
        folder: a private folder, removed with the draft, for files that the editor needs.
    """
    program, *given = command
    name = Path(program).name
    if name in _VIM and _says(program, "--version", b"VIM"):
        quiet = ["-n", "-i", "NONE", *(word for line in _VIM_KEEPS_NOTHING for word in ("-c", line))]
        return [program, *quiet, *_waiting(name, given)]
    if name == "nano" and _says(program, "--version", b"GNU nano"):
        return [program, "--rcfile", str(_nanorc(folder)), *given]
    if name == "emacs":
        return [program, *given, "--eval", _EMACS_KEEPS_NOTHING]
    if name == "micro":
        off = ("backup", "savehistory", "saveundo", "savecursor", "permbackup")
        return [program, *(word for option in off for word in (f"-{option}", "false")), *given]
    return [program, *_waiting(name, given)]


def _waiting(name: str, given: list[str]) -> list[str]:
    options = _WAITING.get(name, ())
    return given if not options or set(options) & set(given) else [options[0], *given]


def _says(program: str, option: str, word: bytes) -> bool:
    """Return whether a program names itself so: vi and nano are names of several."""
    try:
        said = subprocess.run(  # noqa: S603  (the person's own editor)
            [program, option], stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return word.lower() in said.stdout.lower()


def _nanorc(folder: Path) -> Path:
    """Write nano's settings as the system and the person have them, without those that keep copies."""
    home = Path.home()
    configured = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "nano" / "nanorc"
    personal = home / ".nanorc"
    lines = []
    for file in (Path("/etc/nanorc"), personal if personal.exists() else configured):
        try:
            lines += [line for line in file.read_bytes().splitlines() if not _NOT_KEPT_BY_NANO.match(line)]
        except OSError:
            continue
    written = folder / ".nanorc"
    written.write_bytes(b"\n".join(lines) + b"\n")
    return written

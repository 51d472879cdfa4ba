"""Errors as a person or a script reads them: never a traceback, and never content."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import IO, Any

from lockleaf.cli.exit_codes import ExitCode, exit_code_for
from lockleaf.cli.surroundings import discard_output
from lockleaf.cli.terminal import printable

__all__ = ["Complaint", "ReaderGone", "complain", "complaint_of"]

HINTS = {
    "AccountDeleted": "lockleaf export FOLDER takes everything out; lockleaf lock locks it",
    "NotLoggedIn": "lockleaf login --server URL --email you@example.org",
    "NotAuthenticated": "lockleaf login",
    "TokenExpired": "lockleaf login",
    "TokenInvalid": "lockleaf login",
    "SessionRevoked": "lockleaf login",
    "RefreshTokenReused": "lockleaf login",
    "KeysChangedElsewhere": "lockleaf logout, then lockleaf login",
    "KeyRetired": "lockleaf logout, then lockleaf login",
    "AlreadyLoggedIn": "lockleaf logout, or another profile: lockleaf --profile NAME ...",
    "EmailTaken": "lockleaf login --server URL --email you@example.org",
    "OtherExport": "another folder, or --force if this one shall be changed",
    "EntryNotFound": "lockleaf list shows the ids",
    "EntryChanged": "lockleaf show ID",
    "EditConflict": "lockleaf conflicts compares both; lockleaf resolve ID local, remote or merged decides",
    "RevisionMissing": "lockleaf history ID shows those that there are",
    "TagChanged": "lockleaf tags",
    "TagNotFound": "lockleaf tags shows them",
    "ConflictNotFound": "lockleaf conflicts shows the ids",
    "DraftNotFound": "lockleaf drafts shows the ids",
    "InboxItemNotFound": "lockleaf inbox shows the ids",
    "AttachmentNotFound": "lockleaf media shows the ids",
    "ServerRestored": "lockleaf sync --accept-restore",
    "ServerEmptied": "lockleaf sync --accept-restore",
    "TierRequired": "lockleaf privacy shows what is off; lockleaf privacy set full_sync turns it on",
    "HistoryForked": "lockleaf repair",
    "UnsealedChange": "lockleaf repair",
    "KeyringRolledBack": "lockleaf repair",
    "StoreDamaged": "lockleaf login, then lockleaf repair",
    "InsecureServer": "--allow-insecure, if you mean it",
    "JournalLocked": "lockleaf unlock, or set LOCKLEAF_PASSWORD",
    "PasswordTooWeak": "--allow-weak-password, if you mean it",
    "KdfWeakened": ("--allow-pbkdf2 or --allow-weak-kdf, only if you know yourself that the account was made that way"),
    "WrongPassword": "lockleaf recovery use, if the password is lost",
    "RecoveryCodesUnconfirmed": "lockleaf recovery new",
    "SearchLanguageDiffers": "lockleaf search-index rebuild",
    "StoreNotPinned": "lockleaf media allow ORIGIN, once the operator confirmed it; then lockleaf sync",
    "SchemaBehind": "lockleaf admin migrate",
}
"""What to type next, by the name of an error."""

_IDS = ("entry_id", "conflict_id")
"""What an error names for a script to go on with."""


class Complaint(Exception):
    """Something that the command line itself refuses.

    Args:
        message: what happened, what it means, what to do.
        exit_code: how the command ends.
        name: a stable name for scripts.
    """

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE, name: str = "UsageError") -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.name = name


class ReaderGone(Exception):
    """Whoever reads standard output has read enough."""


def complaint_of(error: Exception) -> Complaint:
    """Return what to say about ``error``.

    The text of an exception that nobody foresaw is not shown: it may quote what somebody wrote.
    """
    if isinstance(error, Complaint):
        return error
    exit_code = exit_code_for(error)
    if exit_code is not ExitCode.UNEXPECTED:
        return Complaint(str(error), exit_code, type(error).__name__)
    if isinstance(error, OSError) and error.strerror:
        if isinstance(error.filename, str):
            said = f"{error.strerror}: {error.filename}."
        else:
            # Files that are opened have a name: it is a stream that was given to the command.
            said = f"What the command prints could not be written ({error.strerror}). What it saved before is kept."
        return Complaint(said, ExitCode.LOCAL, type(error).__name__)
    return Complaint(
        f"Unexpected {type(error).__name__}. Nothing that was saved is lost. This is a fault of the program: run it "
        "again with LOCKLEAF_DEBUG=1, and report what it shows after removing what is private.",
        ExitCode.UNEXPECTED,
        type(error).__name__,
    )


def complain(error: Exception, *, as_json: bool, stream: IO[str] | None = None) -> ExitCode:
    """Say on standard error what went wrong, and return how to exit.

    Args:
        error: what was raised.
        as_json: one object ``{"error": {"code", "name", "message", ...}}`` instead of prose.
        stream: where to write; standard error if absent.
    """
    stream = stream or sys.stderr
    complaint = complaint_of(error)
    try:
        _say(error, complaint, stream, as_json=as_json)
    except OSError:  # the exit code still tells
        discard_output(stream)
    return complaint.exit_code


def _say(error: Exception, complaint: Complaint, stream: IO[str], *, as_json: bool) -> None:
    hint = HINTS.get(complaint.name)
    details = getattr(error, "details", ())
    if as_json:
        stream.write(json.dumps({"error": _facts(error, complaint, hint)}) + "\n")
    else:
        _explain(complaint, details, hint, stream)
    if complaint.exit_code is ExitCode.UNEXPECTED and os.environ.get("LOCKLEAF_DEBUG"):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error, file=stream)
    stream.flush()


def _facts(error: Exception, complaint: Complaint, hint: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "code": getattr(error, "code", None) or re.sub(r"(?<!^)(?=[A-Z])", "_", complaint.name).lower(),
        "name": complaint.name,
        "message": complaint.message,
        "exit_code": int(complaint.exit_code),
    }
    if hint:
        facts["hint"] = hint
    if isinstance(line := getattr(error, "line", None), int):
        facts["line"] = line
    facts |= {name: value for name in _IDS if isinstance(value := getattr(error, name, None), str)}
    if isinstance(missing := getattr(error, "missing", None), tuple):
        facts["missing"] = len(missing)
    if details := getattr(error, "details", ()):
        facts["details"] = list(details)
    return facts


def _explain(complaint: Complaint, details: Sequence[str], hint: str | None, stream: IO[str]) -> None:
    """Write the first sentence strongly, the rest beneath it; plainly where nobody looks."""
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
    first, *rest = re.split(r"(?<=\.) (?=[A-Z])", printable(complaint.message), maxsplit=1)
    console.print(Text.assemble(("error: ", "bold red"), (first, "bold")))
    for paragraph in (*rest, *map(printable, details)):
        console.print(Text(paragraph))
    if hint:
        console.print(Text.assemble(("→ ", "cyan"), (hint, "cyan")))

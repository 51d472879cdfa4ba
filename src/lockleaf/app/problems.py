"""What goes wrong, as the page hears of it: a code, a sentence, and never content."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import JSONResponse

from lockleaf import client as sdk
from lockleaf.exit_codes import ExitCode

__all__ = ["UNFORESEEN", "Refused", "problem", "problem_of"]

UNFORESEEN = "Something went wrong in Lockleaf. Nothing that was saved is lost."
"""Of an error whose own text may quote content."""

_STATUS = {
    ExitCode.INPUT: 422,
    ExitCode.USAGE: 422,
    ExitCode.CONFLICT: 409,
    ExitCode.NOT_FOUND: 404,
    ExitCode.CREDENTIALS: 403,
    ExitCode.UNREACHABLE: 503,
    ExitCode.INTEGRITY: 502,
    ExitCode.LOCAL: 500,
}
_WORDS: dict[type[sdk.LockleafError], str] = {
    sdk.TierRequired: "The account's privacy tier keeps this off the server. Account, What leaves this machine, "
    "changes it.",
    sdk.SignedOut: "This device is signed out. Log in again, in Account; nothing that you wrote is lost. If the "
    "account was deleted elsewhere, an export takes the journal out.",
    sdk.HeldHereAlone: "This device was signed out before, and holds what may be nowhere else. Log in again and sync "
    "first, or export the journal: if the account was deleted, no login could open it after a logout.",
    sdk.NotLoggedIn: "No account is logged in here. Log in, or create one, in Account.",
    sdk.JournalMoved: "Another program logged this journal in to an account. The page goes on with it: do this again.",
    sdk.InvalidState: "This connection was not begun here, or too long ago. Begin again.",
    sdk.AuthorizationRefused: "The network does not accept this code: it was used, is too old, or was cut. "
    "Begin again.",
    sdk.CodeMissing: "This address has no code: perhaps you did not allow it. Begin again.",
    sdk.OtherConnection: "This address belongs to another connection. Begin again.",
    sdk.PictureUnreadable: "A picture cannot be read, so what a camera wrote into it cannot be removed. Nothing was "
    "published. Leave it out, or publish pictures as they are.",
}
"""What the SDK says with the next command to type, as the page says it."""
_FACTS = ("entry_id", "conflict_id", "retry_after")


class Refused(Exception):
    """The page asked for what is not done.

    Args:
        status: of HTTP.
        code: stable, in snake_case.
        detail: a sentence for a person.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


def problem(status: int, code: str, detail: str, *, hint: str | None = None, **facts: Any) -> JSONResponse:
    """Return a problem document (RFC 9457)."""
    title = code.replace("_", " ").capitalize()
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **facts}
    if hint is not None:
        document["hint"] = hint
    return JSONResponse(document, status, media_type="application/problem+json")


def problem_of(error: Exception) -> JSONResponse:
    """Return what to say of an exception. The text of one that nobody foresaw may quote content, and is not shown."""
    if isinstance(error, Refused):
        return problem(error.status, error.code, error.detail)
    if isinstance(error, sdk.JournalLocked):
        return problem(423, "locked", str(error))
    if isinstance(error, sdk.LockleafError) and error.exit_code is not ExitCode.UNEXPECTED:
        facts = {name: value for name in _FACTS if (value := getattr(error, name, None)) is not None}
        status, code = _STATUS.get(error.exit_code, 500), _code_of(error)
        if type(error) in _WORDS:
            return problem(status, code, _WORDS[type(error)], **facts)
        return problem(status, code, str(error), hint=error.hint, **facts)
    return problem(
        500,
        "unexpected",
        UNFORESEEN,
        kind=type(error).__name__,
    )


def _code_of(error: sdk.LockleafError) -> str:
    if isinstance(error, sdk.ApiError):
        return error.code
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()

"""Unlocking a journal on the way to what a command is about, with a password that is asked for only then."""

from __future__ import annotations

import contextlib
import os
import sys

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.run import Run

__all__ = ["can_ask", "open_journal"]

_TRIES = 3


async def open_journal(run: Run, client: sdk.Client, *, required: bool = False, seconds: float | None = None) -> bool:
    """Unlock a journal with ``LOCKLEAF_PASSWORD``, or with what a person types.

    Args:
        required: say so if nobody can be asked; otherwise the command finds out whether it needs the journal.
        seconds: how long it stays unlocked without a command.

    Returns:
        Whether the next commands find it unlocked.

    Raises:
        WrongPassword: it does not open it.
        JournalLocked: nobody can be asked.
        Complaint: the variable holds no text in UTF-8.
    """
    if os.environ.get("LOCKLEAF_PASSWORD"):
        return await client.unlock(prompts.password(run), unlocked_for=seconds)
    if not can_ask():
        if required:
            raise sdk.JournalLocked
        return False
    for left in reversed(range(_TRIES)):
        typed = prompts.hidden("Password to unlock the journal")
        try:
            return await client.unlock(typed, unlocked_for=seconds)
        except sdk.WrongPassword:
            if not left:
                raise
            run.note("That is not the password. Try again.")
    return False


def can_ask() -> bool:
    """Return whether a person can type a password: at the terminal, as standard input may be the text of an entry."""
    if not sys.stderr.isatty():
        return False
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        return True
    return False

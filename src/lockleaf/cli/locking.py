"""``lock`` and ``unlock``: who may open the journal on a device whose system has no keychain."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lockleaf.cli import prompts
from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.options import command
from lockleaf.cli.run import Run

if TYPE_CHECKING:
    from lockleaf.client.client import Client

__all__ = ["KeepUnlocked", "install", "open_journal"]

PANEL = "Account"
_TRIES = 3
_BY_KEYCHAIN = (
    "The system's keychain keeps the key of this journal, and has a lock of its own. Lock the keychain, or the session."
)
_BY_FILE = (
    "The key of this journal lies in a file beside it, which nothing locks. lockleaf logout, then lockleaf login, puts "
    "it under your password."
)

KeepUnlocked = Annotated[
    bool,
    typer.Option(
        "--keep-unlocked",
        help="Where the system has no keychain: never ask for the password to open the journal. Its key then lies "
        "beside it, and whoever copies your home folder can read it. lockleaf lock ends that.",
    ),
]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "lock", panel=PANEL)(lock)
    command(app, "unlock", panel=PANEL)(unlock)


async def lock(run: Run) -> None:
    """Lock the journal on this device: the next command asks for the password.

    Where the system's keychain keeps the key, it has a lock of its own. Programs that have the journal open go on.
    """
    async with run.client(unlock=False) as client:
        _require_journal(client)
        await client.lock()
        if not client.is_locked:
            raise Complaint(
                _BY_FILE if client.keys_in == "file" else _BY_KEYCHAIN, ExitCode.LOCAL, "NotLockedByPassword"
            )
    if run.json:
        run.result({"profile": run.profile, "locked": True})
    else:
        run.line("The journal on this device is locked. Your password opens it.")


async def unlock(
    run: Run,
    minutes: Annotated[
        int | None,
        typer.Option(
            "--minutes", help="Stay unlocked until so many minutes passed without a command. Default: 15.", min=1,
            max=60 * 24 * 7, metavar="N",
        ),
    ] = None,
    keep_unlocked: KeepUnlocked = False,
) -> None:  # fmt: skip
    """Unlock the journal on this device with the password, for the commands that follow. No server is needed.

    After a password change on another device, the old password opens it until you log in here again.
    """
    async with run.client(unlock=False) as client:
        _require_journal(client)
        if client.is_locked or minutes is not None:
            kept = await open_journal(run, client, required=True, seconds=None if minutes is None else minutes * 60.0)
        else:
            kept = True
        if keep_unlocked:
            await client.keep_unlocked()
        keys_in = client.keys_in
    if run.json:
        run.result({"profile": run.profile, "locked": False, "keys_in": keys_in, "kept": kept or keep_unlocked})
        return
    run.line("The journal on this device is unlocked.")
    if keys_in == "file":
        run.note(
            "Its key lies beside it, until lockleaf lock: whoever copies your home folder, or its backup, can read it."
        )
    elif not kept:
        run.note(
            "This machine has no private folder in memory (XDG_RUNTIME_DIR or /dev/shm) to remember that in, so each "
            "command asks again."
        )


def _require_journal(client: Client) -> None:
    from lockleaf.client.errors import NotLoggedIn  # noqa: PLC0415

    if client.profile is None or client.profile.logged_out:
        raise NotLoggedIn


async def open_journal(run: Run, client: Client, *, required: bool = False, seconds: float | None = None) -> bool:
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
    from lockleaf.client.errors import JournalLocked, WrongPassword  # noqa: PLC0415

    if os.environ.get("LOCKLEAF_PASSWORD"):
        return await client.unlock(prompts.password(run), unlocked_for=seconds)
    if not _can_ask():
        if required:
            raise JournalLocked
        return False
    for left in reversed(range(_TRIES)):
        typed = prompts.hidden("Password to unlock the journal")
        try:
            return await client.unlock(typed, unlocked_for=seconds)
        except WrongPassword:
            if not left:
                raise
            run.note("That is not the password. Try again.")
    return False


def _can_ask() -> bool:
    """Whether a person can type a password: at the terminal, since standard input may be the text of an entry."""
    if not sys.stderr.isatty():
        return False
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        return True
    return False

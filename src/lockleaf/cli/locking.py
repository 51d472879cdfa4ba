"""``lock`` and ``unlock``: who may open the journal on a device whose system has no keychain."""

from __future__ import annotations

from typing import Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.cli.security_key import required_key
from lockleaf.cli.unlocking import open_journal
from lockleaf.exit_codes import ExitCode

__all__ = ["KeepUnlocked", "install"]

PANEL = "Account"
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
    security_key: Annotated[
        bool, typer.Option("--security-key", help="Unlock it with the security key that was added to it.")
    ] = False,
    add_key: Annotated[
        bool,
        typer.Option(
            "--add-key",
            help="Let the security key that is plugged in unlock it from now on, in place of the password. It has to "
            "know hmac-secret, and verify you.",
        ),
    ] = False,
    remove_key: Annotated[bool, typer.Option("--remove-key", help="Let no security key unlock it any more.")] = False,
    keep_unlocked: KeepUnlocked = False,
) -> None:  # fmt: skip
    """Unlock the journal on this device with the password, for the commands that follow. No server is needed.

    After a password change on another device, the old password opens it until you log in here again. A security key
    that was added opens it beside the password, until the next login on this device.
    """
    async with run.client(unlock=False) as client:
        _require_journal(client)
        if client.is_locked or minutes is not None:
            seconds = None if minutes is None else minutes * 60.0
            if security_key:
                kept = await client.unlock_with(required_key(run), unlocked_for=seconds)
            else:
                kept = await open_journal(run, client, required=True, seconds=seconds)
        else:
            kept = True
        if add_key:
            await client.let_unlock(required_key(run))
        if remove_key:
            await client.forget_security_key()
        if keep_unlocked:
            await client.keep_unlocked()
        keys_in, by_key = client.keys_in, client.is_unlocked_by_key
    if run.json:
        facts = {"locked": False, "keys_in": keys_in, "kept": kept or keep_unlocked, "security_key": by_key}
        run.result({"profile": run.profile, **facts})
        return
    if add_key:
        run.line("Your security key opens the journal on this device from now on: lockleaf unlock --security-key.")
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


def _require_journal(client: sdk.Client) -> None:
    if client.profile is None or client.profile.logged_out:
        raise sdk.NotLoggedIn

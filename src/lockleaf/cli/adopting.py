"""``adopt``: keys for an account that another application made."""

from __future__ import annotations

from typing import Annotated

import typer

from lockleaf.cli import prompts
from lockleaf.cli.account_options import AllowInsecure, DeviceName, LoginName, Server, who
from lockleaf.cli.errors import Complaint
from lockleaf.cli.keys import AllowWeakPassword, show_codes
from lockleaf.cli.locking import KeepUnlocked
from lockleaf.cli.run import Run

__all__ = ["adopt"]

_SENT = "Send the password of the other application to the server once more, and sign that application out for good?"


async def adopt(
    run: Run,
    server: Server = None,
    login_name: LoginName = None,
    device_name: DeviceName = None,
    allow_insecure: AllowInsecure = False,
    allow_weak_password: AllowWeakPassword = False,
    keep_unlocked: KeepUnlocked = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the password is sent.")] = False,
) -> None:
    """Take over an account that another application made: give it keys of its own, and log in.

    For accounts whose application keeps its keys to itself, so that nothing else can read them. What it wrote stays as
    it is: lockleaf list shows it as sealed by another application, and sync, archive and export carry it along.

    Both passwords are asked for, or taken from LOCKLEAF_PASSWORD and LOCKLEAF_NEW_PASSWORD. The present one is sent to
    the server, as that application sends it. Never give the password of an account that you made with Lockleaf.
    """
    server = prompts.server(run, server)
    login_name = prompts.login_name(run, login_name)
    named = prompts.device_name(device_name)
    if not yes:
        if not run.interactive:
            raise Complaint("This sends a password to the server. --yes sends it without asking.")
        prompts.confirm(_SENT)
    async with run.client(unlock=False, keep_unlocked=keep_unlocked) as client:
        if prompts.are_to_be_typed("LOCKLEAF_PASSWORD", "LOCKLEAF_NEW_PASSWORD"):
            await client.account.reach(server, login_name, device_name=named, new=True, allow_insecure=allow_insecure)
        present = prompts.password(run)
        new = prompts.new_password(run, "LOCKLEAF_NEW_PASSWORD", about=(login_name,), allow_weak=allow_weak_password)
        codes = await client.account.adopt(
            server,
            login_name,
            present,
            new,
            device_name=named,
            allow_insecure=allow_insecure,
            allow_weak_password=allow_weak_password,
        )
        made = who(client.profile)
    if run.json:
        run.result({"profile": run.profile, **made, "recovery_codes": list(codes)})
        return
    run.line(f"The account has keys now, and this device ({made['device_name']}) is logged in.")
    show_codes(run, codes)
    run.note("The other application is signed out; the new password is no use to it. What it wrote stays as it is.")
    run.note("Next: lockleaf sync fetches your journal.")

"""``recovery``: coming back when the password is lost."""

from __future__ import annotations

import typer

from lockleaf.cli import prompts
from lockleaf.cli.account_options import (
    AllowInsecure,
    CustodyChoice,
    DeviceName,
    LoginName,
    Server,
    who,
)
from lockleaf.cli.counting import number_of
from lockleaf.cli.devices import others, signed_out
from lockleaf.cli.keys import AllowWeakPassword, show_codes
from lockleaf.cli.locking import KeepUnlocked
from lockleaf.cli.options import command, group
from lockleaf.cli.run import Run

__all__ = ["install"]

PANEL = "Account"


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    recovery = group(app, "recovery", panel=PANEL)(overview)
    command(recovery, "status")(status)
    command(recovery, "new")(new)
    command(recovery, "use")(use)


async def overview(run: Run) -> None:
    """Tell how many recovery codes are left; make new ones; come back with one."""
    await status(run)


async def status(run: Run) -> None:
    """Tell how many recovery codes are left."""
    async with run.client() as client:
        left = await client.account.recovery_codes_left()
    if run.json:
        run.result({"remaining": left})
        return
    run.line(f"{number_of(left, 'recovery code is', 'recovery codes are')} left.")
    if left < 3:
        run.note("lockleaf recovery new makes ten new ones.")


async def new(run: Run) -> None:
    """Make ten new recovery codes; the old ones end. Every other device is signed out."""
    async with run.client() as client:
        ended = await others(client)
        codes = await client.account.new_recovery_codes(prompts.password(run))
    if run.json:
        run.result({"recovery_codes": list(codes), "signed_out": [session.device_name for session in ended]})
    else:
        show_codes(run, codes)
        run.line(signed_out(ended))


async def use(
    run: Run,
    server: Server = None,
    login_name: LoginName = None,
    device_name: DeviceName = None,
    custody: CustodyChoice = None,
    allow_insecure: AllowInsecure = False,
    allow_weak_password: AllowWeakPassword = False,
    keep_unlocked: KeepUnlocked = False,
) -> None:
    """Set a new password with a recovery code, and log in here. Every other device is signed out.

    Code and password are asked for, or taken from LOCKLEAF_RECOVERY_CODE and LOCKLEAF_NEW_PASSWORD.
    """
    async with run.client(unlock=False, keep_unlocked=keep_unlocked) as client:
        known = client.profile
        server = prompts.server(run, server, known)
        login_name = prompts.login_name(run, login_name, known)
        named = prompts.device_name(device_name or (known.device_name if known else None))
        if prompts.are_to_be_typed("LOCKLEAF_RECOVERY_CODE", "LOCKLEAF_NEW_PASSWORD"):
            await client.account.reach(
                server, login_name, device_name=named, custody=custody, allow_insecure=allow_insecure
            )
        await client.account.recover(
            server,
            login_name,
            prompts.recovery_code(run),
            prompts.new_password(run, "LOCKLEAF_NEW_PASSWORD", about=(login_name,), allow_weak=allow_weak_password),
            device_name=named,
            custody=custody,
            allow_insecure=allow_insecure,
            allow_weak_password=allow_weak_password,
        )
        logged_in, left = who(client.profile), await client.account.recovery_codes_left()
    if run.json:
        run.result({"profile": run.profile, **logged_in, "remaining": left})
        return
    run.line(
        f"The new password is set, and you are logged in. That code is used up; {number_of(left, 'is', 'are')} left."
    )
    run.note("Next: lockleaf sync fetches your journal.")

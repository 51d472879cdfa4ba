"""``register``, ``login``, ``password`` and ``access``; ``keys`` beside them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from lockleaf import client as sdk
from lockleaf.cli import keys, prompts, screen
from lockleaf.cli.account_options import AllowInsecure, CustodyChoice, DeviceName, LoginName, Server, who
from lockleaf.cli.adopting import adopt
from lockleaf.cli.devices import others, signed_out
from lockleaf.cli.keys import AllowWeakPassword, show_codes
from lockleaf.cli.leaving import logout
from lockleaf.cli.locking import KeepUnlocked
from lockleaf.cli.options import command
from lockleaf.cli.rendering import printable
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name

__all__ = ["install"]

PANEL = "Account"

AllowPbkdf2 = Annotated[
    bool, typer.Option("--allow-pbkdf2", help="The account was made by a client that had nothing better than PBKDF2.")
]
AllowWeakKdf = Annotated[
    bool,
    typer.Option(
        "--allow-weak-kdf",
        help="The account was made with cheaper key derivation than this program's own. A device that "
        "has used the account before never takes a weaker one than then.",
    ),
]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "register", panel=PANEL)(register)
    command(app, "login", panel=PANEL)(login)
    command(app, "logout", panel=PANEL)(logout)
    command(app, "adopt", panel=PANEL)(adopt)
    command(app, "password", panel=PANEL)(change_password)
    keys.install(app, PANEL)
    command(app, "access", panel=PANEL)(access)


async def register(
    run: Run,
    server: Server = None,
    login_name: LoginName = None,
    device_name: DeviceName = None,
    display_name: Annotated[
        str | None,
        typer.Option("--display-name", help="How you want to be called; the server knows it.", metavar="NAME"),
    ] = None,
    custody: Annotated[
        Literal["e2e", "uce"],
        typer.Option(
            "--custody",
            help="e2e: the server can never read. uce: it gets your password, and can read while a session is in use."
            " The choice is for good.",
        ),
    ] = "e2e",
    privacy: Annotated[
        Literal["local_only", "analytics_sync", "full_sync"],
        typer.Option("--privacy", help="What may leave this device."),
    ] = "full_sync",
    store: Annotated[
        str | None,
        typer.Option(
            "--store", help="Where the server keeps attached files, if its operator named another place.", metavar="URL"
        ),
    ] = None,
    invitation: Annotated[
        str | None,
        typer.Option(
            "--invitation",
            help="The code that whoever runs the server gave you. A person is asked for it where the server wants one.",
            metavar="CODE",
        ),
    ] = None,
    allow_insecure: AllowInsecure = False,
    allow_weak_password: AllowWeakPassword = False,
    keep_unlocked: KeepUnlocked = False,
) -> None:
    """Make an account. Unless you choose uce, its keys are made here and never leave your devices.

    The password is asked for, or taken from LOCKLEAF_PASSWORD. Ten recovery codes are shown once.
    """
    server = prompts.server(run, server)
    login_name = prompts.login_name(run, login_name)
    named = prompts.device_name(device_name)
    async with run.client(unlock=False, keep_unlocked=keep_unlocked) as client:
        if prompts.are_to_be_typed("LOCKLEAF_PASSWORD"):
            await client.account.reach(server, login_name, device_name=named, new=True, allow_insecure=allow_insecure)
        chosen = prompts.new_password(
            run, "LOCKLEAF_PASSWORD", "Password", about=(login_name, display_name), allow_weak=allow_weak_password
        )
        sign_up = partial(
            client.account.register,
            server,
            login_name,
            chosen,
            device_name=named,
            display_name=display_name,
            custody=custody,
            privacy_tier=privacy,
            store=store,
            allow_insecure=allow_insecure,
            allow_weak_password=allow_weak_password,
        )
        try:
            codes = await sign_up(invitation=invitation)
        except sdk.InvitationRequired:
            if not run.interactive:
                raise
            codes = await sign_up(invitation=prompts.answer("This server takes invited people. Your code"))
        made = who(client.profile)
    if run.json:
        run.result({"profile": run.profile, **made, "privacy_tier": privacy, "recovery_codes": list(codes)})
        return
    run.line(f"Welcome. The account is made, and this device ({made['device_name']}) is logged in.")
    if made["username"] is not None:
        run.line(f"It has a name, {made['username']}, and no email address.")
    show_codes(run, codes)
    if custody == "uce":
        run.note("You chose uce: while a session of yours is in use, the server can read your journal. lockleaf access")
        run.note("shows when it did. On your other devices: lockleaf login --custody uce.")
    run.note("Next: lockleaf write, then lockleaf sync.")


async def login(
    run: Run,
    server: Server = None,
    login_name: LoginName = None,
    device_name: DeviceName = None,
    custody: CustodyChoice = None,
    link: Annotated[
        str | None,
        typer.Option(
            "--link",
            help="What lockleaf devices link printed on another device; it names the server too.",
            metavar="CODE",
        ),
    ] = None,
    allow_insecure: AllowInsecure = False,
    allow_pbkdf2: AllowPbkdf2 = False,
    allow_weak_kdf: AllowWeakKdf = False,
    keep_unlocked: KeepUnlocked = False,
) -> None:
    """Log in on this device. Server, email or name, and custody are remembered after a logout.

    A new device takes the server's word for what your account and your journal are. With --link it takes that of
    another device of yours, and stops if the server says anything else.

    The password is asked for, or taken from LOCKLEAF_PASSWORD; only with --custody uce is it sent to the server.
    """
    async with run.client(unlock=False, keep_unlocked=keep_unlocked) as client:
        known = client.profile
        code = sdk.parse_link_code(link) if link is not None else None
        if code is not None and server is None:
            server = code.server
        server = prompts.server(run, server, known)
        login_name = prompts.login_name(run, login_name, known)
        named = prompts.device_name(device_name or (known.device_name if known else None))
        if prompts.are_to_be_typed("LOCKLEAF_PASSWORD"):
            await client.account.reach(
                server, login_name, device_name=named, custody=custody, allow_insecure=allow_insecure
            )
        await client.account.login(
            server,
            login_name,
            prompts.password(run),
            device_name=named,
            custody=custody,
            link=code,
            allow_insecure=allow_insecure,
            allow_pbkdf2=allow_pbkdf2,
            allow_weak_kdf=allow_weak_kdf,
        )
        logged_in = who(client.profile)
    if run.json:
        run.result({"profile": run.profile, **logged_in})
        return
    run.line(f"Logged in as {logged_in['email'] or logged_in['username']}.")
    if known is None and code is None and logged_in["encryption_tier"] == "e2e":
        run.note("This first contact is as good as the server. A code from lockleaf devices link, on a device that is")
        run.note("logged in already, makes it as good as that device: lockleaf login --link CODE.")
    run.note("Next: lockleaf sync fetches your journal.")


async def change_password(run: Run, allow_weak_password: AllowWeakPassword = False) -> None:
    """Change the password. Every other device is signed out.

    Both are asked for, or taken from LOCKLEAF_PASSWORD and LOCKLEAF_NEW_PASSWORD.
    """
    async with run.client() as client:
        ended = await others(client)
        old = prompts.password(run)
        about = () if client.profile is None else (client.profile.login_name,)
        new = prompts.new_password(run, "LOCKLEAF_NEW_PASSWORD", about=about, allow_weak=allow_weak_password)
        await client.account.change_password(old, new, allow_weak_password=allow_weak_password)
    if run.json:
        run.result({"profile": run.profile, "changed": True, "signed_out": [session.device_name for session in ended]})
    else:
        run.line("The password is changed. The recovery codes stay as they are.")
        run.line(signed_out(ended))


async def access(run: Run) -> None:
    """Show when the server opened your journal, and for which device. It can do so with uce only.

    It is what the server says of itself: it tells of other sessions, not of a server that hides something.
    """
    async with run.client() as client:
        custody = client.profile.custody if client.profile is not None else "e2e"
        rows = await client.account.access()
    if run.json:
        for row in rows:
            run.result(row.model_dump(mode="json"))
        return
    if not rows:
        never = "This journal is end-to-end encrypted: the server cannot open it." if custody == "e2e" else None
        run.note(never or "The server has opened nothing yet.")
        return

    table = screen.Table("hour", "device", "for", "times", "records", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(
            row.hour.astimezone().isoformat(sep=" ", timespec="minutes")[:16],
            screen.Text(shown_name(row.device_name or f"session {str(row.session_id)[:13]}")),
            screen.Text(printable(row.purpose)),
            screen.Text(f"{row.openings:,}", justify="right"),
            screen.Text(f"{row.records:,}", justify="right"),
        )
    run.show(table)

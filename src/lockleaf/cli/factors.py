"""``factors``: what the server asks for beside the password, adding and removing it, and the codes for its loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts, screen
from lockleaf.cli.devices import others, signed_out
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.qr import show_qr
from lockleaf.cli.run import Run
from lockleaf.cli.security_key import required_key
from lockleaf.cli.terminal import shown_name
from lockleaf.exit_codes import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["install"]

PANEL = "Account"
_TRIES = 3


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    factors = group(app, "factors", panel=PANEL)(overview)
    command(factors, "add")(add)
    command(factors, "remove")(remove)
    command(factors, "codes")(codes)


async def overview(run: Run) -> None:
    """List the second factors of the account: what the server asks for beside the password."""
    async with run.client() as client:
        found = await client.factors.list()
    if run.json:
        run.result(found.model_dump(mode="json"))
        return
    if not found.items:
        run.line("The account has no second factor: its password alone lets in.")
        run.note("lockleaf factors add totp adds an app, lockleaf factors add passkey a security key.")
        return
    table = screen.Table("id", "factor", "name", "added", "last used", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for factor in found.items:
        table.add_row(
            _beginning(factor, found.items),
            "authenticator app" if factor.kind == "totp" else "passkey",
            screen.Text(shown_name(factor.name or "")),
            _local(factor.created_at),
            "" if factor.last_used_at is None else _local(factor.last_used_at),
        )
    run.show(table)
    run.line(f"{found.codes_left} factor codes are left.")
    if found.codes_left < 3:
        run.note("lockleaf factors codes makes ten new ones.")
    if found.wrong_codes:
        run.line(
            f"{found.wrong_codes:,} wrong codes were sent since the last right one. Whoever sent them knows your "
            "password: if that was not you, change it."
        )
        run.note("lockleaf password changes it.")


async def add(
    run: Run,
    kind: Annotated[
        Literal["totp", "passkey"],
        typer.Argument(help="totp: an authenticator app; passkey: a security key.", metavar="totp|passkey"),
    ],
    name: Annotated[str | None, typer.Option("--name", help="What you call it.", metavar="NAME")] = None,
    qr: Annotated[
        bool | None, typer.Option("--qr/--no-qr", help="Show a QR code for the app; in a terminal it is shown.")
    ] = None,
) -> None:
    """Add a second factor. From then on the server asks for it at login, and before anything that opens the account.

    Your other devices are signed out. With the first one you get ten factor codes for the day the phone is lost: keep
    them on paper, apart from the recovery codes. The journal on this device opens without a factor, as before.

    The password is asked for, or taken from LOCKLEAF_PASSWORD; the code that the app shows is typed here. A security
    key is plugged in, touched, and verifies you by its PIN or your finger.
    """
    if not run.interactive:
        raise Complaint(
            "A factor is added in a terminal: an app's code has to be typed, a security key to be touched.",
            ExitCode.USAGE,
            "NotInteractive",
        )
    async with run.client() as client:
        ended = await others(client)
        if kind == "totp":
            drawn = await _add_app(run, client, name, qr=qr)
        else:
            drawn = await client.factors.add_passkey(prompts.password(run), required_key(run), name)
    if run.json:
        run.result({"kind": kind, "codes": None if drawn is None else list(drawn), "signed_out": _names(ended)})
        return
    run.line("It is added: from now on the server asks for it.")
    run.line(signed_out(ended))
    if drawn is not None:
        _show_codes(run, drawn)


async def remove(
    run: Run,
    factor: Annotated[str, typer.Argument(help="Its id, or the beginning of it.", metavar="ID")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing the last one.")] = False,
) -> None:
    """Remove a second factor. It takes the password, and a code of a factor or a factor code.

    Your other devices are signed out. With the last factor its codes go too, and the password alone lets in.
    """
    async with run.client() as client:
        found = await client.factors.list()
        chosen = _find(found.items, factor)
        last = len(found.items) == 1
        if last and not yes:
            if not run.interactive:
                raise Complaint("This is the last factor: afterwards the password alone lets in. --yes removes it.")
            prompts.confirm("This is the last factor: afterwards the password alone lets in. Remove it?")
        ended = await others(client)
        await client.factors.remove(chosen, prompts.password(run))
    if run.json:
        run.result({"removed": str(chosen.id), "signed_out": _names(ended)})
    else:
        run.line("It is removed.")
        run.line(signed_out(ended))


async def codes(run: Run) -> None:
    """Make ten new factor codes; the old ones end. Your other devices are signed out."""
    async with run.client() as client:
        ended = await others(client)
        drawn = await client.factors.new_codes(prompts.password(run))
    if run.json:
        run.result({"codes": list(drawn), "signed_out": _names(ended)})
    else:
        _show_codes(run, drawn)
        run.line(signed_out(ended))


async def _add_app(run: Run, client: sdk.Client, name: str | None, *, qr: bool | None) -> sdk.FactorCodes | None:
    app = await client.factors.add_app(prompts.password(run), name)
    run.note("Let your authenticator app scan this, or type the secret into it:")
    if qr is not False:
        show_qr(run, app.uri)
    run.note(_grouped(app.secret))
    return await _confirmed(run, client, app)


async def _confirmed(run: Run, client: sdk.Client, app: sdk.NewApp) -> sdk.FactorCodes | None:
    for left in reversed(range(_TRIES)):
        try:
            return await client.factors.confirm_app(app, prompts.answer("Code that the app shows now"))
        except sdk.InvalidFactor:
            if not left:
                raise
            run.note("That is not the code. Wait for the next one, and look whether the phone's clock is right.")
    return None


def _show_codes(run: Run, drawn: Iterable[str]) -> None:
    """Show factor codes, plainly, so that they can be copied, printed and read aloud."""
    run.line("")
    run.line("Your factor codes. If you lose the phone or the key, one of them lets you in, with your password.")
    run.line("Each works once, and opens nothing by itself. Keep them on paper, apart from the recovery codes:")
    run.line("both papers together stand for password and factor. They are not shown again.")
    run.line("")
    for code in drawn:
        run.line(f"    {code}")
    run.line("")


def _find(factors: tuple[sdk.Factor, ...], wanted: str) -> sdk.Factor:
    start = wanted.strip().lower()
    fitting = [item for item in factors if str(item.id).startswith(start)]
    if len(start) < 4 or len(fitting) != 1:
        raise Complaint(
            "There is no such factor, or the beginning of its id fits several. lockleaf factors shows them.",
            ExitCode.NOT_FOUND,
            "FactorNotFound",
        )
    return fitting[0]


def _beginning(factor: sdk.Factor, factors: tuple[sdk.Factor, ...]) -> str:
    """Return as much of an id as tells the factors apart: ids that were made one after the other begin alike."""
    for length in (8, 13, 18, 23):
        if len({str(item.id)[:length] for item in factors}) == len(factors):
            return str(factor.id)[:length]
    return str(factor.id)


def _grouped(secret: str) -> str:
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def _names(sessions: Iterable[sdk.Session]) -> list[str | None]:
    return [session.device_name for session in sessions]


def _local(moment: datetime) -> Any:
    return moment.astimezone().isoformat(sep=" ", timespec="minutes")[:16]

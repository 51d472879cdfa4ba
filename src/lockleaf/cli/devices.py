"""``devices``: where the account is logged in, signing a device out, and a code for one that is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.qr import show_qr
from lockleaf.cli.rendering import short_id
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name
from lockleaf.exit_codes import ExitCode

if TYPE_CHECKING:
    from datetime import datetime


__all__ = ["install", "others", "signed_out"]

PANEL = "Devices and sync"


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    made = group(app, "devices", panel=PANEL)(devices)
    command(made, "link")(link)


async def devices(
    run: Run,
    revoke: Annotated[
        str | None,
        typer.Option("--revoke", help="Sign this device out at once; the beginning of its id is enough.", metavar="ID"),
    ] = None,
) -> None:
    """List the devices that are logged in, the one used last first: since when, and with what they were let in."""
    async with run.client() as client:
        sessions = await client.account.sessions()
        if revoke is not None:
            ended = _find(sessions, revoke)
            await client.account.revoke(ended.id)
            if run.json:
                run.result({"revoked": str(ended.id)})
            else:
                run.line(f"{shown_name(ended.device_name or 'The device')} is signed out.")
                run.note("If it was lost: lockleaf keys rotate lets it read nothing that you write from now on.")
            return
    if run.json:
        for session in sessions:
            run.result(_json(session))
        return

    table = screen.Table(
        "id", "device", "logged in", "with", "last used", "", box=screen.box.SIMPLE_HEAD, pad_edge=False
    )
    for session in sessions:
        table.add_row(
            _beginning(session, sessions),
            screen.Text(shown_name(session.device_name or "unnamed")),
            _local(session.created_at),
            _proofs(session),
            _local(session.last_used_at),
            "this device" if session.current else "",
        )
    run.show(table)


async def link(
    run: Run,
    qr: Annotated[
        bool | None, typer.Option("--qr/--no-qr", help="Show it as a QR code too; in a terminal it is shown.")
    ] = None,
) -> None:
    """Print a link code: what another device needs to hold the server to what this one has verified.

    No secret is in it: not the password, nor any key that opens something. Whoever sees it learns the server's address
    and the account's id. It holds until the password or the keys are changed.
    """
    async with run.client() as client:
        code = await client.account.link_code()
    if run.json:
        run.result({"link": code})
        return
    run.line(code)
    if qr or (qr is None and run.interactive):
        show_qr(run, code)
    run.note("On the other device: lockleaf login --link CODE")


async def others(client: sdk.Client) -> list[sdk.Session]:
    """Return the account's sessions but for that of this device."""
    return [session for session in await client.account.sessions() if not session.current]


def signed_out(sessions: list[sdk.Session]) -> str:
    """Return who was signed out, in a sentence."""
    if not sessions:
        return "No other device was logged in."
    names = ", ".join(shown_name(session.device_name or "an unnamed device") for session in sessions)
    return f"Signed out: {names}. Log in there again."


def _find(sessions: tuple[sdk.Session, ...], wanted: str) -> sdk.Session:
    known = {str(item.id): item for item in sessions}
    return known[sdk.one_beginning(wanted.strip().lower(), known, _no_such_device)]


def _no_such_device() -> Complaint:
    return Complaint("There is no such device.", ExitCode.NOT_FOUND, "DeviceNotFound", "lockleaf devices shows the ids")


def _beginning(session: sdk.Session, sessions: tuple[sdk.Session, ...]) -> str:
    """Return as much of an id as tells the devices apart: ids that were made one after the other begin alike."""
    for length in (len(short_id(str(session.id))), 13, 18, 23):
        if len({str(item.id)[:length] for item in sessions}) == len(sessions):
            return str(session.id)[:length]
    return str(session.id)


_PROOFS = {
    "registration": "registration",
    "password": "password",
    "recovery_code": "recovery code",
    "totp": "app",
    "passkey": "passkey",
    "code": "factor code",
}


def _proofs(session: sdk.Session) -> str:
    """Say with what a device was let in; nothing where the server did not note it, or in words that are not known."""
    return ", ".join(_PROOFS.get(each, "?") for each in session.opened_with or ())


def _json(session: sdk.Session) -> dict[str, Any]:
    return {
        "id": str(session.id),
        "device_id": session.device_id,
        "device_name": session.device_name,
        "created_at": session.created_at.isoformat(),
        "opened_with": None if session.opened_with is None else list(session.opened_with),
        "last_used_at": session.last_used_at.isoformat(),
        "current": session.current,
    }


def _local(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="minutes")[:16]

"""``admin invite`` and ``admin invitations``: codes by which accounts are made where registration is by invitation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.restored import database_of, database_troubles
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, named, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["asked", "invitations", "invite"]

T = TypeVar("T")


def invite(
    run: Run,
    data_dir: DataDir = None,
    uses: Annotated[
        int, typer.Option("--uses", help="How many accounts may be made with the code.", min=1, max=100_000)
    ] = 1,
    days: Annotated[float, typer.Option("--days", help="After how many days it expires.", min=0.01, max=3650)] = 14,
) -> None:
    """Make a code by which an account is made, and print it once; the server keeps a digest.

    It is asked for where LOCKLEAF_REGISTRATION__MODE=invitation.
    """
    settings = settings_of(data_dir)
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=days)
    code = asked(
        settings, lambda connection: server.invitations.invite(connection, uses=uses, now=now, expires_at=expires_at)
    )
    if run.json:
        run.result({"code": code, "uses": uses, "expires_at": expires_at.isoformat()})
        return
    run.line(code)
    many = "one account" if uses == 1 else f"{uses:,} accounts"
    until = expires_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]
    run.note(f"Good for {many} until {until}: lockleaf register --invitation {code}")
    if settings.registration.mode != "invitation":
        run.note(
            f"Registration is {settings.registration.mode} as this command sees it: "
            "LOCKLEAF_REGISTRATION__MODE=invitation lets the server ask for codes."
        )


def invitations(
    run: Run,
    data_dir: DataDir = None,
    revoke: Annotated[
        str | None, typer.Option("--revoke", help="Take one back, by its id in the list.", metavar="ID")
    ] = None,
) -> None:
    """List the invitations by which accounts can still be made, or take one back. Codes are not shown again."""
    settings = settings_of(data_dir)
    if revoke is not None:
        if not asked(settings, lambda connection: server.invitations.revoke(connection, revoke)):
            raise Complaint("There is no such invitation.", ExitCode.NOT_FOUND, "NoSuchInvitation")
        run.result({"revoked": revoke.lower()}) if run.json else run.line("It is taken back.")
        return
    found = asked(settings, lambda connection: server.invitations.invited(connection, datetime.now(UTC)))
    if run.json:
        for each in found:
            times = {"created_at": each.created_at.isoformat(), "expires_at": each.expires_at.isoformat()}
            run.result(asdict(each) | times)
        return
    for each in found:
        until = each.expires_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]
        run.line(f"{each.id}  {each.uses_left:,} of {each.uses:,} left, until {until}")
    if not found:
        run.note("There are none.")


def asked(settings: server.Settings, ask: Callable[[server.asyncpg.Connection], Awaitable[T]]) -> T:
    """Ask a server's database something.

    Raises:
        Complaint: there is none, or it cannot be asked.
    """
    server.logging.configure("console", "WARNING")
    try:
        with database_of(settings) as url:
            return asyncio.run(_connected(url, ask))
    except Complaint:
        raise
    except Exception as error:
        raise named(error) from error


async def _connected(url: str, ask: Callable[[server.asyncpg.Connection], Awaitable[T]]) -> T:
    with database_troubles("Run it again."):
        connection = await server.connect(server.asyncpg_url(url), timeout=10)
        try:
            return await ask(connection)
        finally:
            await connection.close()

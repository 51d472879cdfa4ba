"""``admin rotate-secret``: what the server sealed for networks and second factors, under its newest root secret."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.prompts import confirm
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, named, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["rotate_secret"]


def rotate_secret(
    run: Run,
    data_dir: DataDir = None,
    new: Annotated[
        bool, typer.Option("--new", help="First make a new root in the data folder, where the server keeps its own.")
    ] = False,
    drop_old: Annotated[
        bool,
        typer.Option(
            "--drop-old",
            help="Then keep the newest root of the data folder alone. Says first how many sessions that "
            "would end, and asks.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before sessions are ended.")] = False,
) -> None:
    """Put tokens of networks and secrets of authenticator apps under the newest root, before an older one goes.

    Nobody is signed out: the newest root signs, and all verify. With the server's own secrets.json: --new, restart the
    server, run it again without, and with --drop-old when the sessions have been renewed, after 30 days at most. Roots
    that are settings you change yourself: the new one in front, restart, run this. It may run any number of times.
    """
    settings = settings_of(data_dir)
    server.logging.configure("console", "WARNING")
    try:
        if new and _begun(run, settings):
            return
        with database_of(settings) as url:
            done, factors, lost_factors = asyncio.run(_reseal(settings, url))
            dropped = _drop_old(run, settings, url, yes=yes) if drop_old else 0
    except (Complaint, typer.Abort):
        raise
    except Exception as error:
        raise named(error) from error
    counts = {
        "connections": done.connections,
        "posts": done.posts,
        "applications": done.applications,
        "factors": factors,
        "dropped": dropped,
    }
    if run.json:
        run.result({**counts, "lost": done.lost, "lost_factors": lost_factors})
        return
    what = (
        number_of(done.connections, "connection"),
        number_of(done.posts, "post"),
        number_of(factors, "authenticator app"),
    )
    run.line(f"Sealed anew: {', '.join(what)}.")
    if done.lost:
        lost = number_of(done.lost, "connection does", "connections do")
        run.note(f"{lost} not open with any root that is set: their users have to connect again.")
    if lost_factors:
        run.note(
            f"{lost_factors:,} authenticator apps answer for their accounts no more: their users need a factor code."
        )


def _begun(run: Run, settings: server.Settings) -> bool:
    """Make a new root; return whether a server runs that has to be started again before anything is sealed under it."""
    running = server.EmbeddedPostgres.running_dsn(settings.data_dir) is not None
    server.add_root(settings)
    if not running:
        return False
    if run.json:
        run.result({"made": True, "restart": True})
    else:
        run.line("A new root secret is in secrets.json, in front of the others, which still verify.")
        run.note("Restart the server, so that it signs with it. Then: lockleaf admin rotate-secret.")
    return True


def _drop_old(run: Run, settings: server.Settings, url: str, *, yes: bool) -> int:
    """Keep the newest root alone, once nobody is signed out by that, or the operator agrees."""
    signed_out = asyncio.run(server.sessions_of_old_roots(settings, url))
    if signed_out and not yes:
        told = (
            f"Not renewed since the newest root was made: {number_of(signed_out, 'session')}, whose devices would have "
            "to log in again."
        )
        if not run.interactive:
            raise Complaint(f"{told} No root was dropped. Wait, or give --yes.", ExitCode.USAGE)
        confirm(f"{told} Drop the older roots?")
    dropped = server.drop_old_roots(settings)
    run.note(f"Older roots dropped: {dropped}. Restart the server, so that it forgets them.")
    return dropped


async def _reseal(settings: server.Settings, url: str) -> tuple[server.ResealReport, int, int]:
    try:
        connection = await server.connect(server.asyncpg_url(url), timeout=10)
        try:
            keys = server.load_keys(settings)
            report = await server.reseal_all(connection, server.Seals(keys))
            return report, *await server.reseal_factors(connection, server.sealer_of(keys))
        finally:
            await connection.close()
    except (OSError, server.asyncpg.PostgresError):
        # The text of either can hold the address, and with it the database's password.
        raise Complaint(
            "The database cannot be reached or changed. Run it again.", ExitCode.UNREACHABLE, "DatabaseUnavailable"
        ) from None

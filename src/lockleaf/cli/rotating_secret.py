"""``admin rotate-secret``: what the server sealed for networks and second factors, under its newest root secret."""

from __future__ import annotations

import asyncio

from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, named, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["rotate_secret"]


def rotate_secret(run: Run, data_dir: DataDir = None) -> None:
    """Put tokens of networks and secrets of authenticator apps under the newest root, before an older one goes.

    Set LOCKLEAF_SECRETS__ROOTS to the new root and the old one behind it, restart the server, and run this. It may run
    any number of times, while the server runs. The old root can go once the sessions made under it have ended.
    """
    settings = settings_of(data_dir)
    server.logging.configure("console", "WARNING")
    try:
        with database_of(settings) as url:
            done, factors, lost_factors = asyncio.run(_reseal(settings, url))
    except Complaint:
        raise
    except Exception as error:
        raise named(error) from error
    counts = {
        "connections": done.connections,
        "posts": done.posts,
        "applications": done.applications,
        "factors": factors,
    }
    if run.json:
        run.result({**counts, "lost": done.lost, "lost_factors": lost_factors})
        return
    run.line(f"Sealed anew: {done.connections:,} connections, {done.posts:,} posts, {factors:,} authenticator apps.")
    if done.lost:
        run.note(f"{done.lost:,} do not open with any root that is set: their users have to connect again.")
    if lost_factors:
        run.note(
            f"{lost_factors:,} authenticator apps answer for their accounts no more: their users need a factor code."
        )


async def _reseal(settings: server.Settings, url: str) -> tuple[server.ResealReport, int, int]:
    try:
        connection = await server.asyncpg.connect(server.asyncpg_url(url), timeout=10)
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

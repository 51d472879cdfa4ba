"""``admin rotate-secret``: what the server sealed for networks, under its newest root secret."""

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
    """Put the tokens of connected networks under the newest root secret, before an older one is taken away.

    Set LOCKLEAF_SECRETS__ROOTS to the new root and the old one behind it, restart the server, and run this. It may run
    any number of times, while the server runs. The old root can go once the sessions made under it have ended.
    """
    settings = settings_of(data_dir)
    server.logging.configure("console", "WARNING")
    try:
        with database_of(settings) as url:
            done = asyncio.run(_reseal(settings, url))
    except Complaint:
        raise
    except Exception as error:
        raise named(error) from error
    counts = {"connections": done.connections, "posts": done.posts, "applications": done.applications}
    if run.json:
        run.result({**counts, "lost": done.lost})
        return
    run.line(f"Sealed anew: {done.connections:,} connections, {done.posts:,} posts.")
    if done.lost:
        run.note(f"{done.lost:,} do not open with any root that is set: their users have to connect again.")


async def _reseal(settings: server.Settings, url: str) -> server.ResealReport:
    try:
        connection = await server.asyncpg.connect(server.asyncpg_url(url), timeout=10)
        try:
            return await server.reseal_all(connection, server.Seals(server.load_keys(settings)))
        finally:
            await connection.close()
    except (OSError, server.asyncpg.PostgresError):
        # The text of either can hold the address, and with it the database's password.
        raise Complaint(
            "The database cannot be reached or changed. Run it again.", ExitCode.UNREACHABLE, "DatabaseUnavailable"
        ) from None

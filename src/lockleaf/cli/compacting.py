"""``admin compact``: a database and a store as small as what they hold."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.backing_up import size_of, unavailable
from lockleaf.cli.errors import Complaint
from lockleaf.cli.prompts import confirm
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["compact"]


def compact(
    run: Run,
    data_dir: DataDir = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Write every table anew, so that the disk gets its space back. Servers and workers stop first.",
        ),
    ] = False,
    aside: Annotated[
        str | None, typer.Option("--drop-aside", help="Delete a database that a restore set aside.", metavar="NAME")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a database is deleted.")] = False,
) -> None:
    """Drop what upkeep would drop within a day, and let the database use its space again.

    Nothing goes that anybody can still see or bring back. Without --full servers go on meanwhile, and the space is used
    again rather than given back.
    """
    with looking_after(data_dir) as settings, database_of(settings) as url:
        dropped = 0 if aside is None else _drop(run, url, aside, yes=yes)
        done = asyncio.run(_compact(settings, url, full=full))
    if run.json:
        run.result(
            {
                "dropped_bytes": dropped,
                "database_before": done.before.database,
                "database_after": done.after.database,
                "files_before": done.before.files,
                "files_after": done.after.files,
            }
        )
        return
    if aside is not None:
        run.line(f"Deleted {aside}, which took {size_of(dropped)}.")
    run.line(f"Database: {size_of(done.before.database)} before, {size_of(done.after.database)} now.")
    run.line(f"Attached files: {size_of(done.before.files)} before, {size_of(done.after.files)} now.")
    if not full:
        run.note("What became free is used again. To give it back to the disk, stop the server and add --full.")


def _drop(run: Run, url: str, name: str, *, yes: bool) -> int:
    try:
        size = asyncio.run(server.size_aside(url, name))
        told = f"{name} is the database as it was before a restore, {size_of(size)}. What only it has is lost then."
        if not yes:
            if not run.interactive:
                raise Complaint(f"{told} Nothing was deleted. Give --yes to delete it.", ExitCode.USAGE)
            confirm(f"{told} Delete it?")
        asyncio.run(server.drop_aside(url, name))
    except (OSError, server.asyncpg.PostgresError):
        raise unavailable() from None
    return size


async def _compact(settings: server.Settings, url: str, *, full: bool) -> server.Compacted:
    try:
        return await server.compact(settings, url, full=full)
    except (OSError, server.asyncpg.PostgresError):
        raise unavailable() from None

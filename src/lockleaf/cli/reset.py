"""``admin reset``: a development database as new, with the people of the demonstration and of older documents in it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lockleaf.cli import demonstration, server_parts
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["reset"]


def reset(
    run: Run,
    data_dir: DataDir = None,
    server: Annotated[
        str, typer.Option("--server", help="Where that server will be reached, for the profiles.", metavar="URL")
    ] = "http://127.0.0.1:8000",
    no_confirm: Annotated[bool, typer.Option("--no-confirm", help="Do not ask.")] = False,
    users_only: Annotated[bool, typer.Option("--users-only", help="Make the accounts, and nothing in them.")] = False,
) -> None:
    """Empty a development database, and put the people of the demonstration and of older documents into it.

    Only under LOCKLEAF_ENVIRONMENT=development, and only a database that is marked: one that was made so.
    """
    with looking_after(data_dir) as settings:
        if settings.environment != "development":
            # The mark alone would not do: what was begun to try it out may be somebody's journal by now.
            raise Complaint(
                "Nothing is touched but under LOCKLEAF_ENVIRONMENT=development.", ExitCode.CONFLICT, "NotForDevelopment"
            )
        with _database(settings) as url:
            asyncio.run(_require_mark(url))
            if not no_confirm:
                if not run.interactive:
                    raise Complaint("Nobody is there to be asked. Give --no-confirm.", ExitCode.USAGE)
                confirm("Delete everything in this development database?")
            home = settings.data_dir / "people"
            shutil.rmtree(home, ignore_errors=True)
            deleted = asyncio.run(_make(run, settings, url, server, home, users_only=users_only))

    if run.json:
        documented = [asdict(each) for each in demonstration.DOCUMENTED]
        run.result(
            {
                "deleted_accounts": deleted,
                "home": str(home),
                "users_only": users_only,
                "documented": documented,
            }
        )
        return
    run.line(f"Deleted {number_of(deleted, 'account')}, made the four of the demonstration and four for older clients.")
    run.note(f"Profiles of the demonstration: lockleaf --home {home} --profile ada-laptop status")
    for each in demonstration.DOCUMENTED:
        run.note(f"For older clients: {each.email}, password {each.password} ({each.custody}, {each.privacy_tier})")


@contextlib.contextmanager
def _database(settings: server_parts.Settings) -> Iterator[str]:
    """Give the address of the database in question; one of our own is started for it, if no server runs on it."""
    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    with server_parts.EmbeddedPostgres(settings.data_dir) as postgres:
        url = postgres.dsn()
        asyncio.run(server_parts.migrate(url))
        if settings.environment == "development":
            asyncio.run(server_parts.mark_for_development(url))
        yield url


async def _require_mark(url: str) -> None:
    try:
        marked = await server_parts.is_for_development(url)
    except (OSError, server_parts.asyncpg.PostgresError):
        raise Complaint(
            "The database cannot be reached, or has no schema yet: lockleaf admin migrate makes it.",
            ExitCode.UNREACHABLE,
            "DatabaseUnavailable",
        ) from None
    if not marked:
        raise Complaint(
            "This database is not marked for development, so nothing in it is touched. One is marked when it is made "
            "under LOCKLEAF_ENVIRONMENT=development, before anybody has an account in it.",
            ExitCode.CONFLICT,
            "NotForDevelopment",
        )


async def _make(
    run: Run, settings: server_parts.Settings, url: str, server: str, home: Path, *, users_only: bool
) -> int:
    deleted = await server_parts.empty(url)
    app = server_parts.create_app(demonstration.unhindered(settings), database_url=url)
    transport = demonstration.within(app, server)
    async with app.router.lifespan_context(app), demonstration.post_office(settings, url) as deliver:
        await demonstration.seed(
            server,
            home,
            today=datetime.now(UTC).astimezone().date(),
            users_only=users_only,
            deliver=deliver,
            progress=lambda what: run.note(f"making {what} ..."),
            transport=transport,
        )
        run.note("making those of older documents ...")
        await demonstration.documented.make(server, transport)
    return deleted

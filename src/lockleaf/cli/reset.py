"""``admin reset``: a development database as new, with the people of the demonstration and of older documents in it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, named, settings_of

if TYPE_CHECKING:
    from lockleaf.server.platform.settings import Settings

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
    settings = settings_of(data_dir)
    if settings.environment != "development":
        # The mark alone would not do: what was begun to try it out may be somebody's journal by now.
        raise Complaint(
            "Nothing is touched but under LOCKLEAF_ENVIRONMENT=development.", ExitCode.CONFLICT, "NotForDevelopment"
        )
    from lockleaf.server.platform.observability import logging  # noqa: PLC0415

    logging.configure("console", "WARNING")  # what the server says of each request is nobody's news here
    try:
        with _database(settings) as url:
            asyncio.run(_require_mark(url))
            if not no_confirm:
                if not run.interactive:
                    raise Complaint("Nobody is there to be asked. Give --no-confirm.", ExitCode.USAGE)
                confirm("Delete everything in this development database?")
            home = settings.data_dir / "people"
            shutil.rmtree(home, ignore_errors=True)
            deleted = asyncio.run(_make(run, settings, url, server, home, users_only=users_only))
    except (Complaint, typer.Abort):
        raise
    except Exception as error:
        raise named(error) from error
    from lockleaf.cli.demonstration.documented import DOCUMENTED  # noqa: PLC0415

    if run.json:
        documented = [asdict(each) for each in DOCUMENTED]
        run.result({"deleted_accounts": deleted, "home": str(home), "users_only": users_only, "documented": documented})
        return
    run.line(f"Deleted {deleted} accounts, and made the four of the demonstration and four for older clients.")
    run.note(f"Profiles of the demonstration: lockleaf --home {home} --profile ada-laptop status")
    for each in DOCUMENTED:
        run.note(f"For older clients: {each.email}, password {each.password} ({each.custody}, {each.privacy_tier})")


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """Give the address of the database in question; one of our own is started for it, if no server runs on it."""
    from lockleaf.server.main.installation import mark_for_development  # noqa: PLC0415
    from lockleaf.server.platform.db.embedded import EmbeddedPostgres  # noqa: PLC0415
    from lockleaf.server.platform.db.migrate import migrate  # noqa: PLC0415

    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    with EmbeddedPostgres(settings.data_dir) as postgres:
        url = postgres.dsn()
        asyncio.run(migrate(url))
        if settings.environment == "development":
            asyncio.run(mark_for_development(url))
        yield url


async def _require_mark(url: str) -> None:
    import asyncpg  # noqa: PLC0415

    from lockleaf.server.main.installation import is_for_development  # noqa: PLC0415

    try:
        marked = await is_for_development(url)
    except (OSError, asyncpg.PostgresError):
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


async def _make(run: Run, settings: Settings, url: str, server: str, home: Path, *, users_only: bool) -> int:
    from lockleaf.cli.demonstration import documented  # noqa: PLC0415
    from lockleaf.cli.demonstration.delivery import post_office  # noqa: PLC0415
    from lockleaf.cli.demonstration.seeding import seed  # noqa: PLC0415
    from lockleaf.cli.demonstration.within import within  # noqa: PLC0415
    from lockleaf.server.main.app import create_app  # noqa: PLC0415
    from lockleaf.server.main.installation import empty  # noqa: PLC0415

    deleted = await empty(url)
    app = create_app(settings, database_url=url)
    transport = within(app, server)
    async with app.router.lifespan_context(app), post_office(settings, url) as deliver:
        await seed(
            server,
            home,
            today=datetime.now(UTC).astimezone().date(),
            users_only=users_only,
            deliver=deliver,
            progress=lambda what: run.note(f"making {what} ..."),
            transport=transport,
        )
        run.note("making those of older documents ...")
        await documented.make(server, transport)
    return deleted

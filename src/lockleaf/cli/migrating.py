"""``admin migrate`` and ``admin downgrade``: the schema of a database that somebody else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.serve import settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["attempted", "downgrade", "migrate"]

Found = TypeVar("Found")

Sql = Annotated[bool, typer.Option("--sql", help="Print the statements, and change nothing.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="With --sql: the schema to begin at (base for none); else that of the database.",
        metavar="REVISION",
    ),
]


def migrate(
    run: Run,
    to: Annotated[
        str, typer.Option("--to", help="An earlier schema than that of this version.", metavar="REVISION")
    ] = "head",
    sql: Sql = False,
    start: From = None,
) -> None:
    """Bring the database of DATABASE_URL to the schema of this version.

    A server with a database of its own does it by itself when it starts.
    """
    settings = settings_of(None)
    if sql:
        _print(run, settings, start, to, forth=True)
        return
    url = _address(settings, start)
    attempted(lambda: _bring_up_to_date(settings, url, to))
    _tell(run, url)


def downgrade(
    run: Run,
    to: Annotated[str, typer.Option("--to", help="The schema to go back to; base for none.", metavar="REVISION")],
    sql: Sql = False,
    start: From = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before anything is lost.")] = False,
) -> None:
    """Take the database of DATABASE_URL back to an earlier schema. What that has no place for is lost.

    It is counted and named first, and nothing is done without consent. Stop every server on it first, and make a
    backup. The server of this version does not start on it afterwards.
    """
    settings = settings_of(None)
    if sql:
        _print(run, settings, start, to, forth=False)
        return
    url = _address(settings, start)
    lost = attempted(lambda: server.losses(url, to))
    told = "; ".join(f"{loss.what}: {loss.count:,}" for loss in lost) or "nothing"
    what = f"Going back to schema {to} loses what it has no place for. In this database that is {told}."
    if yes:
        run.note(what)
    elif run.interactive:
        confirm(f"{what} Go back?")
    else:
        raise Complaint(f"{what} Nothing was changed. Make a backup, then give --yes.", ExitCode.USAGE)
    attempted(lambda: server.downgrade(url, to))
    _tell(run, url)


def _address(settings: server.Settings, start: str | None) -> str:
    if start is not None:
        raise Complaint("--from goes with --sql. A database is changed from the schema that it has.", ExitCode.USAGE)
    if settings.database.url is None:
        raise Complaint(
            "DATABASE_URL is not set. A server with a database of its own brings it up to date when it starts."
        )
    return settings.database.url.get_secret_value()


def attempted(act: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
    """Do something with the database of DATABASE_URL, and say plainly what is wrong with it."""
    try:
        return asyncio.run(act())
    except (server.RevisionUnknown, server.WrongDirection) as error:
        raise Complaint(str(error), ExitCode.CONFLICT, type(error).__name__) from None
    except (server.SQLAlchemyError, OSError, server.CommandError, server.asyncpg.PostgresError) as error:
        # The text of any can hold the address, and with it the database's password.
        raise Complaint(
            server.why_unusable(error)
            or "The database of DATABASE_URL cannot be reached or changed. Check the address, that it runs, and that "
            "its user may make tables.",
            ExitCode.UNREACHABLE,
            "DatabaseUnavailable",
        ) from None


async def _bring_up_to_date(settings: server.Settings, url: str, to: str) -> None:
    await server.migrate(url, to)
    await server.distribute_new(url)
    if settings.environment == "development" and await server.revision_at(url) == server.head_revision():
        await server.mark_for_development(url)


def _tell(run: Run, url: str) -> None:
    present = attempted(lambda: server.revision_at(url)) or "base"
    if run.json:
        run.result({"schema": present})
    else:
        run.line(f"The database has schema {present}.")


def _print(run: Run, settings: server.Settings, start: str | None, to: str, *, forth: bool) -> None:
    """Print the statements of a way, from where the database stands unless that is said."""
    url = settings.database.url
    if start is None and url is not None:
        start = attempted(lambda: server.revision_at(url.get_secret_value())) or "base"
    if start is None:
        raise Complaint("DATABASE_URL is not set. Say where to begin: --from base, or --from REVISION.", ExitCode.USAGE)

    async def written() -> str:
        return server.sql(None if start == "base" else start, to, forth=forth)

    statements = attempted(written)
    if run.json:
        run.result({"from": start, "to": to, "sql": statements})
        return
    for line in statements.splitlines():
        run.line(line)

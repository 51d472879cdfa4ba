"""``admin restored``: telling the devices that the database was put back to an earlier state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from lockleaf.cli import server_parts as server
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run
from lockleaf.cli.serve import MIGRATE, DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["database_of", "database_troubles", "restored"]


def restored(run: Run, data_dir: DataDir = None) -> None:
    """Declare that the database was put back to an earlier state, by whatever means.

    Run it once after a restore, before people use the server again; it may run meanwhile. Every account goes on in a
    new epoch. Devices then ask their users once, and send again what the restored database lacks. Without it they stop
    with HistoryForked. Run again, it leaves alone every account that has not been written to since.
    """
    with looking_after(data_dir) as settings, database_of(settings) as url:
        done = asyncio.run(_declare(url))
    if run.json:
        run.result({"accounts": done.accounts, "unchanged": done.unchanged})
        return
    run.line(f"The restore is declared: {number_of(done.accounts, 'account goes', 'accounts go')} on in a new epoch.")
    if done.unchanged:
        run.line(f"Already declared, and not written to since: {done.unchanged:,}.")
    run.note(
        "At its next sync each device shows what this server claims beside what it had verified, and asks its user: "
        "lockleaf sync --accept-restore goes on. What this database lacks is then sent again; nothing is deleted."
    )


async def _declare(url: str) -> server.Declared:
    with database_troubles("Nothing was declared that was not said; run it again."):
        return await server.declare_restored(url)


@contextlib.contextmanager
def database_troubles(then: str) -> Iterator[None]:
    """Say what is wrong with a database, and what follows ``then``.

    Raises:
        Complaint: it has no schema of this version, cannot be reached, or refuses.
    """
    try:
        yield
    except server.asyncpg.UndefinedTableError:
        raise Complaint(
            "The database has no schema of this version: lockleaf admin migrate makes it.",
            ExitCode.LOCAL,
            "SchemaBehind",
            MIGRATE,
        ) from None
    except (OSError, server.asyncpg.PostgresError):
        # The text of either can hold the address, and with it the database's password.
        raise Complaint(
            f"The database cannot be reached or changed. {then}", ExitCode.UNREACHABLE, "DatabaseUnavailable"
        ) from None


@contextlib.contextmanager
def database_of(settings: server.Settings, *, migrate: bool = True) -> Iterator[str]:
    """Give the address of the server's database; one of our own is started for it, if no server runs on it.

    Args:
        migrate: bring one that was started here to this version's schema.
    """
    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    if not (settings.data_dir / "postgres").is_dir():
        raise Complaint(
            f"There is no database in {settings.data_dir}. Name the server's data folder with --data-dir, or set "
            "DATABASE_URL.",
            ExitCode.LOCAL,
            "NoDatabase",
        )
    postgres = server.EmbeddedPostgres(settings.data_dir)
    try:
        postgres.start()
    except server.DataFolderInUseError:
        url = server.EmbeddedPostgres.running_dsn(settings.data_dir)
        if url is None:
            raise
        yield url
        return
    with postgres:
        if migrate:
            asyncio.run(server.migrate(postgres.dsn()))
        yield postgres.dsn()

"""``admin restore``: a server as it was when a backup was made, without losing what devices have written since."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.backing_up import unavailable
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["At", "BackupPath", "Identity", "identities_of", "restore"]

BackupPath = Annotated[
    Path, typer.Argument(help="The folder or file of a backup; of a folder the newest is taken.", metavar="PATH")
]
At = Annotated[
    str | None, typer.Option("--at", help="An earlier backup of the folder, as in 20261129T215301Z.", metavar="TIME")
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", help="The file of the age identity that opens an encrypted backup.", metavar="FILE"),
]


def restore(
    run: Run,
    path: BackupPath,
    data_dir: DataDir = None,
    at: At = None,
    identity: Identity = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set aside the database that is there, and take the backup in its place.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put a server back to a backup, while it is stopped.

    Every account goes on in a new epoch: devices ask their users once, and send again what the backup lacks. A database
    with accounts in it is replaced with --replace alone, and then set aside, not deleted.
    """
    with (
        looking_after(data_dir) as settings,
        server.open_backup(path.expanduser(), identities_of(identity), scratch=settings.data_dir, at=at) as source,
        _database(settings) as url,
    ):
        done, secrets = asyncio.run(_restore(run, settings, url, source, replace=replace, yes=yes))
        manifest = source.manifest
    if run.json:
        run.result(
            {
                "taken_at": manifest.taken_at,
                "accounts": done.declared.accounts,
                "set_aside": done.aside,
                "files_put": done.files_put,
                "files_there": done.files_there,
                "files_absent": done.files_absent,
                "files_since": done.files_since,
                "sessions": done.sessions,
                "secrets": str(secrets),
            }
        )
        return
    people = number_of(done.declared.accounts, "account goes", "accounts go")
    run.line(f"Restored the backup of {manifest.taken_at}: {people} on in a new epoch.")
    run.line(f"Attached files: {done.files_put:,} put into the store, {done.files_there:,} were there.")
    if done.files_since:
        run.line(f"Sent since the backup, and kept in the store: {number_of(done.files_since, 'attached file')}.")
    if done.files_absent:
        files = number_of(done.files_absent, "attached file is", "attached files are")
        run.note(f"{files} neither in the backup nor in the store.")
    if done.aside is not None:
        run.note(
            f"The database as it was is in the schema {done.aside} of the same database. It stays until you delete it: "
            f"lockleaf admin compact --drop-aside {done.aside}."
        )
    if secrets == "absent":
        run.note(
            "The backup holds no secrets of the server, and there were none in its data folder, so that it makes new "
            "ones: networks have to be connected again, and second factors set up anew. If you have the former "
            "secrets.json, put it into the data folder before you start the server."
        )
    if secrets == "left_beside":
        run.note(
            f"The backup's secrets are in {settings.data_dir / server.LEFT_BESIDE}, since yours are settings. Put its "
            "roots behind yours in LOCKLEAF_SECRETS__ROOTS, its prelogin into LOCKLEAF_SECRETS__PRELOGIN."
        )
    if not done.sessions:
        run.note("All sessions have ended: people log in again, and keep what is on their devices.")
    run.note(
        "Start the server, and tell its users to which time you went back. At its next sync each device shows what "
        "this server claims beside what it had verified, and asks: lockleaf sync --accept-restore goes on. What the "
        "backup lacks is then sent again; nothing is deleted."
    )


def identities_of(path: Path | None) -> server.Opener:
    """Return the identities in the file that was given, if one was."""
    return () if path is None else server.identities_in(path.expanduser())


async def _restore(
    run: Run, settings: server.Settings, url: str, source: server.Source, *, replace: bool, yes: bool
) -> tuple[server.Restored, str]:
    try:
        present = await server.examine(url, source)
        if present.accounts and replace:
            _ask(run, present, source, yes=yes)
        given = await asyncio.to_thread(source.secrets)
        adopted = str(server.adopt(settings, None))  # which changes nothing; the next line may make new ones
        store = server.open_store(settings, server.load_keys(settings), server.Clock())

        def adopt() -> None:
            nonlocal adopted
            if given is not None:
                adopted = str(server.adopt(settings, given))

        try:
            return await server.restore(url, store, source, replace=replace, before_database=adopt), adopted
        finally:
            await store.close()
    except (OSError, server.asyncpg.PostgresError):
        raise unavailable() from None


def _ask(run: Run, present: server.Present, source: server.Source, *, yes: bool) -> None:
    last = "" if present.last_change is None else f", last written to at {present.last_change:%Y-%m-%d %H:%M} UTC"
    accounts, records = number_of(present.accounts, "account"), number_of(present.records, "record")
    changes, people = number_of(present.changes_since, "change"), number_of(present.accounts_since, "account")
    told = (
        f"This database has {accounts} and {records}{last}. The backup is of "
        f"{source.manifest.moment:%Y-%m-%d %H:%M} UTC and does not have {changes} and {people} that came since. "
        "Devices send those changes again that they still have; new accounts, changed passwords and rotated keys are "
        "only in the database that is set aside."
    )
    if yes:
        run.note(told)
    elif run.interactive:
        confirm(f"{told} Go back to the backup?")
    else:
        raise Complaint(f"{told} Nothing was changed. Give --yes to go back to the backup.", ExitCode.USAGE)


@contextlib.contextmanager
def _database(settings: server.Settings) -> Iterator[str]:
    """Give the address of a database in which no server works; one of our own is made where there is none."""
    if settings.database.url is not None:
        yield settings.database.url.get_secret_value()
        return
    try:
        with server.EmbeddedPostgres(settings.data_dir) as postgres:
            yield postgres.dsn()
    except server.DataFolderInUseError:
        raise Complaint(
            f"A server runs on {settings.data_dir}. Stop it, and run the restore again. Nothing was changed.",
            ExitCode.CONFLICT,
            "DatabaseInUse",
        ) from None

"""``admin backup``: a copy of everything that a server holds, while it serves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.counting import number_of
from lockleaf.cli.destinations import named
from lockleaf.cli.errors import Complaint
from lockleaf.cli.restored import database_of
from lockleaf.cli.run import Run
from lockleaf.cli.serve import DataDir, looking_after
from lockleaf.exit_codes import ExitCode

__all__ = ["backup", "size_of", "unavailable"]


def backup(
    run: Run,
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder that keeps backups, or a new file whose name ends in .tar or .tar.age.",
            metavar="PATH",
            callback=named,
        ),
    ],
    data_dir: DataDir = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Encrypt it to this age recipient; then the server's secrets go in.", metavar="AGE1"),
    ] = None,
    keep: Annotated[int, typer.Option("--keep", help="How many backups the folder keeps.", min=1, max=10_000)] = 7,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="List attached files, and copy none of them.")
    ] = False,
) -> None:
    """Copy the database and all attached files, as they are at one moment. The server may run meanwhile.

    In a folder files that are there from an earlier backup are not copied again. Nothing is overwritten, and there is
    no half backup whatever happens on the way.
    """
    with looking_after(data_dir) as settings:
        recipient = None if to is None else server.recipient_of(to)
        with database_of(settings, migrate=False) as url:
            made = asyncio.run(_make(settings, url, path.expanduser(), recipient, keep, with_files=not without_files))
    manifest = made.manifest
    if run.json:
        run.result(
            {
                "path": str(made.path),
                "taken_at": manifest.taken_at,
                "accounts": manifest.counts.accounts,
                "records": manifest.counts.records,
                "files": manifest.files,
                "file_bytes": manifest.file_bytes,
                "copied": made.copied,
                "reused": made.reused,
                "missing": len(manifest.missing),
                "encrypted": made.encrypted,
                "holds_secrets": made.holds_secrets,
            }
        )
        return
    counts = manifest.counts
    run.line(
        f"Backed up to {made.path}: {number_of(counts.accounts, 'account')}, {number_of(counts.records, 'record')}."
    )
    if without_files:
        run.line(f"Attached files are listed and not in it: {manifest.files:,}, {size_of(manifest.file_bytes)}.")
    else:
        run.line(
            f"Attached files: {manifest.files:,}, {size_of(manifest.file_bytes)}; {made.copied:,} copied now, "
            f"{made.reused:,} there from before."
        )
    if manifest.missing:
        files = number_of(len(manifest.missing), "attached file is", "attached files are")
        run.note(f"{files} not in the store, or not whole, and so not in the backup. lockleaf admin doctor says more.")
    if not made.holds_secrets:
        run.note(
            "The server's own secrets are not in it. Keep them apart (secrets.json in the data folder, or SECRET_KEY): "
            "without them everybody has to log in again after a restore, networks have to be connected again, and "
            "second factors set up anew. A backup that is encrypted (--to) holds them."
        )


async def _make(
    settings: server.Settings, url: str, path: Path, recipient: str | None, keep: int, *, with_files: bool
) -> server.BackupMade:
    store = server.open_store(settings, server.load_keys(settings), server.Clock())
    try:
        return await server.back_up(
            url,
            store,
            path,
            recipient=recipient,
            with_files=with_files,
            keep=keep,
            secrets=server.secrets_of(settings),
        )
    except server.asyncpg.UndefinedTableError:
        raise Complaint(
            "The database has no schema of Lockleaf's, so there is nothing to back up.", ExitCode.LOCAL, "SchemaBehind"
        ) from None
    except (OSError, server.asyncpg.PostgresError):
        raise unavailable() from None
    finally:
        await store.close()


def unavailable() -> Complaint:
    """Return what is said where the database fails: the text of its error can hold its address."""
    return Complaint(
        "The database cannot be reached, or refuses. Check its address, that it runs, and the rights of its user; then "
        "run this again.",
        ExitCode.UNREACHABLE,
        "DatabaseUnavailable",
    )


def size_of(count: int) -> str:
    """Return a number of bytes for a person."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"

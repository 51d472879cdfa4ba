"""``archive``: everything that the server holds of the account, as it holds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run

if TYPE_CHECKING:
    from lockleaf.client.account.archive import Archive
    from lockleaf.client.client import Client

__all__ = ["install", "save"]

PANEL = "Account"


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "archive", panel=PANEL)(archive)


async def archive(
    run: Run,
    file: Annotated[Path, typer.Argument(help="The ZIP file to write.", metavar="FILE", dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file if it is there.")] = False,
) -> None:
    """Save everything that the server holds of your account, as it holds it: what is sealed stays sealed.

    The server makes the archive in the background; this waits for it. Your password opens what is in it.
    """
    async with run.client() as client:
        saved = await save(run, client, file, force=force)
    if run.json:
        run.result({"file": str(saved.path), "bytes": saved.size, "sha256": saved.sha256.hex()})
        return
    run.line(f"Saved {saved.size:,} bytes to {saved.path}.")


async def save(run: Run, client: Client, file: Path, *, force: bool) -> Archive:
    """Write the archive of an account to a file, and return what was written.

    Raises:
        Complaint: a file is there, or it cannot be written.
    """
    with progress_bars(run) as move:
        try:
            return await client.fetch_archive(file, move, overwrite=force)
        except FileExistsError:
            raise Complaint(f"{file} is there already. --force replaces it.", ExitCode.CONFLICT, "FileExists") from None
        except OSError as error:
            raise Complaint(f"{file} cannot be written: {error.strerror}.", ExitCode.LOCAL) from None

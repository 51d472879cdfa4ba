"""``worker``: doing a server's background work beside it."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.cli.serve import PANEL, DataDir, named, on_terminal, settings_of
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "worker", panel=PANEL)(worker)


def worker(
    run: Run,
    data_dir: DataDir = None,
    log_format: Annotated[
        Literal["json", "console"] | None,
        typer.Option("--log-format", help="How the worker writes its log; console on a terminal, else json."),
    ] = None,
) -> None:
    """Do the background work of servers that share the database of DATABASE_URL.

    A server with a database of its own does it by itself. Of several workers one does each job; they replace another.
    """
    settings = on_terminal(settings_of(data_dir, log_format))
    if settings.database.url is None:
        raise Complaint(
            "DATABASE_URL is not set. A server with a database of its own does its background work itself: "
            "`lockleaf serve` is all it needs.",
            ExitCode.USAGE,
        )

    def announce() -> None:
        if run.json:
            run.result({"pid": os.getpid(), "concurrency": settings.jobs.concurrency})
        else:
            run.line(f"Taking jobs, {settings.jobs.concurrency} at a time. Ctrl-C stops it.")
        run.flush()

    try:
        server.work(settings, settings.database.url.get_secret_value(), announce=announce)
    except (server.SchemaBehind, server.SecretsMissing, server.SecretsDamaged) as error:
        raise named(error) from error
    except Exception as error:
        # Its own text can hold the address, and with it the database's password.
        reason = server.why_unusable(error)
        if reason is None:
            raise
        raise Complaint(reason, ExitCode.LOCAL, "ServeError") from None

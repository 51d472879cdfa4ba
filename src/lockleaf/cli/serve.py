"""``serve``: running a server on this machine."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lockleaf.cli import screen
from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["MIGRATE", "install", "looking_after", "named", "on_terminal", "settings_of"]

PANEL = "Server"
MIGRATE = "lockleaf admin migrate"
"""What to type next where the schema of a database is an earlier one."""

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where the server keeps its data.", envvar="LOCKLEAF_DATA_DIR", show_envvar=True,
                 metavar="FOLDER", file_okay=False),
]  # fmt: skip


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "serve", panel=PANEL)(serve)


def serve(
    run: Run,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.", metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The port; 0 takes a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option("--workers", help="How many processes serve.", min=1, max=256)] = 1,
    data_dir: DataDir = None,
    log_format: Annotated[
        Literal["json", "console"] | None,
        typer.Option("--log-format", help="How the server writes its log; console on a terminal, else json."),
    ] = None,
    dev: Annotated[
        bool,
        typer.Option("--dev", help="For development: pages of any origin may call it, and placeholder secrets do."),
    ] = False,
) -> None:
    """Run a server. It brings its own database, unless DATABASE_URL names one."""
    settings = on_terminal(settings_of(data_dir, log_format, development=dev))
    if dev and not settings.cors.origins:
        settings = settings.model_copy(update={"cors": settings.cors.model_copy(update={"origins": ("*",)})})

    try:
        server.serve(settings, host=host, port=port, workers=workers, announce=lambda running: _announce(run, running))
    except Exception as error:
        raise named(error) from error


def on_terminal(settings: server.Settings) -> server.Settings:
    """Let the log be for a person where one reads it, unless somebody said what it shall be."""
    if settings.log_format is not None or "format" in settings.log.model_fields_set or not sys.stderr.isatty():
        return settings
    return settings.model_copy(update={"log": settings.log.model_copy(update={"format": "console"})})


def settings_of(data_dir: Path | None, log_format: str | None = None, *, development: bool = False) -> server.Settings:
    """Return the server's settings: the environment's and those of ``.env``, and over them what the command line says.

    Raises:
        Complaint: a setting is invalid.
    """
    if log_format is not None:
        os.environ["LOCKLEAF_LOG__FORMAT"] = log_format
    given: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    if development:
        given["environment"] = "development"
    try:
        settings = server.Settings(**given)
        return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})
    except RuntimeError:
        raise Complaint(
            "There is no home folder to keep the server's data in: HOME is not set, and the system does not know this "
            "user. Name a folder: --data-dir FOLDER or LOCKLEAF_DATA_DIR.",
            ExitCode.USAGE,
            "InvalidFolder",
        ) from None
    except (OSError, UnicodeDecodeError):
        raise Complaint(
            "The file .env in this folder cannot be read as text. Make it readable, in UTF-8, or start the server in "
            "another folder.",
            ExitCode.USAGE,
            "InvalidSettings",
        ) from None
    except server.ValidationError as error:
        # Its own text is not shown: it could quote a secret.
        wrong = "; ".join(_wrong(item["loc"], item["type"], item["msg"]) for item in error.errors())
        raise Complaint(f"The server's settings are wrong. {wrong}.", ExitCode.USAGE, "InvalidSettings") from None


def _wrong(place: tuple[Any, ...], kind: str, message: str) -> str:
    """Return what is wrong with a setting, by the variable that sets it."""
    said = message.removeprefix("Value error, ")
    if not place:
        return said  # of several together: it names them
    variable = _variable(place)
    if kind != "extra_forbidden":
        return f"{variable}: {said}"
    group = server.Settings.model_fields[place[0]].annotation
    known = [_variable((place[0], name)) for name in getattr(group, "model_fields", ())]
    close = difflib.get_close_matches(variable, known, 1)
    return f"{variable}: there is no such setting" + (f"; did you mean {close[0]}?" if close else "")


def _variable(place: tuple[Any, ...]) -> str:
    if str(place[0]).isupper():  # a short name
        return str(place[0])
    if place == ("database", "url"):
        return "DATABASE_URL"
    return "LOCKLEAF_" + "__".join(str(part).upper() for part in place[:2])


def named(error: Exception) -> Exception:
    """Return what the server says about why it cannot run as a complaint; any other exception as it is."""
    if isinstance(
        error,
        (
            server.ServeError,
            server.EmbeddedPostgresError,
            server.FolderUnusable,
            server.SchemaBehind,
            server.SecretsMissing,
            server.SecretsDamaged,
        ),
    ):
        hint = MIGRATE if isinstance(error, server.SchemaBehind) else None
        return Complaint(str(error), ExitCode.LOCAL, type(error).__name__, hint)
    if isinstance(error, server.MaintenanceError):
        refused = isinstance(error, (server.DatabaseInUse, server.DatabaseNotEmpty))
        unusable = isinstance(error, (server.BackupDamaged, server.BackupUnreadable, server.IdentityRequired))
        code = ExitCode.CONFLICT if refused else ExitCode.INPUT if unusable else ExitCode.LOCAL
        return Complaint(str(error), code, type(error).__name__)
    if isinstance(error, (server.DumpError, server.DumpToolsMissing, server.StorageFull, server.StoreUnavailable)):
        return Complaint(str(error), ExitCode.LOCAL, type(error).__name__)
    return error


@contextmanager
def looking_after(data_dir: Path | None) -> Iterator[server.Settings]:
    """Give the settings to a command that looks after a server, and complain in place of what the server raises.

    Of what the server logs, only warnings are shown.

    Raises:
        Complaint: a setting is invalid, or what the command asks cannot be done.
    """
    settings = settings_of(data_dir)
    server.logging.configure("console", "WARNING")
    try:
        yield settings
    except Exception as error:
        said = named(error)
        if said is error:
            raise
        raise said from error


def _announce(run: Run, running: server.Running) -> None:
    if run.json:
        run.result(
            {
                "url": running.url,
                "docs": f"{running.url}/docs",
                "data_dir": str(running.data_dir),
                "database": "embedded" if running.embedded else "external",
                "workers": running.workers,
                "pid": os.getpid(),
            }
        )
        run.flush()
        return

    table = screen.Table.grid(padding=(0, 2))
    rows = (
        ("API", f"{running.url}/docs"),
        ("data", str(running.data_dir)),
        ("database", "embedded PostgreSQL, in the data folder" if running.embedded else "external (DATABASE_URL)"),
        ("workers", str(running.workers)),
    )
    for label, value in rows:
        table.add_row(screen.Text(label, style="dim"), screen.Text(value, no_wrap=True, overflow="fold"))
    run.show(screen.Text.assemble(("Lockleaf runs at ", "bold"), (running.url, "bold cyan")))
    run.show(table)
    run.line(f"next: lockleaf register --server {running.url} --email you@example.org")
    run.show(screen.Text("Ctrl-C stops it.", style="dim"))
    run.flush()

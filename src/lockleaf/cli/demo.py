"""``demo``: a server with people in it, to look around."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lockleaf.cli import demonstration
from lockleaf.cli import server_parts as server
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.cli.serve import named, settings_of

__all__ = ["install"]

PANEL = "Server"


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "demo", panel=PANEL)(demo)


def demo(
    run: Run,
    port: Annotated[int, typer.Option("--port", help="The port; 0 takes a free one.", min=0, max=65535)] = 8000,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Keep everything in this folder; else it is deleted at the end.",
                     metavar="FOLDER", file_okay=False),
    ] = None,
) -> None:  # fmt: skip
    """Run a server with four people's journals in it, and say how to look at each.

    One has two devices, a conflict that waits for a decision, something in the inbox, files, and a search index.
    """
    with _place(folder) as place:
        settings = settings_of(place / "server", "console")
        settings = demonstration.unhindered(settings)
        settings = settings.model_copy(update={"environment": "development", **_quiet(settings)})
        if settings.database.url is not None:
            raise Complaint(
                "The demonstration brings its own database. Unset DATABASE_URL, or start it in a folder without a .env."
            )

        def announce(running: server.Running) -> None:
            # Beside the supervisor, which goes on looking after its workers.
            threading.Thread(target=_furnish, args=(run, running, settings, place), daemon=True).start()

        try:
            server.serve(settings, host="127.0.0.1", port=port, workers=1, announce=announce)
        except Exception as error:
            raise named(error) from error


def _quiet(settings: server.Settings) -> dict[str, Any]:
    """Leave the terminal to what the demonstration says, unless somebody asked for a log."""
    if "LOCKLEAF_LOG__LEVEL" in os.environ:
        return {}
    return {"log": settings.log.model_copy(update={"level": "WARNING"})}


@contextlib.contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder.expanduser().absolute()
        return
    with tempfile.TemporaryDirectory(prefix="lockleaf-demo-") as made:
        yield Path(made)


def _furnish(run: Run, running: server.Running, settings: server.Settings, place: Path) -> None:
    """Make what is to be seen, unless it is there from an earlier run, and say how to look at it."""
    try:
        if not (place / "profiles").exists():
            asyncio.run(_make(run, running, settings, place))
    except Exception as error:
        # In a thread nobody would hear of it, and a server with half a demonstration in it shows nothing.
        run.note(f"The demonstration could not be made: {type(error).__name__}. {error}")
        os.kill(os.getpid(), signal.SIGTERM)
        return
    _tell(run, running.url, place)


async def _make(run: Run, running: server.Running, settings: server.Settings, place: Path) -> None:
    async with demonstration.post_office(settings, running.database_url) as deliver:
        await demonstration.seed(
            running.url,
            place,
            today=datetime.now(UTC).astimezone().date(),
            deliver=deliver,
            progress=lambda what: run.note(f"making {what} ..."),
        )


def _tell(run: Run, url: str, place: Path) -> None:
    steps = demonstration.guide(url, place)
    if run.json:
        run.result({"url": url, "home": str(place), "steps": [step._asdict() for step in steps]})
    else:
        run.line("")
        run.line(f"The demonstration runs at {url} . In another terminal:")
        for step in steps:
            run.line("")
            run.line(f"  # {step.about}")
            for line in step.commands:
                run.line(f"  {line}")
        run.line("")
        run.line("Ctrl-C ends it.")
    run.flush()

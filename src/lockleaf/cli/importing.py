"""``import``: bringing in a journal that was kept elsewhere."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Annotated

import typer

from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run

__all__ = ["install"]

PANEL = "Journal"
_CHUNK = 1024 * 1024


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "import", panel=PANEL)(import_file)


async def import_file(
    run: Run,
    file: Annotated[
        Path,
        typer.Argument(
            help="A JSON Lines file, plain or gzip.", metavar="FILE", exists=True, dir_okay=False, show_default=False
        ),
    ],
) -> None:
    """Import entries: one JSON object a line, with date and text, and title, mood, tags, id if there are.

    Running it again adds nothing twice, on whichever of your devices.
    """
    from lockleaf.client.importers import read_jsonl  # noqa: PLC0415

    async with run.client() as client:
        with progress_bars(run) as progress:
            total = count_lines(file) if progress else None
            report = await client.journal.import_entries(read_jsonl(file), progress, total=total)
    if run.json:
        run.result({"added": report.added, "present": report.present})
        return
    run.line(f"{report.added:,} entries added, {report.present:,} were here already.")
    if report.added:
        run.note("lockleaf sync carries them to your other devices.")


def count_lines(file: Path) -> int | None:
    """Return about how many entries a file has, for a bar; None where it cannot be told."""
    lines = 0
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                lines += chunk.count(b"\n")
    except (OSError, EOFError):
        return None
    return lines

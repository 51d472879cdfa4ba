"""``import``: bringing in a journal that was kept elsewhere, or that this program exported."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable

if TYPE_CHECKING:
    from lockleaf.client import ImportReport, Remark

__all__ = ["import_json", "install"]

PANEL = "Journal"
_CHUNK = 1024 * 1024
_MOST = 20
"""So many remarks of a kind are shown to a person; ``--json`` gives all."""


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "import", panel=PANEL)(import_file)


async def import_file(
    run: Run,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON Lines or a JSON array, plain or gzip.",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ],
    update: Annotated[
        bool, typer.Option("--update", help="Make entries that are here what the file says of them.")
    ] = False,
) -> None:
    """Import entries: one JSON object a line, with date and text, and title, mood, tags, id and so on if there are.

    Running it again adds nothing twice, on whichever of your devices. What list, show and search write with --json
    comes back as it was. Lines that cannot be read are named, and everything else comes in.
    """
    from lockleaf.client.journal.importers import read_jsonl  # noqa: PLC0415

    async with run.client() as client:
        with progress_bars(run) as progress:
            total = count_lines(file) if progress else None
            report = await client.journal.import_entries(read_jsonl(file), progress, total=total, update=update)
    if run.json:
        run.result(import_json(report))
    else:
        _tell(run, report, file)
    if not report.is_complete:
        raise typer.Exit(ExitCode.INPUT)


def import_json(report: ImportReport) -> dict[str, Any]:
    """Return what an import did as ``--json`` writes it."""

    def listed(kind: str) -> list[dict[str, Any]]:
        return [{"place": each.place, "reason": each.reason, "id": each.entry_id} for each in report.of(kind)]

    kinds = {"skipped": "skipped", "differing": "differs", "second": "second", "repeated": "repeats"}
    return {
        "added": report.added,
        "present": report.present,
        "updated": report.updated,
        **{name: listed(kind) for name, kind in kinds.items()},
        "changed": listed("changed"),
    }


def _tell(run: Run, report: ImportReport, file: Path) -> None:
    updated = f"{report.updated:,} updated, " if report.updated else ""
    run.line(f"{_entries(report.added)} added, {updated}{report.present:,} were here already.")
    _list(run, report.of("changed"), "Changed on the way in")
    _list(run, report.of("second"), "Kept as an entry of its own")
    _list(run, report.of("repeats"), "In the file twice, and kept once")
    differing, skipped = report.of("differs"), report.of("skipped")
    # What did not come in is said whatever was asked: it is the result of the command.
    _list(run, differing, "Left as it is here", always=True)
    _list(run, skipped, "Not imported", always=True)
    if differing:
        _say(run, f"{len(differing):,} differ from what is here: lockleaf import --update {file} takes them as edits.")
    if skipped:
        _say(run, f"{len(skipped):,} not imported. Correct them and import the file again: nothing comes in twice.")
    if report.added or report.updated:
        run.note("lockleaf sync carries them to your other devices.")


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _list(run: Run, remarks: tuple[Remark, ...], what: str, *, always: bool = False) -> None:
    for each in remarks[:_MOST]:
        text = f"{what}: {each.place}: {each.reason}."
        _say(run, text) if always else run.note(text)
    if len(remarks) > _MOST:
        text = f"{what}: {len(remarks) - _MOST:,} more; --json names them all."
        _say(run, text) if always else run.note(text)


def _say(run: Run, text: str) -> None:
    run.err.print(printable(text), markup=False, soft_wrap=not run.err.is_terminal)


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

"""``import``: bringing in a journal that was kept elsewhere, or that this program exported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.counting import number_of
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode

__all__ = ["import_json", "install"]

PANEL = "Journal"
_MOST = 20
"""So many remarks of a kind are shown to a person; ``--json`` gives all."""


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "import", panel=PANEL)(import_journal)


async def import_journal(
    run: Run,
    path: Annotated[
        Path,
        typer.Argument(
            help="A file, an archive or a folder.",
            metavar="PATH",
            exists=True,
            show_default=False,
        ),
    ],
    importer: Annotated[
        str | None,
        typer.Option("--from", help="The format, such as dayone; else what the content shows.", metavar="FORMAT"),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Make entries that are here what the source says of them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be imported, and import nothing.")] = False,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="Where times without a zone were written: Europe/Vienna.", metavar="ZONE"),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Of texts that are not UTF-8, such as latin-1.", metavar="NAME")
    ] = None,
    file_dates: Annotated[
        bool, typer.Option("--file-dates", help="Date files without a date by their last change.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            help="For tables: which column holds a field, such as text=Notes. Repeatable.",
            metavar="FIELD=NAME",
        ),
    ] = None,
) -> None:
    """Import a journal: of Day One, Obsidian, jrnl and others, a folder of Markdown, or one that Lockleaf exported.

    Everything is read on this device. Running it again adds nothing twice, on whichever of your devices, and goes on
    where it was interrupted. What cannot be read is named, and everything else comes in.
    """

    options = sdk.ImportOptions(
        encoding=_known_encoding(encoding),
        time_zone=_known_zone(time_zone),
        file_dates=file_dates,
        columns=_mapped(columns or []),
        password=prompts.password(run) if sdk.is_archive(path) else None,
    )
    async with run.client() as client:
        with progress_bars(run) as progress:
            report = await client.journal.import_from(
                path, progress, importer=importer, options=options, update=update, dry_run=dry_run
            )
    if run.json:
        run.result(import_json(report))
    else:
        _tell(run, report, path)
    if not report.is_complete:
        raise typer.Exit(ExitCode.INPUT)


def _known_encoding(name: str | None) -> str | None:
    try:
        if name is not None:
            b"".decode(name)
    except LookupError:
        raise Complaint(f"There is no encoding {name}. Use a name such as latin-1.", ExitCode.USAGE) from None
    return name


def _known_zone(name: str | None) -> str | None:
    try:
        return None if name is None else ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        raise Complaint("--time-zone takes an IANA name, such as Europe/Vienna.", ExitCode.USAGE) from None


def _mapped(columns: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in columns]
    if not all(field and name for field, _, name in pairs):
        raise Complaint("--column takes a field and a column, such as --column text=Notes.", ExitCode.USAGE)
    return {field.strip().lower(): name for field, _, name in pairs}


def import_json(report: sdk.ImportReport) -> dict[str, Any]:
    """Return what an import did as ``--json`` writes it."""

    def listed(kind: str) -> list[dict[str, Any]]:
        return [{"place": each.place, "reason": each.reason, "id": each.entry_id} for each in report.of(kind)]

    kinds = {"skipped": "skipped", "differing": "differs", "second": "second", "repeated": "repeats"}
    return {
        "format": report.importer,
        "dry_run": report.dry_run,
        "added": report.added,
        "present": report.present,
        "updated": report.updated,
        "files": report.files,
        **{name: listed(kind) for name, kind in kinds.items()},
        "changed": listed("changed"),
    }


def _tell(run: Run, report: sdk.ImportReport, path: Path) -> None:
    would = "would be " if report.dry_run else ""
    updated = f"{report.updated:,} {would}updated, " if report.updated else ""
    files = f" with {number_of(report.files, 'file')}" if report.files else ""
    present = f"{report.present:,} {'was' if report.present == 1 else 'were'} here already"
    run.line(f"{number_of(report.added, 'entry', 'entries')} {would}added{files}, {updated}{present}.")
    _list(run, report.of("changed"), "Changed on the way in")
    _list(run, report.of("second"), "Kept as an entry of its own")
    _list(run, report.of("repeats"), "In the source twice, and kept once")
    differing, skipped = report.of("differs"), report.of("skipped")
    # What did not come in is said whatever was asked: it is the result of the command.
    _list(run, differing, "Left as it is here", always=True)
    _list(run, skipped, "Not imported", always=True)
    if differing:
        some = number_of(len(differing), "differs", "differ")
        _say(run, f"{some} from what is here: lockleaf import --update {path} makes an edit of each.")
    if skipped:
        _say(run, f"{len(skipped):,} not imported. Correct them and import it again: nothing comes in twice.")
    if report.dry_run:
        run.note("Nothing was imported. Without --dry-run it is.")
    elif report.added or report.updated:
        run.note("lockleaf sync carries them to your other devices.")


def _list(run: Run, remarks: tuple[sdk.Remark, ...], what: str, *, always: bool = False) -> None:
    for each in remarks[:_MOST]:
        text = f"{what}: {each.place}: {each.reason}."
        _say(run, text) if always else run.note(text)
    if len(remarks) > _MOST:
        text = f"{what}: {len(remarks) - _MOST:,} more; --json names them all."
        _say(run, text) if always else run.note(text)


def _say(run: Run, text: str) -> None:
    run.err.print(printable(text), markup=False, soft_wrap=not run.err.is_terminal)

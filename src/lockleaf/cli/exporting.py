"""``export``: the journal of this device in plain text, in formats that other programs read."""

from __future__ import annotations

import stat
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli.counting import number_of
from lockleaf.cli.dates import entered_date
from lockleaf.cli.destinations import named
from lockleaf.cli.errors import Complaint
from lockleaf.cli.filters import Deleted, Mood, Since, Source, Tag, Until
from lockleaf.cli.options import command
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable, shown_name
from lockleaf.cli.unsaved import tell_of_drafts
from lockleaf.exit_codes import ExitCode

__all__ = ["ExportForm", "ExportFormOption", "Force", "Revisions", "end", "install", "said_by_name", "tell"]

PANEL = "Journal"
_MOST = 20
"""So many missing parts are shown to a person; ``--json`` gives all."""
_WHY = {
    "foreign": "no export made it, and it was left as it is",
    "edited": "it was changed since it was exported, and was left as it is; --force replaces it",
    "kept": "it was changed since it was exported, and is not in the journal any more; it was left as it is",
}


class ExportForm(StrEnum):
    """The formats."""

    MARKDOWN = "markdown"
    JSON = "json"
    DAYONE = "dayone"
    HTML = "html"


ExportFormOption = Annotated[
    ExportForm,
    typer.Option(
        "--format",
        help="markdown: a file an entry, and one JSON of everything; json: that alone; dayone: as Day One imports it; "
        "html: a page a year, to read and print.",
    ),
]
Revisions = Annotated[bool, typer.Option("--revisions", help="Earlier states of entries, as far as there are any.")]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        "-f",
        help="Replace a ZIP file that is there. In a folder: go on with another export, and replace edited files.",
    ),
]


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "export", panel=PANEL)(export)


async def export(
    run: Run,
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder, or a ZIP file if it ends in .zip.", metavar="PATH", show_default=False, callback=named
        ),
    ],
    form: ExportFormOption = ExportForm.MARKDOWN,
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    mood: Mood = None,
    source: Source = None,
    revisions: Revisions = False,
    deleted: Deleted = False,
    force: Force = False,
    note: Annotated[
        bool,
        typer.Option(
            "--note",
            help="Have the history of each entry say, on all devices, that it was exported. It is sealed; "
            "the server sees that a setting was changed. Without it an export changes nothing in the "
            "journal.",
        ),
    ] = False,
) -> None:
    """Write the journal in plain text: entries, and their attachments in the clear. It needs no server.

    Attachments that are not on this device are fetched. Exported again, a folder changes only where the journal did,
    and what is gone from the journal is taken away; files that are not the export's own stay. lockleaf import takes it
    back, with the same ids.
    """
    first, last = entered_date(since), entered_date(until)
    async with run.client() as client:
        tell_of_drafts(run, client)
        with progress_bars(run) as move, said_by_name(path):
            report = await client.export(
                path,
                form=form.value,
                since=first,
                until=last,
                tag=tag,
                mood=mood,
                source=source,
                revisions=revisions,
                include_deleted=deleted,
                force=force,
                note=note,
                progress=move,
            )
    tell(run, report, path)
    end(report)


def end(report: sdk.ExportReport) -> None:
    """End the command as an export ended: not well if something is missing in it, or was left.

    Raises:
        Exit: with the exit code.
    """
    if report.missing:
        raise typer.Exit(ExitCode.UNREACHABLE)
    if report.left:
        raise typer.Exit(ExitCode.CONFLICT)


class said_by_name:  # noqa: N801  (read like a function)
    """Say what is wrong with ``path`` where the system refuses it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, FileExistsError):
            said = f"{self._path} is there already. --force replaces it."
            raise Complaint(said, ExitCode.CONFLICT, "FileExists") from None
        if isinstance(error, OSError):
            raise Complaint(f"{self._path} cannot be written: {error.strerror}.", ExitCode.LOCAL) from None


def _as_json(report: sdk.ExportReport, path: Path) -> dict[str, Any]:
    """Return what an export did as ``--json`` writes it."""
    return {
        "path": str(path),
        "entries": report.entries,
        "attachments": report.attachments,
        "revisions": report.revisions,
        "written": report.written,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "conflicts": report.conflicts,
        "missing": [
            {
                "entry_id": each.entry_id,
                "kind": each.kind,
                "name": each.name,
                "media_id": each.media_id,
                "reason": each.reason,
            }
            for each in report.missing
        ],
        "left": [{"path": each.path, "kind": each.kind} for each in report.left],
    }


def tell(run: Run, report: sdk.ExportReport, path: Path) -> None:
    """Say what an export did, what is missing in it, and that it is plain text."""
    if run.json:
        run.result(_as_json(report, path))
        return
    entries = number_of(report.entries, "entry", "entries")
    files = f", {number_of(report.attachments, 'attachment')}" if report.attachments else ""
    earlier = f", {number_of(report.revisions, 'earlier revision')}" if report.revisions else ""
    run.line(f"Exported {entries}{files}{earlier} to {path}.")
    if not path.is_file():
        run.note(f"Files written: {report.written:,}; unchanged: {report.unchanged:,}; removed: {report.removed:,}.")
    _list(run, [f"Missing: {_missing(each)}" for each in report.missing])
    _list(run, [f"Left: {_left(each)}." for each in report.left])
    if report.missing:
        _say(run, "The same command fetches what is missing, and leaves the rest as it is.")
    run.note(f"This is plain text: whoever can read {path} can read your journal. Keep it where only you can.")
    if (mode := _open_to_others(path)) is not None:
        _say(run, f"Others on this machine may open {path} (mode {mode:o}). chmod go= {path} closes it.")


def _missing(part: sdk.MissingPart) -> str:
    if part.kind == "entry":
        return f"entry {part.entry_id[:8]}: {part.reason}"
    if part.kind == "revisions":
        return f"earlier revisions of entry {part.entry_id[:8]}: {part.reason}"
    return f"{shown_name(part.name or '')} of entry {part.entry_id[:8]}: {part.reason}"


def _left(left: sdk.Left) -> str:
    return f"{shown_name(left.path)}: {_WHY[left.kind]}"


def _open_to_others(path: Path) -> int | None:
    """Return the mode of a path that others than its owner may open."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return mode if mode & 0o077 else None


def _list(run: Run, lines: list[str]) -> None:
    for line in lines[:_MOST]:
        _say(run, line)
    if len(lines) > _MOST:
        _say(run, f"{len(lines) - _MOST:,} more; --json names them all.")


def _say(run: Run, text: str) -> None:
    run.err.print(printable(text), markup=False, soft_wrap=not run.err.is_terminal)

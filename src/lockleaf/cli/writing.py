"""``write``, ``edit``, ``delete`` and ``restore``: everything works without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockleaf.cli.completion import complete_entry
from lockleaf.cli.dates import entered_date
from lockleaf.cli.editor import Draft
from lockleaf.cli.errors import Complaint
from lockleaf.cli.exit_codes import ExitCode
from lockleaf.cli.options import command
from lockleaf.cli.rendering import entry_json
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import given_text

if TYPE_CHECKING:
    from lockleaf.client.entries import Entry

__all__ = ["install"]

PANEL = "Journal"

EntryId = Annotated[
    str,
    typer.Argument(help="The entry's id, or its first four characters or more.", metavar="ID",
                   autocompletion=complete_entry, show_default=False),
]  # fmt: skip
Title = Annotated[str | None, typer.Option("--title", "-t", help="A title.", metavar="TEXT")]
Mood = Annotated[str | None, typer.Option("--mood", "-m", help="A mood, in a word or an emoji.", metavar="TEXT")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given several times.", metavar="TEXT")]
Date = Annotated[
    str | None,
    typer.Option("--date", "-d", help="today, yesterday, 2026-11-21, or a time with its zone.", metavar="DATE"),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="A number of your own, such as sleep_hours=7.5; may be given several times.",
                 metavar="NAME=VALUE"),
]  # fmt: skip
TimeZone = Annotated[str | None, typer.Option("--time-zone", help="An IANA name such as Europe/Paris.", metavar="NAME")]


BaseVersion = Annotated[
    str | None,
    typer.Option("--base", help="The version (of --json) that you saw: if the entry is another by now, nothing of it"
                 " is overwritten.", metavar="VERSION"),
]  # fmt: skip


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "write", panel=PANEL)(write)
    command(app, "edit", panel=PANEL)(edit)
    command(app, "delete", panel=PANEL)(delete)
    command(app, "restore", panel=PANEL)(restore)


async def write(
    run: Run,
    text: Annotated[
        str | None,
        typer.Argument(help="The text; - reads it from standard input; without it your editor opens.", metavar="TEXT",
                       show_default=False),
    ] = None,
    title: Title = None,
    mood: Mood = None,
    tag: Tags = None,
    date: Date = None,
    time_zone: TimeZone = None,
    metric: Metrics = None,
) -> None:  # fmt: skip
    """Write an entry and print its id."""
    when = entered_date(date)
    fields: dict[str, Any] = {"title": title, "mood": mood, "tags": tag or (), "date": when, "time_zone": time_zone}
    fields["metrics"] = given_metrics(metric)
    async with run.client() as client:
        if text is not None:
            body = given_text(text) or ""
            if not body.strip():
                raise Complaint("The text is empty, so nothing was written.", ExitCode.INPUT, "EmptyText")
            written = await client.journal.write(body=body, **fields)
        else:
            _ = await client.journal.count()  # not logged in? better to hear it before an hour in the editor
            with Draft(run) as draft:
                typed = draft.write()
                if typed is None:
                    run.note("Nothing was typed, so nothing was written.")
                    return
                written = await client.journal.write(body=typed, **fields)
    _tell(run, written)


async def edit(
    run: Run,
    entry: EntryId,
    text: Annotated[
        str | None,
        typer.Argument(help="The new text; - reads it from standard input.", metavar="TEXT", show_default=False),
    ] = None,
    title: Title = None,
    mood: Mood = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="The tags from now on; may be given several times.", metavar="TEXT"),
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    date: Date = None,
    time_zone: TimeZone = None,
    metric: Metrics = None,
    base: BaseVersion = None,
) -> None:
    """Change an entry. What is not given stays; without anything given your editor opens on the text.

    An empty --title, --mood or --metric (NAME=) removes it. If another device or program changes the entry while your
    editor is open, both changes are merged; where they cannot be, both texts are kept, as a conflict.
    """
    if tag and no_tags:
        raise Complaint("--tag and --no-tags exclude each other.")
    given: dict[str, Any] = {
        "title": title,
        "mood": mood,
        "tags": () if no_tags else tag,
        "date": entered_date(date),
        "time_zone": time_zone,
        "metrics": given_metrics(metric) or None,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    body = given_text(text)
    if body is not None:
        changes["body"] = body
    from lockleaf.client.errors import EditConflict  # noqa: PLC0415

    async with run.client() as client:
        refused: EditConflict | None = None
        if changes:
            changed = await client.journal.edit(entry, base=base, **changes)
        elif base is not None:
            raise Complaint("--base goes with what is to be changed: the editor shows the entry as it is.")
        else:
            present = await client.journal.get(entry)
            if present.deleted:
                raise Complaint(
                    "The entry is deleted. Bring it back with lockleaf restore.", ExitCode.NOT_FOUND, "Deleted"
                )
            with Draft(run, present.body + "\n") as draft:
                typed = draft.write()
                if typed is None:
                    run.note("Nothing was changed.")
                    return
                try:
                    changed = await client.journal.edit(present.id, base=present, body=typed)
                except EditConflict as error:
                    refused = error
        if refused is not None:
            raise refused  # the text is in the conflict, and its draft need not stay
    _tell(run, changed)
    if changed.merged:
        run.note("The entry had changed since you opened it. Both changes are in it now.")


async def delete(run: Run, entry: EntryId, base: BaseVersion = None) -> None:
    """Delete an entry. This device keeps its text, so that it can be restored."""
    async with run.client() as client:
        deleted = await client.journal.delete(entry, base=base)
    _tell(run, deleted)


async def restore(
    run: Run,
    entry: EntryId,
    revision: Annotated[
        str | None,
        typer.Option("--revision", help="The words of this revision, which lockleaf history numbers.",
                     metavar="NUMBER"),
    ] = None,
    base: BaseVersion = None,
) -> None:  # fmt: skip
    """Bring a deleted entry back, or the words that an entry had before. What it has now stays a revision of it."""
    async with run.client() as client:
        found = None if revision is None else await client.revision(entry, revision)
        if found is not None and found.entry is None:
            raise Complaint("That revision is a deletion: it has no words.", ExitCode.NOT_FOUND, "NoText")
        restored = await client.journal.restore(entry, base=base, revision=found)
    _tell(run, restored)


def given_metrics(given: list[str] | None) -> dict[str, float | None]:
    """Return what ``--metric`` was given, by name; None for a number that is taken away.

    Raises:
        Complaint: one is no NAME=VALUE.
    """
    metrics: dict[str, float | None] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        try:
            metrics[name.strip()] = float(value) if value.strip() else None
        except ValueError:
            equals = ""
        if not equals:
            raise Complaint("--metric takes a name and a number, such as sleep_hours=7.5.")
    return metrics


def _tell(run: Run, entry: Entry) -> None:
    if run.json:
        run.result(entry_json(entry) | ({"merged": True} if entry.merged else {}))
        return
    run.line(entry.id)
    if run.interactive:
        run.note("Kept on this device. lockleaf sync carries it to your others.")

"""``write``, ``edit``, ``delete`` and ``restore``: everything works without a server."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli.dates import entered_date
from lockleaf.cli.drafts import go_on_with
from lockleaf.cli.editor import Draft, Task
from lockleaf.cli.entry_ids import EntryId
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.piping import body_of, refused_bytes
from lockleaf.cli.rendering import entry_json
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import text_encoding
from lockleaf.cli.unsaved import tell_of_drafts
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Journal"

Title = Annotated[str | None, typer.Option("--title", "-t", help="A title.", metavar="TEXT")]
Mood = Annotated[str | None, typer.Option("--mood", "-m", help="A mood, in a word or an emoji.", metavar="TEXT")]
Weather = Annotated[str | None, typer.Option("--weather", help="What the weather was, in words.", metavar="TEXT")]
Location = Annotated[str | None, typer.Option("--location", help="Where it was, in words.", metavar="TEXT")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given several times.", metavar="TEXT")]
Date = Annotated[
    str | None,
    typer.Option(
        "--date",
        "-d",
        help="today, 3 days ago, last monday, 2026-11-21, or a time with its zone. One that ends in Z is "
        "an instant: it is kept as this device's clock showed it then.",
        metavar="DATE",
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help="A number of your own, such as sleep_hours=7.5; may be given several times.",
                 metavar="NAME=VALUE"),
]  # fmt: skip
DraftOption = Annotated[
    str | None, typer.Option("--draft", help="Go on with this draft: lockleaf drafts shows them.", metavar="ID")
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", help="What a text from standard input or a draft is encoded in, if not in UTF-8.",
                 metavar="NAME"),
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
        typer.Argument(help="The text; - reads it from standard input, as does a pipe without it. In a terminal your"
                       " editor opens.", metavar="TEXT", show_default=False),
    ] = None,
    title: Title = None,
    mood: Mood = None,
    weather: Weather = None,
    location: Location = None,
    tag: Tags = None,
    date: Date = None,
    time_zone: TimeZone = None,
    metric: Metrics = None,
    draft: DraftOption = None,
    encoding: Encoding = None,
) -> None:  # fmt: skip
    """Write an entry and print its id.

    On a command line a text stays in the shell's history, and others on the machine see it while the command runs. The
    editor and a pipe show it to nobody.
    """
    when = entered_date(date)
    fields: dict[str, Any] = {
        "title": title,
        "mood": mood,
        "weather": weather,
        "location": location,
        "tags": tag or (),
        "date": when,
        "time_zone": time_zone,
        "metrics": given_metrics(metric),
    }
    charset = text_encoding(encoding)
    if draft is not None:
        if text is not None:
            raise Complaint("--draft and a text exclude each other.")
        await _go_on(run, draft, fields, charset)
        return
    body = body_of(run, text, charset)
    if body is not None:
        async with refused_bytes(run, body, fields) as kept, run.client(begin=True) as client:
            kept.drafts = client.drafts
            written = await client.journal.write(body=body.text, **fields)
            kept.settle(written.id)
        tell_of_drafts(run)
        _tell(run, written)
        return
    async with run.client(begin=True) as client:
        _ = await client.journal.count()  # not logged in? better to hear it before an hour in the editor
        tell_of_drafts(run, client)

        with Draft(run, client.drafts, Task("write", sdk.DraftContent(fields=kept_fields(fields)))) as session:
            typed = session.write()
            if typed is None:
                run.note("Nothing was typed, so nothing was written.")
                return
            written = await client.journal.write(body=typed, **fields)
            session.saved()
    _tell(run, written)


async def edit(
    run: Run,
    entry: EntryId,
    text: Annotated[
        str | None,
        typer.Argument(help="The new text; - reads it from standard input, as does a pipe with nothing else given.",
                       metavar="TEXT", show_default=False),
    ] = None,
    title: Title = None,
    mood: Mood = None,
    weather: Weather = None,
    location: Location = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", help="The tags from now on; may be given several times.", metavar="TEXT"),
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    date: Date = None,
    time_zone: TimeZone = None,
    metric: Metrics = None,
    base: BaseVersion = None,
    encoding: Encoding = None,
) -> None:  # fmt: skip
    """Change an entry. What is not given stays; without anything given your editor opens on the text.

    Text that is piped in replaces the whole text of the entry; the earlier one stays in its history.

    An empty --title, --mood, --weather, --location or --metric (NAME=) removes it. If another device or program changes
    the entry while your editor is open, both changes are merged; where they cannot be, both texts are kept, as a
    conflict.
    """
    if tag and no_tags:
        raise Complaint("--tag and --no-tags exclude each other.")
    given: dict[str, Any] = {
        "title": title,
        "mood": mood,
        "weather": weather,
        "location": location,
        "tags": () if no_tags else tag,
        "date": entered_date(date),
        "time_zone": time_zone,
        "metrics": given_metrics(metric) or None,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    body = body_of(run, text, text_encoding(encoding), otherwise=bool(changes))
    if body is not None:
        async with refused_bytes(run, body, changes, entry) as kept, run.client() as client:
            kept.drafts = client.drafts
            changed = await client.journal.edit(entry, base=base, body=body.text, **changes)
            kept.settle(changed.id)
        _tell_changed(run, changed)
        return

    async with run.client() as client:
        tell_of_drafts(run, client)
        refused: sdk.EditConflict | None = None
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

            shown = sdk.DraftContent(initial=f"{present.body}\n".encode(), base=present.version)
            with Draft(run, client.drafts, Task("edit", shown, present.id)) as draft:
                typed = draft.write()
                if typed is None:
                    run.note("Nothing was changed.")
                    return
                try:
                    changed = await client.journal.edit(present.id, base=present, body=typed)
                except sdk.EditConflict as error:
                    refused = error
                draft.saved()
        if refused is not None:
            raise refused  # the text is in the conflict, and its draft need not stay
    _tell_changed(run, changed)


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


async def _go_on(run: Run, draft: str, fields: dict[str, Any], encoding: str | None) -> None:
    async with run.client() as client:
        entry = await go_on_with(run, client, draft, kept_fields(fields), encoding)
    if entry is None:
        run.note("Nothing was changed.")
    else:
        _tell(run, entry)


def kept_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that were given, as a draft keeps them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items() if value}


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


def _tell_changed(run: Run, entry: sdk.Entry) -> None:
    _tell(run, entry)
    if entry.merged:
        run.note("The entry had changed since you opened it. Both changes are in it now.")


def _tell(run: Run, entry: sdk.Entry) -> None:
    if run.json:
        run.result(entry_json(entry) | ({"merged": True} if entry.merged else {}))
        return
    run.line(entry.id)
    if run.interactive:
        run.note("Kept on this device. lockleaf sync carries it to your others.")

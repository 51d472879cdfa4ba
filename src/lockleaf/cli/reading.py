"""``list`` and ``show``: reading what is on this device."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.counting import number_of
from lockleaf.cli.dates import entered_date
from lockleaf.cli.entry_ids import EntryId
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import attachment_lines
from lockleaf.cli.filters import Deleted, Mood, Since, Source, Tag, Until
from lockleaf.cli.options import command
from lockleaf.cli.rendering import entries_table, entry_json, entry_view, revision_json, revisions_table
from lockleaf.cli.run import Run
from lockleaf.cli.unsaved import tell_of_drafts
from lockleaf.exit_codes import ExitCode

__all__ = ["Everything", "Limit", "install"]

PANEL = "Journal"
_USUAL = 20

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.", metavar="NUMBER")]
Everything = Annotated[bool, typer.Option("--all", "-a", help="All of them.")]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "list", panel=PANEL)(list_entries)
    command(app, "show", panel=PANEL)(show)
    command(app, "history", panel=PANEL)(history)


async def list_entries(
    run: Run,
    limit: Limit = _USUAL,
    everything: Everything = False,
    since: Since = None,
    until: Until = None,
    tag: Tag = None,
    mood: Mood = None,
    source: Source = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the server instead of this device; what it gives is not verified.")
    ] = False,
    unsynced: Annotated[
        bool,
        typer.Option(
            "--unsynced",
            help="Only what is not known to be at the server; after a sync that found its history wrong, "
            "that is everything.",
        ),
    ] = False,
    deleted: Deleted = False,
) -> None:
    """List entries, newest first. With --json one object a line."""
    first, last = entered_date(since), entered_date(until)
    filters = {"since": first, "until": last, "tag": tag, "mood": mood, "source": source}
    if remote:
        if unsynced or deleted:
            raise Complaint("--remote shows neither deleted entries nor those that were never synced.")
        async with run.client() as client:
            listed, complete = await _from_server(client, None if everything else limit, filters)
            dated = client.profile is not None and client.profile.custody != "e2e"
        _print(run, listed, None)
        if not complete and not dated:
            run.note("The newest of those that came to the server last; --all looks through all of them.")
        run.note("As the server lists them: what is left out, only lockleaf sync would notice.")
        return
    filtered = any(value is not None for value in filters.values())
    whole = everything or unsynced or deleted
    async with run.client() as client:
        tell_of_drafts(run, client)
        entries = await client.journal.list(
            since=first,
            until=last,
            tag=tag,
            mood=mood,
            source=source,
            include_deleted=deleted,
            unsynced=unsynced,
            limit=None if whole else limit,
        )
        count = await client.journal.count()
        fitting = len(entries) if whole else await client.journal.count(**filters) if filtered else count
        entries = entries if everything else entries[:limit]
    _print(run, entries, fitting, anything=bool(entries) or count > 0, counted=whole or filtered)


async def _from_server(
    client: sdk.Client, limit: int | None, wanted: dict[str, str | None]
) -> tuple[list[sdk.Entry], bool]:
    """Return entries, newest first, and whether all were looked at.

    A server that was not told their dates lists them as they came, those of one push in any order.
    """
    entries: list[sdk.Entry] = []
    cursor: str | None = None
    while limit is None or len(entries) < limit:
        page = await client.search.entries_page(**wanted, cursor=cursor, limit=100)
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
    entries.sort(key=lambda entry: entry.local_time, reverse=True)
    return entries[:limit], cursor is None


async def show(
    run: Run,
    entry: EntryId,
    body: Annotated[bool, typer.Option("--body", help="The text alone, to the letter.")] = False,
    revision: Annotated[
        str | None,
        typer.Option("--revision", help="As it was then: lockleaf history numbers the revisions.", metavar="NUMBER"),
    ] = None,
) -> None:
    """Show one entry."""
    async with run.client() as client:
        tell_of_drafts(run, client)
        if revision is None:
            found = await client.journal.get(entry)
            files = await client.media.list(found.id) if found.attachments else []
        else:
            found, files = _of(await client.revision(entry, revision)), []
    if run.json:
        run.result(entry_json(found))
    elif body:
        # Bytes, so that line ends stay as they were written.
        sys.stdout.flush()
        sys.stdout.buffer.write(found.body.encode())
    else:
        run.show(entry_view(found))
        _show_attachments(run, files)


def _of(revision: sdk.Revision) -> sdk.Entry:
    if revision.entry is None:
        raise Complaint("That revision is a deletion: it has no words.", ExitCode.NOT_FOUND, "NoText")
    return revision.entry


async def history(run: Run, entry: EntryId, limit: Limit = _USUAL) -> None:
    """List what an entry held before and holds now, newest first. What was overwritten can be read again.

    Revisions come from the server. Numbers with a u are texts that were replaced on this device before they were sent.
    """
    async with run.client() as client:
        try:
            found = await client.history(entry, limit=limit)
        except (sdk.TransportError, sdk.NotLoggedIn) as error:
            found = await client.history(entry, limit=limit, offline=True)
            if not found:
                raise
            run.note(f"Only what this device has: {error}")
    if run.json:
        for each in found:
            run.result(revision_json(each))
        return
    if not found:
        run.note("There is nothing but the entry as it is.")
        return
    run.show(revisions_table(found, run.out.width))
    run.note("lockleaf show ID --revision NUMBER reads one; lockleaf restore ID --revision NUMBER brings it back.")


def _show_attachments(run: Run, files: list[sdk.ListedAttachment]) -> None:
    if files:
        run.line("")
        for line in attachment_lines(files):
            run.show(screen.Text(f"+ {line}", style="dim"))


def _print(
    run: Run, entries: list[sdk.Entry], fitting: int | None, *, anything: bool = True, counted: bool = False
) -> None:
    """Print entries, and of how many that fit they are the first."""
    if run.json:
        for entry in entries:
            run.result(entry_json(entry))
        return
    if not entries:
        run.note("No entry fits." if anything else "No entries.")
        return
    run.show(entries_table(entries, run.out.width))
    if fitting is not None and len(entries) < fitting:
        run.note(f"{len(entries):,} of {number_of(fitting, 'entry', 'entries')}; --all shows all.")
    elif counted:
        run.note(f"{number_of(len(entries), 'entry', 'entries')}.")

"""``list`` and ``show``: reading what is on this device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lockleaf.cli.dates import entered_date
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import attachment_lines
from lockleaf.cli.options import command
from lockleaf.cli.rendering import entries_table, entry_json, entry_view
from lockleaf.cli.run import Run
from lockleaf.cli.writing import EntryId

if TYPE_CHECKING:
    from lockleaf.client.client import Client
    from lockleaf.client.entries import Entry
    from lockleaf.client.media.book import ListedAttachment

__all__ = ["Everything", "Limit", "install"]

PANEL = "Journal"
_USUAL = 20

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.", metavar="NUMBER")]
Everything = Annotated[bool, typer.Option("--all", "-a", help="All of them.")]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "list", panel=PANEL)(list_entries)
    command(app, "show", panel=PANEL)(show)


async def list_entries(
    run: Run,
    limit: Limit = _USUAL,
    everything: Everything = False,
    since: Annotated[str | None, typer.Option("--since", help="From this day on.", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to this day, it included.", metavar="DATE")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only with this tag.", metavar="TEXT")] = None,
    mood: Annotated[str | None, typer.Option("--mood", "-m", help="Only with this mood.", metavar="TEXT")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Only from there: cli, import, web, ...", metavar="TEXT")
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the server instead of this device; what it gives is not verified.")
    ] = False,
    unsynced: Annotated[bool, typer.Option("--unsynced", help="Only what the server has not confirmed.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
) -> None:
    """List entries, newest first. With --json one object a line."""
    first, last = entered_date(since), entered_date(until)
    if remote:
        if unsynced or deleted:
            raise Complaint("--remote shows neither deleted entries nor those that were never synced.")
        wanted = {"since": first, "until": last, "tag": tag, "mood": mood, "source": source}
        async with run.client() as client:
            listed = await _from_server(client, None if everything else limit, wanted)
        _print(run, listed, None)
        run.note("As the server lists them: what is left out, only lockleaf sync would notice.")
        return
    async with run.client() as client:
        entries = await client.journal.list(
            since=first,
            until=last,
            tag=tag,
            mood=mood,
            source=source,
            include_deleted=deleted,
        )
        if unsynced:
            entries = [entry for entry in entries if entry.pending]
        entries = entries if everything else entries[:limit]
        total = await client.journal.count()
    _print(run, entries, total)


async def _from_server(client: Client, limit: int | None, wanted: dict[str, str | None]) -> list[Entry]:
    entries: list[Entry] = []
    cursor: str | None = None
    while limit is None or len(entries) < limit:
        page = await client.entries_page(**wanted, cursor=cursor, limit=100)
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
    return entries[:limit]


async def show(
    run: Run,
    entry: EntryId,
    body: Annotated[bool, typer.Option("--body", help="The text alone, to the letter.")] = False,
) -> None:
    """Show one entry."""
    async with run.client() as client:
        found = await client.journal.get(entry)
        files = await client.media.list(found.id) if found.attachments else []
    if run.json:
        run.result(entry_json(found))
    elif body:
        # Bytes, so that line ends stay as they were written.
        sys.stdout.flush()
        sys.stdout.buffer.write(found.body.encode())
    else:
        run.show(entry_view(found))
        _show_attachments(run, files)


def _show_attachments(run: Run, files: list[ListedAttachment]) -> None:
    if files:
        from rich.text import Text  # noqa: PLC0415

        run.line("")
        for line in attachment_lines(files):
            run.show(Text(f"+ {line}", style="dim"))


def _print(run: Run, entries: list[Entry], total: int | None) -> None:
    if run.json:
        for entry in entries:
            run.result(entry_json(entry))
        return
    if not entries:
        run.note("No entries." if not total else "No entry fits.")
        return
    run.show(entries_table(entries, run.out.width))
    if total is not None and len(entries) < total:
        run.note(f"{len(entries):,} of {total:,} entries; --all shows all.")

"""``inbox``: what arrived for the account, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.completion import complete_item
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.rendering import printable, short_id, surroundings
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name

__all__ = ["install", "item_json"]

PANEL = "Devices and sync"

ItemId = Annotated[
    str,
    typer.Argument(help="The item's id, or its first four characters or more.", metavar="ID",
                   autocompletion=complete_item, show_default=False),
]  # fmt: skip
ItemIds = Annotated[
    list[str] | None,
    typer.Argument(help="Items, each by its id or its first four characters or more.", metavar="ID",
                   autocompletion=complete_item, show_default=False),
]  # fmt: skip


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    inbox = group(app, "inbox", panel=PANEL)(list_items)
    command(inbox, "show")(show_item)
    command(inbox, "accept")(accept)
    command(inbox, "refuse")(refuse)


async def list_items(run: Run) -> None:
    """List what arrived and waits for your decision, as the last sync found it."""
    async with run.client() as client:
        items = await client.inbox.list()
    if run.json:
        for item in items:
            run.result(item_json(item))
        return
    if not items:
        run.note("The inbox is empty.")
        return

    table = screen.Table("id", "from", "received", "item", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for item in items:
        table.add_row(
            short_id(item.id),
            screen.Text(shown_name(item.provider)),
            _local(item),
            screen.Text(printable(item.preview)) if item.readable else screen.Text("cannot be read", style="yellow"),
        )
    run.show(table)
    run.note(
        "Nobody vouches for who made these. lockleaf inbox show ID reads one, accept ID makes it an entry, "
        "refuse ID deletes it."
    )


async def show_item(run: Run, item: ItemId) -> None:
    """Show one item whole."""
    async with run.client() as client:
        found = await client.inbox.get(item)
    if run.json:
        run.result(item_json(found))
        return

    facts = [
        f"from {shown_name(found.provider)}, unauthenticated",
        f"received {_local(found)}",
        *([f"date: {found.date}"] if found.date else []),
        *(f"{name}: {printable(words)}" for name, words in surroundings(found)),
        *([f"tags: {printable(', '.join(found.tags))}"] if found.tags else []),
        short_id(found.id),
    ]
    if found.title:
        run.show(screen.Text(printable(found.title), style="bold"))
    run.show(screen.Text(" · ".join(facts), style="dim"))
    run.line("")
    if found.readable:
        run.show(screen.Text(printable(found.body)))
    else:
        run.line("Your keys do not open it, or what is inside is no entry. It can be refused.")


async def accept(
    run: Run,
    items: ItemIds = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Every item that can be read.")] = False,
) -> None:
    """Make entries of items, and print their ids. The next sync carries them to your other devices."""
    async with run.client() as client:
        for item in await _chosen(client.inbox, items, everything=everything, readable=True):
            entry = await client.inbox.accept(item.id)
            if run.json:
                run.result({"id": item.id, "entry_id": entry.id})
            else:
                run.line(entry.id)
        left = await client.inbox.list()
    if everything and left:
        run.note(f"{len(left)} cannot be read, and wait: lockleaf inbox.")


async def refuse(
    run: Run,
    items: ItemIds = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Every item, whatever it is.")] = False,
) -> None:
    """Make nothing of items. The next sync deletes them on the server, and so for your other devices."""
    async with run.client() as client:
        chosen = await _chosen(client.inbox, items, everything=everything, readable=False)
        for item in chosen:
            await client.inbox.refuse(item.id)
            if run.json:
                run.result({"id": item.id, "refused": True})
    if not run.json:
        run.note("Nothing waits." if not chosen else "Refused. lockleaf sync deletes them on the server.")


async def _chosen(
    inbox: sdk.Inbox, wanted: list[str] | None, *, everything: bool, readable: bool
) -> list[sdk.InboxItem]:
    """Return the items that were named, all of them found before anything is done with one."""
    if bool(wanted) == everything:
        raise Complaint("Name the items by their ids, or take --all.")
    if everything:
        return [item for item in await inbox.list() if item.readable or not readable]
    found = [await inbox.get(item) for item in wanted or ()]
    return list({item.id: item for item in found}.values())


def item_json(item: sdk.InboxItem) -> dict[str, Any]:
    """Return an item as ``--json`` writes it."""
    return {
        "id": item.id,
        "provider": item.provider,
        "received_at": item.received_at.isoformat(),
        "authenticated": item.authenticated,
        "readable": item.readable,
        "title": item.title,
        "body": item.body if item.readable else None,
        "mood": item.mood,
        "weather": item.weather,
        "location": item.location,
        "tags": list(item.tags),
        "date": item.date,
        "link": item.link,
        "files": item.files,
        "missing": item.missing,
    }


def _local(item: sdk.InboxItem) -> str:
    return item.received_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]

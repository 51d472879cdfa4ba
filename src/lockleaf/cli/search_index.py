"""``search-index``: whether the server keeps an index of the account's words, and what that reveals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.progress import progress_bars
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run

__all__ = ["install"]

PANEL = "Account"

REVEALS = (
    "The server would hold keyed digests of the words of each entry, without their order and without counts. It cannot "
    "read or test a word. But whoever reads its database sees how many different words an entry has, which entries "
    "share a word, and how many entries have it, and can guess common words from that. Of each search it sees which "
    "digests are asked for, and which entries are found. Search on this device works without it."
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    index = group(app, "search-index", panel=PANEL)(show)
    command(index, "status")(status)
    command(index, "on")(switch_on)
    command(index, "off")(switch_off)
    command(index, "rebuild")(rebuild)


async def show(run: Run) -> None:
    """Show whether the server keeps an index of your words, for search --remote, and what it reveals; change it."""
    await _show(run)


async def status(run: Run) -> None:
    """Show how the index stands, and what it reveals."""
    await _show(run)


async def switch_on(run: Run, yes: Yes = False) -> None:
    """Have the server keep an index; for an end-to-end encrypted account this reveals something, which is said first.

    It can be interrupted: run again, or lockleaf sync, goes on.
    """
    async with run.client() as client:
        if not await client.search.keeps_up():
            _warn(run, yes=yes)
        with progress_bars(run) as progress:
            index = await client.search.switch_on(progress)
    _tell(run, index)


async def switch_off(run: Run) -> None:
    """Have the server delete its index at once. Search on your devices goes on as before."""
    async with run.client() as client:
        index = await client.search.switch_off()
    if run.json:
        run.result(index.model_dump(mode="json"))
    else:
        run.line("The server has deleted its index, and makes none.")


async def rebuild(run: Run, yes: Yes = False) -> None:
    """Have the index made anew, such as when the language of the account was changed."""
    async with run.client() as client:
        if not await client.search.keeps_up():
            _warn(run, yes=yes)
        with progress_bars(run) as progress:
            index = await client.search.rebuild(progress)
    _tell(run, index)


def _warn(run: Run, *, yes: bool) -> None:
    if not yes and not run.interactive:
        raise Complaint(f"{REVEALS} --yes says that you want it.")
    run.note(REVEALS)
    if not yes:
        confirm("Switch it on?")


async def _show(run: Run) -> None:
    async with run.client() as client:
        index = await client.search.status()
        keeps_up = await client.search.keeps_up()
    if run.json:
        run.result(index.model_dump(mode="json"))
        return

    facts: list[tuple[str, Any]] = [("index", "on" if index.enabled else "off")]
    if index.enabled:
        facts += [
            ("entries in it", f"{index.documents:,}"),
            ("words in them", f"{index.tokens:,}"),
            ("entries waiting", f"{index.pending:,}"),
            ("this device", "keeps it up" if keeps_up else "leaves it to others; lockleaf search-index on"),
            ("language", index.language + (", and the account's is another by now" if index.stale else "")),
        ]
        if index.built_at is not None:
            facts.append(("built", index.built_at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]))
    table = screen.Table.grid(padding=(0, 2))
    for label, value in facts:
        table.add_row(screen.Text(label, style="dim"), screen.Text(value))
    run.show(table)
    run.note(index.reveals)
    if index.stale:
        run.note("lockleaf search-index rebuild makes it anew.")
    elif index.pending and keeps_up:
        run.note("lockleaf sync brings it what waits.")


def _tell(run: Run, index: sdk.SearchIndex) -> None:
    if run.json:
        run.result(index.model_dump(mode="json"))
        return
    run.line(f"The server's index is on: {index.documents:,} {'entry' if index.documents == 1 else 'entries'} in it.")
    if index.pending:
        run.note(f"{index.pending:,} more wait for a device that has them as they are now; lockleaf sync brings them.")
    run.note("lockleaf search --remote searches by it; lockleaf search-index off deletes it.")

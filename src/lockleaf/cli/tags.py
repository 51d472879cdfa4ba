"""``tags``: what they are, their colours, and taking them away."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command, group
from lockleaf.cli.prompts import confirm
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import shown_name
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Journal"

Name = Annotated[str, typer.Argument(help="The tag's name, in any spelling.", metavar="NAME", show_default=False)]


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    tags = group(app, "tags", panel=PANEL)(list_tags)
    command(tags, "color")(color)
    command(tags, "rename")(rename)
    command(tags, "rm")(remove)
    command(tags, "cleanup")(cleanup)


async def list_tags(run: Run) -> None:
    """List the tags alphabetically, with colours and how many entries have them; change and remove them."""
    async with run.client() as client:
        tags = await client.journal.tags()
    if run.json:
        for tag in tags:
            run.result(_json(tag))
        return
    if not tags:
        run.note("No tags.")
        return

    table = screen.Table("", "tag", "entries", "last used", "color", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for tag in tags:
        table.add_row(
            screen.Text("●", style=tag.color),
            screen.Text(shown_name(tag.name)),
            screen.Text(f"{tag.count:,}", justify="right"),
            tag.last_used_at.astimezone().date().isoformat() if tag.last_used_at else "never",
            screen.Text(tag.color, style="dim"),
        )
    run.show(table)


async def color(
    run: Run,
    name: Name,
    value: Annotated[str, typer.Argument(help="As in #0377d2.", metavar="COLOR", show_default=False)],
) -> None:
    """Give a tag a colour. Without one it has a colour of its own, the same on every device."""
    async with run.client() as client:
        _tell(run, await client.journal.recolor_tag(name, value))


async def rename(
    run: Run,
    name: Name,
    new_name: Annotated[str, typer.Argument(help="Its new name.", metavar="NEW_NAME", show_default=False)],
) -> None:
    """Give a tag another name, in every entry. A tag that has the name already takes it in."""
    async with run.client() as client:
        _tell(run, await client.journal.rename_tag(name, new_name))


async def remove(
    run: Run,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing entries.")] = False,
) -> None:
    """Take a tag off every entry that has it."""
    async with run.client() as client:
        seen = await client.journal.tag(name)
        if seen.count and not yes:
            what = "one entry" if seen.count == 1 else f"{seen.count:,} entries"
            if not run.interactive:
                raise Complaint(
                    f"{what.capitalize()} would lose this tag. --yes takes it off.", ExitCode.USAGE, "TagInUse"
                )
            confirm(f"Take it off {what}?")
        count = await client.journal.remove_tag(name, base=None if yes else seen)
    if run.json:
        run.result({"removed": name, "entries": count})
    else:
        run.line(f"The tag is removed{f' from {count:,} entries' if count else ''}.")
        run.note("lockleaf sync carries it to your other devices.")


async def cleanup(
    run: Run,
    days: Annotated[
        int, typer.Option("--days", min=0, help="Only those that nobody changed for so many days.", metavar="NUMBER")
    ] = 0,
) -> None:
    """Remove the tags that no entry has."""
    async with run.client() as client:
        names = await client.journal.clean_up_tags(days)
    if run.json:
        run.result({"removed": names})
        return
    for name in names:
        run.line(shown_name(name))
    run.note("One tag is removed." if len(names) == 1 else f"{len(names):,} tags are removed.")


def _json(tag: sdk.Tag) -> dict[str, Any]:
    return {
        "name": tag.name,
        "color": tag.color,
        "entries": tag.count,
        "last_used_at": tag.last_used_at.isoformat() if tag.last_used_at else None,
        "pending": tag.pending,
    }


def _tell(run: Run, tag: sdk.Tag) -> None:
    if run.json:
        run.result(_json(tag))
        return
    run.line(f"{shown_name(tag.name)} {tag.color}")
    if run.interactive:
        run.note("Kept on this device. lockleaf sync carries it to your others.")

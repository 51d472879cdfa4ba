"""``media stores``, ``allow`` and ``forbid``: where attached files may go."""

from __future__ import annotations

from typing import Annotated

import typer

from lockleaf.cli.options import command
from lockleaf.cli.run import Run

__all__ = ["install"]

Origin = Annotated[
    str,
    typer.Argument(help="The store's address, such as https://files.example.org.", metavar="ORIGIN",
                   show_default=False),
]  # fmt: skip


def install(media: typer.Typer) -> None:
    """Add the commands to the group of ``media``."""
    command(media, "stores")(stores)
    command(media, "allow")(allow)
    command(media, "forbid")(forbid)


async def stores(run: Run) -> None:
    """List where attached files may go from this device, beside the server itself."""
    async with run.client() as client:
        found = await client.media.stores()
    for origin in found:
        if run.json:
            run.result({"origin": origin})
        else:
            run.line(origin)
    if not found:
        run.note("The server alone. lockleaf media allow ORIGIN adds a store.")


async def allow(run: Run, origin: Origin) -> None:
    """Let attached files go to a store that is not the server itself, for this account on this device.

    Ask the server's operator first whether files lie there. What is sent is encrypted; the store sees how large it is,
    when it is sent, and from where.
    """
    async with run.client() as client:
        allowed = await client.media.allow_store(origin)
    if run.json:
        run.result({"origin": allowed, "allowed": True})
    else:
        run.line(f"Attached files may go to {allowed}.")


async def forbid(run: Run, origin: Origin) -> None:
    """Let attached files go to a store no more. What lies there stays there."""
    async with run.client() as client:
        known = await client.media.forbid_store(origin)
    if run.json:
        run.result({"origin": origin, "allowed": False})
    else:
        run.line("Nothing goes there any more." if known else "It was not allowed before either.")

"""``app``: the journal in a browser, on this machine."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lockleaf import client as sdk
from lockleaf.cli.errors import Complaint
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.app import openapi as described
    from lockleaf.app import running
else:
    # Only this command loads a web server.
    described = late("lockleaf.app.openapi")
    running = late("lockleaf.app.running")

__all__ = ["install"]

PANEL = "Journal"


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "app", panel=PANEL)(local_page)


async def local_page(
    run: Run,
    port: Annotated[
        int, typer.Option("--port", help="Where to listen on this machine; a free port if absent.", min=0, max=65535)
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Start no browser: print the address alone.")
    ] = False,
    lock_after: Annotated[
        int,
        typer.Option(
            "--lock-after", help="Lock the journal after so many minutes without use; 0: never.", min=0,
            max=60 * 24 * 7, metavar="MINUTES",
        ),
    ] = 15,
    openapi: Annotated[
        bool,
        typer.Option("--openapi", help="Print what the page asks of this program, as OpenAPI has it.", hidden=True),
    ] = False,
) -> None:  # fmt: skip
    """Open the journal in your browser: to write, read and search on this machine, with or without a server.

    The page is served by this command, to this machine and to the browser that it opens alone. It works offline, and
    syncs when it can. Ctrl-C ends it; what was typed is kept as drafts. Where it runs already, another page opens.
    """
    if openapi:
        sys.stdout.write(described.document_text())
        return
    home = sdk.expanded(run.home)
    folder = sdk.ProfileFolder(home, run.profile)
    if folder.load() is None:  # who comes for the first time is asked at the terminal what is to seal the journal
        async with run.client(begin=True):
            pass

    async def open_client(second_factor: sdk.SecondFactor) -> sdk.Client:
        return await sdk.Client.open(home, run.profile, notice=run.note, second_factor=second_factor)

    try:
        await running.serve(
            folder,
            open_client,
            partial(_announce, run),
            port=port,
            browser=not no_browser,
            lock_after=lock_after * 60.0 if lock_after else None,
        )
    except asyncio.CancelledError:
        run.note("The page is closed.")
    except running.PortTaken:
        raise Complaint(
            "Another program uses this port. Leave --port out to take a free one.", ExitCode.LOCAL, "PortTaken"
        ) from None
    except running.NotAnswering:
        raise Complaint(
            "The page of this profile is served by another process, which does not answer. End that, and try again.",
            ExitCode.LOCAL,
            "NotAnswering",
        ) from None


def _announce(run: Run, served: running.Served) -> None:
    if run.json:
        run.result({"url": served.url, "port": served.port, "elsewhere": served.elsewhere, "browser": served.browser})
    else:
        run.line(served.url)
        if served.elsewhere:
            run.note("The page runs already: this address opens another one, once, within five minutes.")
        else:
            run.note("This address opens your journal once, within five minutes. Ctrl-C ends the page.")
    run.flush()

"""The whole command line, put together."""

from __future__ import annotations

import typer

from lockleaf.cli import (
    account,
    admin,
    archive,
    attaching,
    conflicts,
    demo,
    devices,
    drafts,
    exporting,
    importing,
    inbox,
    locking,
    networks,
    privacy,
    profile,
    reading,
    recovery,
    repairing,
    search_index,
    searching,
    serve,
    stats,
    syncing,
    tags,
    worker,
    writing,
)
from lockleaf.cli.commands import Commands
from lockleaf.cli.options import install_common
from lockleaf.exit_codes import epilog

__all__ = ["build"]


def build() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        name="lockleaf",
        cls=Commands,
        help="A private journal on all your devices. The server in between cannot read it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    install_common(app, epilog())
    # In the order in which the help shows them.
    parts = (
        writing,
        drafts,
        reading,
        searching,
        attaching,
        tags,
        stats,
        importing,
        exporting,
        repairing,
        syncing,
        conflicts,
        inbox,
        networks,
        devices,
        account,
        locking,
        profile,
        privacy,
        search_index,
        archive,
        recovery,
    )
    for part in (*parts, serve, worker, demo, admin):
        part.install(app)
    return app

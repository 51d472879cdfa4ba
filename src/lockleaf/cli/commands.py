"""The group of all commands: ``help`` explains one, and names that a hand knows from elsewhere lead to ours."""

from __future__ import annotations

from typing import Any, cast

import typer

from lockleaf.cli.helping import Command, Group
from lockleaf.cli.on_demand import OnDemand
from lockleaf.cli.summaries import SUMMARIES

__all__ = ["COMMANDS", "Commands"]

COMMANDS = {
    "lockleaf.cli.local_page": "app",
    "lockleaf.cli.writing": "write edit delete restore",
    "lockleaf.cli.drafts": "drafts",
    "lockleaf.cli.reading": "list show history",
    "lockleaf.cli.searching": "search",
    "lockleaf.cli.attaching": "attach open media",
    "lockleaf.cli.tags": "tags",
    "lockleaf.cli.stats": "stats",
    "lockleaf.cli.importing": "import",
    "lockleaf.cli.exporting": "export",
    "lockleaf.cli.repairing": "repair",
    "lockleaf.cli.syncing": "sync status",
    "lockleaf.cli.conflicts": "resolve conflicts",
    "lockleaf.cli.inbox": "inbox",
    "lockleaf.cli.networks": "connect publish connections",
    "lockleaf.cli.devices": "devices",
    "lockleaf.cli.account": "register login logout adopt password access keys",
    "lockleaf.cli.locking": "lock unlock",
    "lockleaf.cli.profile": "account",
    "lockleaf.cli.configuring": "config",
    "lockleaf.cli.privacy": "privacy",
    "lockleaf.cli.search_index": "search-index",
    "lockleaf.cli.archive": "archive",
    "lockleaf.cli.recovery": "recovery",
    "lockleaf.cli.factors": "factors",
    "lockleaf.cli.serve": "serve",
    "lockleaf.cli.worker": "worker",
    "lockleaf.cli.demo": "demo",
    "lockleaf.cli.admin": "admin",
}
"""Which module has which commands, in the order in which the help shows them."""

_ALIASES = {"ls": "list", "rm": "delete"}


class Commands(Group):
    """Commands by their names, aliases and ``help COMMAND``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast(Any, OnDemand(COMMANDS))  # nobody adds to it

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name or alias."""
        return super().get_command(ctx, _ALIASES.get(cmd_name, cmd_name))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return what the arguments name, and the arguments behind it: ``help list`` is ``list --help``."""
        if args[0] == "help":
            if len(args) == 1:
                typer.echo(ctx.get_help())
                raise typer.Exit
            args = [*args[1:], "--help"]
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Draw the help of all commands by their summaries, without loading any of them."""
        loadable = self.commands
        self.commands = {
            name: Command(name, help=summary, rich_help_panel=panel)
            for panel, summaries in SUMMARIES.items()
            for name, summary in summaries.items()
        }
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = loadable

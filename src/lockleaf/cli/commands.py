"""The group of all commands: ``help`` explains one, and names that a hand knows from elsewhere lead to ours."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["Commands"]

_ALIASES = {"ls": "list", "rm": "delete"}


class Commands(TyperGroup):
    """Commands by their names, aliases and ``help COMMAND``."""

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

"""Commands and groups as Typer has them, whose help names no type for ``--help`` itself either."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

__all__ = ["Command", "Group"]


def _plain(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option


class Command(TyperCommand):
    """A command."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help."""
        return _plain(super().get_help_option(ctx))


class Group(TyperGroup):
    """A command with others behind it."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help."""
        return _plain(super().get_help_option(ctx))

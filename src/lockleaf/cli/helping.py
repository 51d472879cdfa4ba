"""Commands and groups as Typer has them, whose help names no type for ``--help`` itself either.

What is plain is coerced without Pydantic.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from lockleaf.cli.coercion import coerce_plainly

__all__ = ["Command", "Group"]


def _plain(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option


class Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, that of the help among them."""
        return coerce_plainly(super().get_params(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help."""
        return _plain(super().get_help_option(ctx))


class Group(TyperGroup):
    """A command with others behind it."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, that of the help among them."""
        return coerce_plainly(super().get_params(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help."""
        return _plain(super().get_help_option(ctx))

"""Commands and groups as Typer has them, whose help names no type for flags.

What is plain is coerced without Pydantic, and the help is drawn without what draws Markdown.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from typer.core import TyperCommand, TyperGroup

from lockleaf.cli.coercion import coerce_plainly

__all__ = ["Command", "Group"]


def _parameters(declared: list[Any]) -> list[Any]:
    """Return a command's parameters as they are coerced and shown: of a flag the help names no type."""
    for each in declared:
        if getattr(each, "is_bool_flag", False) and each.metavar is None:
            each.metavar = ""
    return coerce_plainly(declared)


def _load_drawing() -> None:
    """Load what Typer draws a help with, without what it would draw Markdown and tracebacks with: ours has neither.

    They are half of it, with a parser and Pygments behind them. Whoever needs them later loads them as ever.
    """
    if "typer.rich_utils" in sys.modules:
        return
    spared = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
    standing_in = {module: ModuleType(module) for module in spared if module not in sys.modules}
    for module, stand_in in standing_in.items():
        setattr(stand_in, spared[module], None)
    sys.modules.update(standing_in)
    try:
        __import__("typer.rich_utils")
    finally:
        for module in standing_in:
            del sys.modules[module]


class _Shown:
    """What commands and groups have in common, before what Typer makes of either."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, that of the help among them."""
        return _parameters(super().get_params(ctx))  # type: ignore[misc]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Draw the help."""
        _load_drawing()
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Shown, TyperCommand):
    """A command."""


class Group(_Shown, TyperGroup):
    """A command with others behind it."""

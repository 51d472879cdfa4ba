"""How a command is told of an entry."""

from __future__ import annotations

from typing import Annotated

import typer

from lockleaf.cli.completion import complete_entry

__all__ = ["EntryId"]

EntryId = Annotated[
    str,
    typer.Argument(help="The entry's id, or its first four characters or more.", metavar="ID",
                   autocompletion=complete_entry, show_default=False),
]  # fmt: skip

"""The options that choose among entries, the same in every command."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Deleted", "Mood", "Since", "Source", "Tag", "Until"]

Since = Annotated[
    str | None,
    typer.Option(
        "--since", help="From this day on: the day where an entry was written, as the list shows it.", metavar="DATE"
    ),
]
Until = Annotated[str | None, typer.Option("--until", help="Up to this day, it included.", metavar="DATE")]
Tag = Annotated[str | None, typer.Option("--tag", help="Only with this tag.", metavar="TEXT")]
Mood = Annotated[str | None, typer.Option("--mood", "-m", help="Only with this mood.", metavar="TEXT")]
Source = Annotated[str | None, typer.Option("--source", help="Only from there: cli, import, web, ...", metavar="TEXT")]
Deleted = Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")]

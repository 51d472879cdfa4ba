"""Folders and files that a command makes: ``-`` names no such thing, though a hand knows it from elsewhere."""

from __future__ import annotations

from pathlib import Path

from typer import BadParameter

__all__ = ["named"]


def named(path: Path) -> Path:
    """Return where something is to be written.

    Raises:
        BadParameter: it is ``-``, by which other programs mean their standard output.
    """
    if str(path) == "-":
        raise BadParameter("nothing of this goes to standard output: name a folder or a file")
    return path

"""``config``: which settings of the command line hold, and who set them."""

from __future__ import annotations

import os
from typing import Any

import typer

from lockleaf.cli import screen
from lockleaf.cli.configuration import configuration_file
from lockleaf.cli.options import command
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable

__all__ = ["install"]

PANEL = "Account"
_VARIABLES: dict[str, tuple[str, ...]] = {
    "profile": ("LOCKLEAF_PROFILE",),
    "home": ("LOCKLEAF_HOME",),
    "server": (),
    "color": ("NO_COLOR",),
    "editor": ("VISUAL", "EDITOR"),
    "unlock_minutes": ("LOCKLEAF_UNLOCK_MINUTES",),
}
_OPTIONS = {"profile": "profile", "home": "home", "color": "no_color"}
_FLAGS = {"profile": "--profile", "home": "--home", "color": "--no-color"}


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "config", panel=PANEL)(config)


def config(run: Run) -> None:
    """Show which settings of this program hold, and where each comes from: an option, the environment, or the file."""
    file = configuration_file()
    there = file is not None and file.is_file()
    settings = {key: _holds(run, key) for key in _VARIABLES}
    if run.json:
        told = {key: {"value": value, "from": source} for key, (value, source) in settings.items()}
        run.result({"file": None if file is None else str(file), "there": there, "settings": told})
        return
    where = "There is no folder for a configuration file." if file is None else str(file)
    run.line(where if there or file is None else f"{where} (not there)")
    table = screen.Table("key", "value", "from", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for key, (value, source) in settings.items():
        shown = str(value).lower() if isinstance(value, bool) else "—" if value is None else printable(str(value))
        table.add_row(key, screen.Text(shown), screen.Text(source))
    run.show(table)


def _holds(run: Run, key: str) -> tuple[Any, str]:
    """Return the value of a key that holds, and where it comes from."""
    decided = {"profile": run.profile, "home": str(run.home), "color": run.color and not os.environ.get("NO_COLOR")}
    written = getattr(run.settled, key)
    if _OPTIONS.get(key) in run.options:
        return decided[key], _FLAGS[key]
    for variable in _VARIABLES[key]:
        # What the file says of colours is passed on by their variable.
        if not (key == "color" and written is False) and (given := os.environ.get(variable)):
            return decided.get(key, given), variable
    if written is not None:
        return decided.get(key, written), "file"
    return decided.get(key, 15 if key == "unlock_minutes" else None), "default"

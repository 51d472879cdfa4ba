"""Fills ``docs/reference/command-line.md`` from the commands as they are: usage, help and options of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from docs.generate_man import _COMMON, _choices
from docs.marks import fill, table
from lockleaf.cli.app import build
from lockleaf.exit_codes import MEANINGS

__all__ = ["PAGE", "page", "parts"]

PAGE = Path(__file__).parent / "reference" / "command-line.md"


def page() -> str:
    """Return the page, with what the code says of each command."""
    return fill(PAGE.read_text(encoding="utf-8"), parts())


def parts() -> dict[str, str]:
    """Return what the code says of each command, by its name, and the exit codes."""
    codes = table(("code", "means"), [(str(code.value), meaning) for code, meaning in MEANINGS.items()])
    return {
        **{name: _told(name, each) for name, each in _commands(typer.main.get_command(build()), "lockleaf")},
        "exit codes": codes,
    }


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        below = hasattr(command, "commands")
        # A group that has a page of help and nothing else is told by what is in it.
        if not below or command.invoke_without_command:
            yield f"{path} {name}", command
        if below:
            yield from _commands(command, f"{path} {name}")


def _told(name: str, command: Any) -> str:
    shown = [each for each in command.params if each.name not in _COMMON]
    arguments = [each for each in shown if each.param_type_name == "argument"]
    usage = " ".join([name, *(_metavar(each) if each.required else f"[{_metavar(each)}]" for each in arguments)])
    said = [f"`{usage}`", *map(_marked, re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")))]
    if shown:
        said.append(table(("argument", "does"), [(_names(each), _does(each)) for each in shown]))
    return "\n\n".join(part.strip() for part in said)


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _metavar(parameter)
    names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} {_metavar(parameter)}"


def _metavar(parameter: Any) -> str:
    made = parameter.metavar or "|".join(_choices(parameter.type_descriptor.annotation)) or parameter.name.upper()
    return f"{made}..." if parameter.nargs == -1 and not made.endswith("...") else str(made)


def _does(parameter: Any) -> str:
    said = _marked(" ".join((parameter.help or "").split()))
    default = parameter.default
    if default not in (None, False, "", (), []) and not callable(default) and not parameter.required:
        said += "" if "efault" in said else f" Default: {getattr(default, 'value', default)}."
    return f"{said} Or `{parameter.envvar}`." if parameter.envvar else said


def _marked(text: str) -> str:
    """Return help with the options and variables in it marked as what is typed."""
    return re.sub(r"(?<![`\w/-])(--[a-z][a-z-]+|LOCKLEAF_[A-Z_]+(?:=\w+)?)(?![`\w])", r"`\1`", text)

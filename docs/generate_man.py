"""Writes ``src/man/lockleaf.1``, the manual page, from the commands as they are."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from lockleaf.cli.app import build
from lockleaf.exit_codes import MEANINGS

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[1] / "src" / "man" / "lockleaf.1"

_COMMON = {"profile", "home", "json", "quiet", "no_color", "version", "help", "install_completion", "show_completion"}
_VARIABLES = {
    "LOCKLEAF_HOME": "Where profiles are kept.",
    "LOCKLEAF_PROFILE": "Which profile is meant.",
    "LOCKLEAF_CONFIG": "The configuration file; empty for none.",
    "LOCKLEAF_PASSWORD, LOCKLEAF_NEW_PASSWORD, LOCKLEAF_RECOVERY_CODE": "Secrets, where nobody can be asked.",
    "LOCKLEAF_UNLOCK_MINUTES": "How long a journal without a keychain stays unlocked without a command.",
    "LOCKLEAF_DATA_DIR, DATABASE_URL": "Of a server: its data folder, and the address of its PostgreSQL.",
    "VISUAL, EDITOR": "The editor.",
    "NO_COLOR": "No colours.",
}


def page() -> str:
    """Return the page in roff."""
    app: Any = typer.main.get_command(build())
    lines = [
        '.TH LOCKLEAF 1 "" "Lockleaf" "User Commands"',
        ".SH NAME",
        r"lockleaf \- a private journal on all your devices",
        ".SH SYNOPSIS",
        r".B lockleaf",
        r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        *_text(app.help),
        *_text(
            "Results go to standard output, notes to standard error. Options that every command takes stand before its "
            "name or behind it."
        ),
        ".SH OPTIONS",
    ]
    for parameter in app.params:
        lines += _option(parameter)
    lines += [".TP", r"\fB\-\-help\fR, \fB\-h\fR", "Show help: of a command, behind its name.", ".SH COMMANDS"]
    for name, command in _commands(app, "lockleaf"):
        lines += _command(name, command)
    lines += [".SH DATES"]
    lines += _text(
        'A DATE is "today", "yesterday", a day such as 2026-11-21, a time with its zone, or what people say: "3 days '
        'ago", "an hour ago", "last monday", "yesterday at 18:30".'
    )
    lines += [".SH ENVIRONMENT"]
    for name, said in _VARIABLES.items():
        lines += [".TP", f".B {_roff(name)}", _roff(said)]
    lines += [".SH FILES", ".TP", r".I ~/.config/lockleaf/config.toml"]
    lines += [
        _roff(
            "The configuration file, in TOML: profile, home, server, color, editor, unlock_minutes. lockleaf config "
            "shows where it is on this system, and what holds."
        )
    ]
    lines += [".SH EXIT STATUS"]
    for code, meaning in MEANINGS.items():
        lines += [".TP", f".B {code.value}", _roff(f"{meaning[0].upper()}{meaning[1:]}.")]
    return "\n".join(lines) + "\n"


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = " ".join(
        rf"[\fI{_roff(_metavar(each))}\fR]" if not each.required else rf"\fI{_roff(_metavar(each))}\fR"
        for each in command.params
        if each.param_type_name == "argument"
    )
    yield f".SS {_roff(name)}"
    yield rf"\fB{_roff(name)}\fR {arguments}".rstrip()
    yield ".PP"
    yield from _text(inspect.cleandoc(command.help or ""))
    for each in command.params:
        if each.name not in _COMMON:
            yield from _option(each)


def _option(parameter: Any) -> Iterator[str]:
    yield ".TP"
    if parameter.param_type_name == "argument":
        yield rf"\fI{_roff(_metavar(parameter))}\fR"
    else:
        names = ", ".join(rf"\fB{_roff(each)}\fR" for each in (*parameter.opts, *parameter.secondary_opts))
        metavar = "" if parameter.is_flag else _metavar(parameter)
        yield rf"{names} \fI{_roff(metavar)}\fR" if metavar else names
    yield _roff(" ".join((parameter.help or "").split()))


def _metavar(parameter: Any) -> str:
    return parameter.metavar or "|".join(_choices(parameter.type_descriptor.annotation)) or parameter.name.upper()


def _choices(kind: Any) -> Iterator[str]:
    for each in typing.get_args(kind):
        if isinstance(each, str):
            yield each
        else:
            yield from _choices(each)


def _text(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _roff(" ".join(paragraph.split()))


def _roff(text: str) -> str:
    """Return text in which nothing is taken for a request or an escape of roff."""
    plain = text.replace("\\", r"\(rs").replace("-", r"\-").replace("`", "")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain

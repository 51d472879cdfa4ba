"""Asking a person, or the environment where a script runs: nothing secret is ever an argument."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Any

import typer

from lockleaf import client as sdk
from lockleaf.cli.errors import Complaint
from lockleaf.cli.interrupts import asking
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable
from lockleaf.exit_codes import ExitCode
from lockleaf.text import is_utf8

__all__ = [
    "agrees",
    "answer",
    "are_to_be_typed",
    "confirm",
    "device_name",
    "hidden",
    "login_name",
    "new_password",
    "objection_to",
    "password",
    "recovery_code",
    "server",
    "text",
]


def text(run: Run, value: str | None, label: str, option: str, default: str | None = None) -> str:
    """Return ``value``, else ``default`` or what a person answers.

    Args:
        label: what is asked for.
        option: which option would have told it.
        default: taken without asking.

    Raises:
        Complaint: nobody can be asked.
    """
    if value or default:
        return value or default or ""
    if not run.interactive:
        raise Complaint(f"{option} is needed.")
    return answer(label)


def server(run: Run, value: str | None, known: sdk.Profile | None = None) -> str:
    """Return a server's URL: ``value``, else the one that is known here, else the configuration's, or what is typed."""
    return text(run, value, "Server", "--server", known.server if known else run.settled.server)


def are_to_be_typed(*variables: str) -> bool:
    """Return whether a person will be asked for one of the secrets that these variables could hold."""
    return any(variable not in os.environ for variable in variables)


def login_name(run: Run, value: str | None, known: sdk.Profile | None = None) -> str:
    """Return the email or the name of an account: ``value``, else the one that is known here, or what is typed."""
    return text(run, value, "Email or name", "--email or --username", known.login_name if known else None)


def answer(label: str, default: str | None = None) -> str:
    """Return what a person answers, without white space around it.

    Raises:
        Complaint: it is no text in UTF-8.
    """
    return _typed(label, default=default).strip()


def password(run: Run) -> str:
    """Return the password: ``LOCKLEAF_PASSWORD``, or what is typed.

    Raises:
        Complaint: there is none, or nobody can be asked.
    """
    return _secret(run, "LOCKLEAF_PASSWORD", "Password")


def new_password(
    run: Run,
    variable: str,
    label: str = "New password",
    *,
    about: Iterable[str | None] = (),
    allow_weak: bool = False,
) -> str:
    """Return a password that is about to be set: the variable's, or what is typed twice.

    A person who types one that is too easy to guess is told why, is shown a passphrase, and is asked again.

    Args:
        about: what an attacker knows of the password's user.
        allow_weak: take whatever is typed.

    Raises:
        Complaint: the variable's is too easy to guess, or there is none and nobody can be asked.
    """
    while True:
        chosen = _secret(run, variable, label, twice=True)
        objection = None if allow_weak else objection_to(run, chosen, about)
        if objection is None:
            return chosen

        if variable in os.environ or not run.interactive:
            raise Complaint.like(sdk.PasswordTooWeak, objection)
        typer.echo(f"{objection}\n", err=True)


def objection_to(run: Run, password: str, about: Iterable[str | None] = ()) -> str | None:
    """Return why a new password is too easy to guess, with one that is not; None where it will do."""
    reason = sdk.weakness(password, about)
    if reason is None:
        return None
    suggestion = "" if run.json else f" A fresh passphrase that nobody knows, if you like it: {sdk.new_passphrase()}"
    return f"{sdk.PasswordTooWeak(reason)}{suggestion}"


def recovery_code(run: Run) -> str:
    """Return a recovery code: ``LOCKLEAF_RECOVERY_CODE``, or what is typed."""
    return _secret(run, "LOCKLEAF_RECOVERY_CODE", "Recovery code")


def _secret(run: Run, variable: str, label: str, *, twice: bool = False) -> str:
    # An argument would stand in the shell's history and in the list of processes.
    given = os.environ.get(variable)
    if given is None:
        if not run.interactive:
            raise Complaint(
                f"{label} is needed. Set {variable}, or run the command in a terminal.",
                ExitCode.CREDENTIALS,
                "NoPassword",
            )
        given = hidden(label, twice=twice)
    else:
        # The end of a line is no part of what a file held that was read into the variable.
        given = given.rstrip("\r\n")
    if not given:
        raise Complaint(f"{label} is empty.", ExitCode.CREDENTIALS, "NoPassword")
    if not is_utf8(given):
        raise _not_text(f"{variable} is")
    return given


def hidden(label: str, *, twice: bool = False, may_be_empty: bool = False) -> str:
    """Return what a person types without its being shown.

    Raises:
        Complaint: it is no text in UTF-8.
    """
    empty = {"default": "", "show_default": False} if may_be_empty else {}
    return _typed(label, hide_input=True, confirmation_prompt="The same again" if twice else False, **empty)


def _typed(label: str, **options: Any) -> str:
    with asking():
        try:
            given: str = typer.prompt(label, err=True, **options)
        except UnicodeDecodeError:
            raise _not_text("What was typed is") from None
    if not is_utf8(given):
        raise _not_text("What was typed is")
    return given


def _not_text(what_is: str) -> Complaint:
    return Complaint(
        f"{what_is} not text in UTF-8. It may come from a file or a terminal in another encoding, such as Latin-1: "
        "convert it first (iconv -f latin1 -t utf-8), or set the terminal to UTF-8.",
        ExitCode.INPUT,
        "PasswordNotText",
    )


def agrees(question: str, *, default: bool = False) -> bool:
    """Return what a person answers to a question of yes or no."""
    with asking():
        return typer.confirm(printable(question), default=default, err=True)


def confirm(question: str) -> None:
    """Ask a person a question of yes or no; the command ends unless the answer is yes."""
    with asking():
        # A question may hold what others wrote, and is answered by what it seems to say.
        typer.confirm(printable(question), abort=True, err=True)


def device_name(given: str | None) -> str:
    """Return how this device is called among the account's devices: what was given, else the machine's name."""
    return given or platform.node().split(".")[0] or "this device"

"""Beginning a journal that has no account, and what opens it on this device."""

from __future__ import annotations

import os
import socket

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.run import Run
from lockleaf.cli.unlocking import can_ask

__all__ = ["begin_journal"]


async def begin_journal(run: Run, client: sdk.Client) -> None:
    """Begin a journal on this device alone, and say what seals it.

    Where the system has no keychain, a password does: ``LOCKLEAF_PASSWORD``, or what a person types, who may also leave
    the key beside the journal.

    Raises:
        Complaint: the variable's password is too easy to guess, or no text in UTF-8.
    """
    without_keychain = client.keys_in == "password"
    password = _password(run) if without_keychain else None
    await client.begin(device_name=socket.gethostname() or "this device", password=password)
    run.note("This is a new journal, on this device alone. lockleaf register carries it to others.")
    if without_keychain and password is None:
        run.note(
            "There is no keychain here and no password was given, so its key lies beside it until then: whoever copies "
            "your home folder, or its backup, can read it."
        )


def _password(run: Run) -> str | None:
    if os.environ.get("LOCKLEAF_PASSWORD"):
        return prompts.new_password(run, "LOCKLEAF_PASSWORD", "Password")
    if not can_ask():
        return None
    run.note("A new journal begins. There is no keychain on this machine, so a password seals it.")
    while typed := prompts.hidden("Password for it, or Enter for none", may_be_empty=True):
        objection = prompts.objection_to(run, typed)
        if objection is not None:
            run.note(objection)
        elif prompts.hidden("The same again", may_be_empty=True) == typed:
            return typed
        else:
            run.note("These are two different passwords. Try again.")
    return None

"""Answering where the server asks for the account's second factor."""

from __future__ import annotations

import os
from collections.abc import Awaitable

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.run import Run
from lockleaf.cli.security_key import found_key

__all__ = ["VARIABLE", "second_factor"]

VARIABLE = "LOCKLEAF_SECOND_FACTOR"
"""Where a script puts a code. An argument would stand in the shell's history and in the list of processes."""


def second_factor(run: Run, question: sdk.FactorQuestion) -> str | Awaitable[sdk.PasskeyAssertion] | None:
    """Return an answer: of ``LOCKLEAF_SECOND_FACTOR``, of a security key, or what a person types.

    None where there is none, or no other.
    """
    given = os.environ.get(VARIABLE)
    if given:
        # Once: a code that was refused is refused again, and counted.
        return None if question.refused else given.strip()
    if not run.interactive:
        return None
    if question.rp_id is not None and not question.refused:
        key = found_key(run)
        if key is not None:
            return key.sign(question)
        run.note("To answer with a security key, plug it in, and begin again.")
    if question.refused:
        run.note("That code is wrong, was used before, or came too late. An app's next one comes within 30 seconds.")
    if not {"totp", "code"}.intersection(question.kinds):
        return None
    label = "Code of your authenticator app" if "totp" in question.kinds else "Factor code"
    if "totp" in question.kinds and "code" in question.kinds:
        label += ", or a factor code"
    return prompts.answer(label) or None

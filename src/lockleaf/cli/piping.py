"""Texts that a command is given rather than typed in an editor, and that do not vanish if they cannot be saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from lockleaf import client as sdk
from lockleaf.cli.drafts import keep_piped, tell_of_trouble
from lockleaf.cli.editors import opens_without_terminal
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run
from lockleaf.cli.standard_input import STANDARD_INPUT, GivenText, given_text, has_input, piped_text
from lockleaf.exit_codes import ExitCode

__all__ = ["body_of", "refused_bytes"]


def body_of(run: Run, argument: str | None, encoding: str | None, *, otherwise: bool = False) -> GivenText | None:
    """Return the text that a command was given: the argument, else what is piped; None if an editor is to open.

    Args:
        argument: ``-`` asks for standard input.
        encoding: of the text, where it is not UTF-8.
        otherwise: other options say what is to be done: then a pipe is not read, unless ``-`` asks for it.

    Raises:
        Complaint: the text is empty.
    """
    if (argument is not None and argument != STANDARD_INPUT) or (argument is None and otherwise):
        if has_input():
            run.note(
                "Standard input was not read: " + ("the text given wins." if argument else "- as the text reads it.")
            )
        body = given_text(argument)
    else:
        body = given_text(argument, encoding) or piped_text(encoding)
        if argument is None and body is not None and not body.data and opens_without_terminal():
            # A program that starts this one often leaves it an input that is used up.
            run.note("Standard input is empty, so your editor opens.")
            return None
    if body is not None and not body.text.strip():
        raise Complaint("The text is empty, so nothing was written.", ExitCode.INPUT, "EmptyText")
    return body


@dataclass
class Kept:
    """What becomes of the bytes that were given.

    Attributes:
        drafts: of the profile, once it is open: they keep the bytes sealed.
    """

    run: Run
    given: GivenText
    drafts: sdk.Drafts | None = None

    def settle(self, entry_id: str) -> None:
        """Say that the text is in the journal; its bytes are kept beside it where some of them had to be replaced."""
        if self.given.trouble is not None:
            tell_of_trouble(self.run, self.given)
            if self.given.fleeting:
                keep_piped(self.run, self.drafts, "original", sdk.DraftContent(self.given.data), entry_id=entry_id)


@asynccontextmanager
async def refused_bytes(
    run: Run,
    given: GivenText,
    fields: dict[str, Any],
    entry_id: str | None = None,
    conflict_id: str | None = None,
) -> AsyncIterator[Kept]:
    """Keep bytes that came through a pipe if what is done with them within fails, whatever the reason.

    Args:
        given: the text.
        fields: what was given with it.
        entry_id: the entry to which it belongs; None for a new one.
        conflict_id: the conflict that it resolves.
    """
    kept = Kept(run, given)
    try:
        yield kept
    except BaseException as error:
        if isinstance(error, sdk.EditConflict):  # the text is in the conflict
            kept.settle(error.entry_id)
        elif given.fleeting:
            content = sdk.DraftContent(given.data, fields={name: value for name, value in fields.items() if value})
            purpose: sdk.Purpose = "resolve" if conflict_id else "edit" if entry_id else "write"
            keep_piped(run, kept.drafts, purpose, content, entry_id=entry_id, conflict_id=conflict_id)
        raise

"""The program: every command, and whatever happens in one as a message and an exit code."""

from __future__ import annotations

import re
import sys

from typer import Abort, TyperException

from lockleaf.cli.app import build
from lockleaf.cli.errors import Complaint, ReaderGone, complain
from lockleaf.cli.surroundings import discard_output
from lockleaf.exit_codes import ExitCode

__all__ = ["run"]


def run(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name, and return its exit code (see `lockleaf.exit_codes`)."""
    # An error in the options themselves comes before they are read.
    as_json = "--json" in arguments
    try:
        outcome = build()(arguments, prog_name="lockleaf", standalone_mode=False)
    except Abort:
        return 130
    except TyperException as error:
        return _usage(error, arguments, as_json=as_json)
    except ReaderGone:
        discard_output(sys.stdout)
        return 0
    except Exception as error:
        # The last line: nobody shall see a traceback.
        return int(complain(error, as_json=as_json))
    return outcome if isinstance(outcome, int) else 0


def _usage(error: Exception, arguments: list[str], *, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write("" if as_json else f"{error}\n")
        return int(ExitCode.USAGE)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if likely := getattr(error, "possibilities", None):
        # The likeliest one is the first; Typer names all of them, in the order of the alphabet.
        message = f"{getattr(error, 'message', message)}. Did you mean {likely[0]}?"
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message}{'' if message.endswith(('.', '?')) else '.'} {context.command_path} --help explains it."
        if context.info_name == "search" and any(re.match(r"-[^\W\d_]{2}", each) for each in arguments):
            message += " Before a query that has a word with a minus, write --: lockleaf search -- 'walk -rain'."
    return int(complain(Complaint(message, ExitCode.USAGE), as_json=as_json))

"""The entry point: runs a command and turns whatever happens into a message and an exit code."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (see `lockleaf.cli.exit_codes`).

    Args:
        arguments: those of the process if absent, without the program's name.
    """
    if arguments is None:
        from lockleaf.cli.ending import end_at_once_when_interrupted  # noqa: PLC0415

        end_at_once_when_interrupted()
        _forbid_core_dumps()
        from lockleaf.cli.surroundings import put_in_order  # noqa: PLC0415

        put_in_order()
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return 130


def _forbid_core_dumps() -> None:
    """Keep the system from writing this process's memory, with keys and open text in it, to the disk.

    It holds for what is started from here too, workers of a server among them.
    """
    if os.environ.get("LOCKLEAF_ALLOW_CORE_DUMPS") == "1":
        return
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  (not everywhere)

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(arguments: list[str]) -> int:
    from typer import Abort, TyperException  # noqa: PLC0415  (an interrupt while this loads is quiet too)

    from lockleaf.cli.app import build  # noqa: PLC0415
    from lockleaf.cli.errors import ReaderGone, complain  # noqa: PLC0415
    from lockleaf.cli.surroundings import discard_output  # noqa: PLC0415

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
    from lockleaf.cli.errors import Complaint, complain  # noqa: PLC0415
    from lockleaf.cli.exit_codes import ExitCode  # noqa: PLC0415

    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write("" if as_json else f"{error}\n")
        return int(ExitCode.USAGE)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message.rstrip('.')}. {context.command_path} --help explains it."
        if context.info_name == "search" and any(re.match(r"-[^\W\d_]{2}", each) for each in arguments):
            message += " Before a query that has a word with a minus, write --: lockleaf search -- 'walk -rain'."
    return int(complain(Complaint(message, ExitCode.USAGE), as_json=as_json))

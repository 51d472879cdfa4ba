"""The entry point: runs a command and turns whatever happens into a message and an exit code.

Only what Python has loaded anyway is imported before `main` runs: on a busy machine everything else takes a while, and
an interrupt in that time would end in a traceback.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code (see `lockleaf.cli.exit_codes`).

    Args:
        arguments: those of the process if absent, without the program's name.
    """
    if arguments is None:
        _end_when_interrupted_while_loading()
        from lockleaf.cli.ending import end_at_once_when_interrupted  # noqa: PLC0415

        end_at_once_when_interrupted()
        _forbid_core_dumps()
        from lockleaf.cli.surroundings import put_in_order  # noqa: PLC0415

        put_in_order()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130


def _end_when_interrupted_while_loading() -> None:
    """Let an interrupt end the process until `lockleaf.cli.ending` is loaded, which then says how."""
    # Part of Python itself, where `signal` loads a dozen modules first.
    import _signal  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda number, frame: os._exit(130))


def _forbid_core_dumps() -> None:
    """Keep the system from writing this process's memory, with keys and open text in it, to the disk.

    It holds for what is started from here too, workers of a server among them.
    """
    import contextlib  # noqa: PLC0415

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
    import re  # noqa: PLC0415

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

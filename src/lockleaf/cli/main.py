"""The entry point: runs a command and turns whatever happens into a message and an exit code.

Only what Python has loaded anyway is imported before `main` runs: on a busy machine everything else takes a while, and
an interrupt in that time would end in a traceback.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code (see `lockleaf.exit_codes`).

    Args:
        arguments: those of the process if absent, without the program's name.
    """
    if arguments is None:
        _end_when_interrupted_while_loading()
        __import__("lockleaf.cli.process_start")
        sys.modules["lockleaf.cli.process_start"].prepare()
    try:
        # Only here is an interrupt quiet; `importlib` would have to be loaded first.
        __import__("lockleaf.cli.program")
        program = sys.modules["lockleaf.cli.program"]
        return int(program.run(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return 130


def _end_when_interrupted_while_loading() -> None:
    """Let an interrupt end the process until `lockleaf.cli.ending` is loaded, which then says how."""
    # Part of Python itself, where `signal` loads a dozen modules first.
    __import__("_signal")
    _signal = sys.modules["_signal"]
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, lambda number, frame: os._exit(130))

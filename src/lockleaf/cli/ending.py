"""Ending the process at once. Nearly nothing is imported here: an interrupt may come before anything else is loaded."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from lockleaf.exit_codes import ExitCode

__all__ = ["before_ending", "end_at_once", "end_at_once_when_interrupted"]

_SHOW_CURSOR = b"\x1b[?25h"
_to_do: list[Callable[[], None]] = []


def end_at_once_when_interrupted() -> None:
    """Let an interrupt end the process without further ado, while it starts and while it ends.

    An exception in the middle of an import may come out of it as another one, and one behind the last line of a
    program is printed with its traceback.
    """
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # by a shell that started it in the background
    ):
        signal.signal(signal.SIGINT, lambda number, frame: end_at_once())


@contextlib.contextmanager
def before_ending(do: Callable[[], None]) -> Iterator[None]:
    """Have something done if the process ends at once in the meantime."""
    _to_do.append(do)
    try:
        yield
    finally:
        _to_do.remove(do)


def end_at_once() -> NoReturn:
    """End the process as one that was interrupted, whatever still runs."""
    for do in reversed(_to_do):
        do()
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR)  # a progress bar hides it
    os._exit(ExitCode.INTERRUPTED)

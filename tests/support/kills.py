"""Processes that kill themselves just before a file operation: the first, the second, and so on."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["die_at", "kills"]

EVENTS = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.scandir", "shutil.rmtree"}
    | {"sqlite3.connect"}
)
"""What the interpreter tells of file operations, just before it does them."""


def kills(work: Callable[[], object]) -> Iterator[bool]:
    """Do ``work`` in processes that are killed at their first file operation, their second and so on; tell of each
    whether it was killed. The last one comes through.
    """
    for last in itertools.count():
        child = os.fork()
        if child == 0:
            die_at(last)
            work()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        yield os.WIFSIGNALED(status)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


def die_at(last: int, within: Path | None = None) -> None:
    """Have this process killed before its next file operation but ``last``; with ``within``, of those below it."""
    counted = itertools.count()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or (within is not None and not _is_below(within, arguments)):
            return
        if next(counted) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _is_below(folder: Path, arguments: tuple[Any, ...]) -> bool:
    return any(isinstance(each, str | os.PathLike) and os.fspath(each).startswith(str(folder)) for each in arguments)

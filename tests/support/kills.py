"""Processes that kill themselves just before a file operation: the first, the second, and so on."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support import warm_program

__all__ = ["die_at", "kills", "was_killed"]

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


def was_killed(program: str, *arguments: object) -> bool:
    """Run a module as a program, which finds the SDK loaded; tell whether it was killed. Else it has to come through.

    Args:
        program: the module's name.
    """
    code = f"import runpy; runpy.run_module({program!r}, run_name='__main__')"
    with tempfile.TemporaryFile("w+") as errors:
        words = [str(each) for each in arguments]
        with warm_program.start(code, words, os.environ, stderr=errors, alone=False) as process:
            code_at_end = process.wait()
        errors.seek(0)
        assert code_at_end in (0, -signal.SIGKILL), errors.read()
    return code_at_end != 0


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

"""Processes that are forked from the parent, which has loaded the application for all of them.

To load it takes more than a second and a hundred megabytes: it is done once, while the database starts. What is forked
then is there at once, and shares that memory as long as nobody writes there. The parent runs no thread and no event
loop as it forks, so that nothing is cut in two.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import stat
import threading
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import uvicorn._subprocess

__all__ = ["call", "called", "end_with_parent", "load", "process"]


def load() -> None:
    """Load the application, with the environment as it is now: what is forked from here on has it."""
    # What modules make as they are loaded stays: to look through it, now or later, takes a fifth as long as to load it.
    gc.disable()
    try:
        importlib.import_module("lockleaf.server.main.loaded")
    finally:
        gc.freeze()
        gc.enable()


class _Process(ForkProcess):
    """A process that has what is loaded here, and no more of this one: no handler of a signal, no socket and no pipe.

    Args:
        target, args, kwargs: what it calls.
        keeping: what of that has a descriptor, which stays open there.
    """

    def __init__(
        self,
        target: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        keeping: tuple[Any, ...],
    ) -> None:
        super().__init__(target=target, args=args, kwargs=kwargs or {})
        self._keeping = keeping
        self._blocked: set[signal.Signals | int] = set()

    def start(self) -> None:
        """Fork it."""
        # What is here already the collector shall leave alone in both: it writes into memory that they share.
        gc.freeze()
        # A signal to the new process waits until this one's handlers are gone there.
        self._blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)

    def run(self) -> None:
        """Do in the new process what it is for."""
        parent = multiprocessing.parent_process()
        assert parent is not None
        _let_go_of_all_but({0, 1, 2, parent.sentinel, *(each.fileno() for each in self._keeping)})
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
        super().run()


def _let_go_of_all_but(descriptors: set[int]) -> None:
    """Close all else that has another end, where somebody waits for its end; handle signals as a new process does.

    The frames that called the fork are never returned to, so that what they hold is not closed a second time.
    """
    signal.set_wakeup_fd(-1)
    for each in signal.valid_signals():
        if callable(signal.getsignal(each)):
            signal.signal(each, signal.default_int_handler if each == signal.SIGINT else signal.SIG_DFL)
    for number in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        with contextlib.suppress(OSError):  # the one by which they were listed
            if number not in descriptors and stat.S_IFMT(os.fstat(number).st_mode) in (stat.S_IFSOCK, stat.S_IFIFO):
                os.close(number)


class _ForUvicorn:
    """What uvicorn's supervisor starts workers with: it has no setting for the way in which it does."""

    @staticmethod
    def Process(target: Callable[..., object], kwargs: Mapping[str, Any]) -> _Process:  # noqa: N802
        """Return a worker: it keeps its socket, the pipe between it and its parent, and what its application takes."""
        worker, application = kwargs["target"].__self__, kwargs["config"].app
        # Both ends: with one alone, the thread that answers would end with an error as the parent closes the other.
        pipe = worker.child_conn, worker.parent_conn
        return _Process(target, kwargs=kwargs, keeping=(*kwargs["sockets"], *pipe, *_open_in(*application.args)))


uvicorn._subprocess.spawn = _ForUvicorn  # type: ignore[assignment]


def _open_in(*arguments: Any) -> tuple[Any, ...]:
    return tuple(each for each in arguments if hasattr(each, "fileno"))


def process(name: str, *arguments: Any) -> ForkProcess:
    """Return a process that will call the function of that name (``module:function``), yet to be started.

    Args:
        arguments: for it. Of what is open here, it has these alone.
    """
    return _Process(called, (name, *arguments), keeping=_open_in(*arguments))


def call(name: str, *arguments: Any) -> Any:
    """Return what the function of that name returns in a process of its own, or raise what it raises."""
    # No pool: its queues are looked up by name as the process starts, and are gone where this one was interrupted.
    answers, told = multiprocessing.Pipe(duplex=False)
    started = _Process(_tell, (told, name, *arguments), keeping=(told, *_open_in(*arguments)))
    started.start()
    told.close()
    try:
        with answers:
            raised, answer = answers.recv()
    except EOFError:
        raise RuntimeError(f"{name} ended without an answer") from None
    finally:
        started.join()
    if raised:
        raise answer
    return answer


def _tell(told: multiprocessing.connection.Connection, name: str, *arguments: Any) -> None:
    end_with_parent()
    try:
        answer = False, called(name, *arguments)
    except BaseException as error:
        answer = True, error
    with contextlib.suppress(OSError):  # whoever asked is gone
        told.send(answer)


def called(name: str, *arguments: Any) -> Any:
    """Call the function of that name, and return what it returns: who asks for it need not have loaded it."""
    return resolve_name(name)(*arguments)


def end_with_parent() -> None:
    """Stop this process if its parent dies without having said so: an orphan would hold the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lockleaf-parent", daemon=True).start()

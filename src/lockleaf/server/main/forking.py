"""Processes that are forked from one that has loaded the application.

To load it takes more than a second and a hundred megabytes: it is done once, while the database starts. What is forked
then is there at once. The process that they are forked from runs no thread and no event loop, so that nothing is cut in
two; the one that looks after them loads next to nothing.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import ForkServerProcess
from pkgutil import resolve_name
from typing import Any

import uvicorn._subprocess

__all__ = ["begin_to_load", "call", "called", "end_with_parent", "process"]

_forked = multiprocessing.get_context("forkserver")
# Uvicorn's supervisor has no setting for the way in which it starts workers.
uvicorn._subprocess.spawn = _forked  # type: ignore[assignment]


def begin_to_load() -> None:
    """Start the process that loads, with the environment as it is now, and do not wait for it."""
    _forked.set_forkserver_preload(["lockleaf.server.main.loaded"])
    multiprocessing.forkserver.ensure_running()


def process(name: str, *arguments: Any) -> ForkServerProcess:
    """Return a process that will call the function of that name (``module:function``), yet to be started."""
    return _forked.Process(target=called, args=(name, *arguments))


def call(name: str, *arguments: Any) -> Any:
    """Return what the function of that name returns in a process of its own, or raise what it raises."""
    with ProcessPoolExecutor(1, mp_context=_forked) as pool:
        return pool.submit(called, name, *arguments).result()


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

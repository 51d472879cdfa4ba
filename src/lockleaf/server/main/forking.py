"""Processes that are forked from one that has loaded the application.

To load it takes more than a second and a hundred megabytes: it is done once, while the database starts. What is forked
then is there at once. The process that they are forked from runs no thread and no event loop, so that nothing is cut in
two; the one that looks after them loads next to nothing. That one, too, is forked from it while it runs no thread, so
that what it has loaded is loaded once.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import uvicorn._subprocess

from lockleaf.server.platform.observability.processes import return_memory

__all__ = ["begin_to_load", "call", "called", "end_with_parent", "process"]

_forked = multiprocessing.get_context("forkserver")
# Uvicorn's supervisor has no setting for the way in which it starts workers.
uvicorn._subprocess.spawn = _forked  # type: ignore[assignment]


def begin_to_load() -> None:
    """Start the process that loads, with the environment as it is now, and do not wait for it."""
    _forked.set_forkserver_preload(["lockleaf.server.main.loaded"])
    _keep_no_track_of_resources()
    return_memory()
    # One that is started later, in place of one that died, begins from nothing: there are threads then.
    with _starting_by_fork() if _can_fork() else contextlib.nullcontext():
        multiprocessing.forkserver.ensure_running()


def _keep_no_track_of_resources() -> None:
    """Spare the process that `multiprocessing` starts to remove named semaphores and shared memory after a crash.

    Of neither we have any: the semaphores of its queues lose their names as soon as they are made.
    """
    tracker: Any = multiprocessing.resource_tracker._resource_tracker
    if tracker._fd is None:
        tracker._fd = os.open(os.devnull, os.O_WRONLY)
        atexit.register(setattr, tracker, "_fd", None)  # else it would wait for the process that is not there


def _can_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def _starting_by_fork() -> Iterator[None]:
    """Have `multiprocessing` fork its helpers from this process, where it would begin each with an empty Python."""
    helpers: Any = multiprocessing.util
    executed, helpers.spawnv_passfds = helpers.spawnv_passfds, _forked_helper
    try:
        yield
    finally:
        helpers.spawnv_passfds = executed


def _forked_helper(path: str, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
    """Fork a process that runs the program behind ``-c``; return its id.

    Nothing of this process goes on there: no open file but those that are named, no handler of a signal. The frames
    that called this one are never returned to, so that what they hold is not closed a second time.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # What is here already the collector shall leave alone in both: it writes into memory that they share.
    gc.freeze()
    process_id = os.fork()
    if process_id:
        return process_id
    code = 1
    try:
        # Until all is loaded: what modules make as they are loaded stays, and looking through it takes a fifth as long.
        gc.disable()
        _let_go_of_all_but({0, 1, 2, *descriptors})
        exec(arguments[-1], {"__name__": "__main__"})  # noqa: S102  (two lines of the standard library's own)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _let_go_of_all_but(descriptors: set[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.Signals:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    for each in list(Path("/proc/self/fd").iterdir()):
        if int(each.name) not in descriptors:
            with contextlib.suppress(OSError):  # the one by which they were listed
                os.close(int(each.name))
    # Its lock is held by the process that was left.
    helper: Any = multiprocessing.forkserver._forkserver
    type(helper).__init__(helper)


def process(name: str, *arguments: Any) -> ForkServerProcess:
    """Return a process that will call the function of that name (``module:function``), yet to be started."""
    return _forked.Process(target=called, args=(name, *arguments))


def call(name: str, *arguments: Any) -> Any:
    """Return what the function of that name returns in a process of its own, or raise what it raises."""
    # No pool: its queues are looked up by name as the process starts, and are gone where this one was interrupted.
    answers, told = _forked.Pipe(duplex=False)
    started = _forked.Process(target=_tell, args=(told, name, *arguments))
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

"""Ctrl-C: the first ends a command in order, the second at once; the exit code is 130."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import termios
import threading
from collections.abc import Coroutine, Iterator
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any

from lockleaf.cli.ending import before_ending, end_at_once
from lockleaf.lazy import late

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = late("asyncio")  # a help and a version do without

__all__ = ["asking", "interrupts_raise", "load_event_loop", "run_to_end"]


class _Asked:
    """Whether a person is being asked something at the moment."""

    depth = 0
    in_thread = False


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Let Ctrl-C end a question: within a coroutine nobody would look at a cancellation before it is answered.

    One that is asked in a thread goes on waiting whatever becomes of the coroutine, so that the process ends at once.
    """
    _Asked.depth += 1
    _Asked.in_thread = threading.current_thread() is not threading.main_thread()
    try:
        with _terminal_put_back():
            yield
    finally:
        _Asked.depth -= 1


@contextlib.contextmanager
def _terminal_put_back() -> Iterator[None]:
    """Leave the terminal as it is now if the process ends at once: a password is typed without being shown."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    settings = termios.tcgetattr(terminal)

    def put_back() -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, settings)

    try:
        with before_ending(put_back):
            yield
    finally:
        os.close(terminal)


@contextlib.contextmanager
def interrupts_raise() -> Iterator[None]:
    """Have an interrupt raise `KeyboardInterrupt` while a command runs, as Python does of itself."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def load_event_loop() -> None:
    """Load what `run_to_end` runs with, before `interrupts_raise`: what is raised within an import may be lost."""
    import_module("asyncio")


def run_to_end(work: Coroutine[Any, Any, None]) -> None:
    """Run the coroutine of a command in an event loop of its own.

    The first interrupt cancels it, so that it puts down what it holds. A second one ends the process at once,
    whatever still runs: all that is kept on this device survives that, as it survives a power cut.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        asyncio.run(work)
        return
    task: asyncio.Task[None] | None = None
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if _Asked.depth and not _Asked.in_thread:
            raise KeyboardInterrupt
        if _Asked.depth or interrupted:
            end_at_once()
        interrupted = True
        if task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the command has ended
                loop.call_soon_threadsafe(task.cancel)

    async def main() -> None:
        nonlocal task
        task = asyncio.current_task()
        if interrupted:
            work.close()
            raise asyncio.CancelledError
        await work

    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        asyncio.run(work)
        return
    with asyncio.Runner() as runner, _woken_by_signals(runner.get_loop()) as loop:
        signal.signal(signal.SIGINT, interrupt)
        try:
            runner.run(main())
        except asyncio.CancelledError:
            if not interrupted:
                raise
            # Still under the handler above: what closing the loop waits for can be interrupted again.
            runner.close()
            raise KeyboardInterrupt from None
        finally:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _woken_by_signals(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.AbstractEventLoop]:
    """Have each signal wake the loop.

    Python calls a handler between two of its instructions. A signal that comes after the last of them, and before the
    loop's wait for news has begun, would otherwise be found when something else happens, which may be never.
    """
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    with reading, writing:
        loop.add_reader(reading, lambda: reading.recv(4096))
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield loop
        finally:
            signal.set_wakeup_fd(before)
            if not loop.is_closed():
                loop.remove_reader(reading)

"""Long work in a thread: it tells how far it is, and puts its files down when its caller is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar, cast

__all__ = ["Beat", "Moved", "in_thread"]

T = TypeVar("T")

Moved = Callable[[int], None]
"""Told, in the event loop, how many bytes are done."""
Beat = Callable[[int], None]
"""Called by the work often, with the bytes done; it raises where the work is to end."""


class _Cancelled(BaseException):
    """The caller waits no more."""


async def in_thread(work: Callable[[Beat], T], moved: Moved | None = None) -> T:
    """Run ``work`` in a thread and return its result. A cancelled caller waits until the work has ended."""
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()

    def beat(done: int) -> None:
        if cancelled.is_set():
            raise _Cancelled
        if moved is not None:
            loop.call_soon_threadsafe(moved, done)

    def guarded() -> T | None:
        try:
            return work(beat)
        except _Cancelled:
            return None

    running = loop.run_in_executor(None, guarded)
    try:
        result = await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait([running])
        raise
    return cast(T, result)  # None stands for what was cancelled, and that has raised

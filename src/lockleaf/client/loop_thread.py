"""An event loop in a thread, and what lets objects of the asynchronous SDK be used from outside of it."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

__all__ = ["Face", "LoopThread", "waits"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds that an interrupted call waits for its work to end."""


class LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lockleaf", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run ``work`` in the loop and return its result; an interrupt cancels it."""
        ended = threading.Event()

        async def watched() -> R:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException:
            if future.cancel():
                # It may hold locks and open files: let it put them down before the caller goes on.
                ended.wait(_PATIENCE)
            raise

    def close(self) -> None:
        """End the loop, with everything that still runs in it."""
        if self._thread.is_alive():
            self.run(_cancel_all())
            self.run(self._loop.shutdown_asyncgens())
            self.run(self._loop.shutdown_default_executor())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Face(Generic[T]):
    """Stands for an object of the asynchronous SDK, found anew at each use: a login replaces some of them."""

    def __init__(self, loop: LoopThread, find: Callable[[], T]) -> None:
        self._loop = loop
        self._find = find


class waits(Generic[P, R]):  # noqa: N801  (read like a decorator)
    """Makes a method of the asynchronous SDK one that returns when it is done."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, face: Face[Any], owner: type) -> Callable[P, R]:
        @functools.wraps(self._method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return face._loop.run(self._method(face._find(), *args, **kwargs))

        return call

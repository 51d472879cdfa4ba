"""Doing once for all that happened in one turn of an event loop what would cost as much for each of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["AtTurnsEnd"]


class AtTurnsEnd:
    """Does something at the end of the present turn of the loop, however often it was asked to; at once without one.

    Args:
        work: what to do.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._asked: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> None:
        """Have it done."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._work()
            return
        if self._asked is not loop:
            self._asked = loop
            loop.call_soon(self.now)

    def now(self) -> None:
        """Do it."""
        self._asked = None
        self._work()

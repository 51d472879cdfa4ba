"""Who is there: the requests that are being answered, and when a person did something last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

__all__ = ["Attendance"]


@dataclass
class Attendance:
    """What keeps a journal open.

    Args:
        lock_after: seconds after which it is to be locked where a person does nothing; None: never.
    """

    lock_after: float | None = None
    used: float = field(default_factory=monotonic)
    """When its person was there last, by the clock that only goes forward."""
    _running: int = 0
    _attended: int = 0
    """Requests that are being answered to a person: one may wait for long without touching anything."""
    _quiet: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def at_work(self, idle: float | None = None) -> AsyncIterator[None]:
        """Keep the journal open while something is done with it.

        Args:
            idle: for how many seconds its person had done nothing; None for what nobody asked for. A page asks for what
                changed without anybody there, which must not keep the journal open any longer.
        """
        attended = idle is not None and (self.lock_after is None or idle < self.lock_after)
        self.use(idle)
        self._running += 1
        self._attended += attended
        try:
            yield
        finally:
            self._running -= 1
            self._attended -= attended
            self.use(idle)
            if not self._running:
                self._quiet.set()

    def use(self, idle: float | None = 0) -> None:
        """Note that somebody is there who did something so many seconds ago."""
        if idle is not None:
            self.used = max(self.used, monotonic() - idle)

    @property
    def is_over(self) -> bool:
        """Whether nobody was there for as long as the journal stays open."""
        return self.lock_after is not None and not self._attended and monotonic() - self.used > self.lock_after

    async def end(self, patience: float) -> None:
        """Wait until nothing is done any more, for so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._running:
                    self._quiet.clear()
                    await self._quiet.wait()

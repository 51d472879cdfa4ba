"""A journal that another program gives an account while it is open here: opened anew, under the keys of now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lockleaf import client as sdk

__all__ = ["Moves"]

_PATIENCE = 10.0
"""Seconds for which a request waits until the other program is done."""
_LOOK_AGAIN = 0.05


@dataclass
class Moves:
    """Looks whether the journal moved, and goes on with it.

    Args:
        opened: gives the client, if there is one.
        open_anew: opens another one.
        exchange: goes on with that.
    """

    opened: Callable[[], sdk.Client | None]
    open_anew: Callable[[], Awaitable[sdk.Client]]
    exchange: Callable[[sdk.Client], Awaitable[None]]
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> None:
        """Go on with the journal where it has moved and the other program is done.

        Raises:
            LockleafError: it cannot be opened anew.
        """
        async with self._looking:
            present = self.opened()
            if present is not None and await asyncio.to_thread(lambda: present.has_moved):
                await self.exchange(await self.open_anew())

    async def wait(self, left: sdk.Client | None) -> bool:
        """Wait until there is another client than the one that found the journal moved; return whether there is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self.opened() is left:
                    await self.look()
                    if self.opened() is left:
                        await asyncio.sleep(_LOOK_AGAIN)
        return self.opened() is not left

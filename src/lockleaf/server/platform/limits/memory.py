"""Rates counted in the memory of one process, of which there is an end.

The storage that comes with `limits` goes through every key it has at each request, and keeps as many as come. Here a
request looks at its own, and where there are too many the one that rested longest goes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from math import floor

from limits.aio.storage import SlidingWindowCounterSupport, Storage

__all__ = ["BoundedMemory"]

_Windows = tuple[int, int, int]
"""The number of the present window, the hits of the one before it, and its own."""


class BoundedMemory(Storage, SlidingWindowCounterSupport):
    """The hits of the present and the previous window of each key.

    Args:
        most: how many keys are kept.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int) -> None:
        self._most = most
        self._windows: OrderedDict[str, _Windows] = OrderedDict()
        super().__init__()

    def __len__(self) -> int:
        return len(self._windows)

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count hits, if fewer than ``limit`` were counted within ``expiry`` seconds; tell whether they were."""
        now = time.time()
        number, before, present = self._at(key, expiry, now)
        if floor(before * (1 - now / expiry % 1) + present) + amount > limit:
            return False
        self._windows[key] = (number, before, present + amount)
        self._windows.move_to_end(key)
        while len(self._windows) > self._most:
            self._windows.popitem(last=False)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the hits of the previous window, for how many seconds they count, and the same of the present one."""
        now = time.time()
        _, before, present = self._at(key, expiry, now)
        left = (1 - now / expiry % 1) * expiry
        return before, left if before else 0.0, present, left + expiry

    def _at(self, key: str, expiry: int, now: float) -> _Windows:
        present = int(now // expiry)
        number, before, hits = self._windows.get(key, (present, 0, 0))
        match present - number:
            case 0:
                return present, before, hits
            case 1:
                return present, hits, 0
            case _:
                return present, 0, 0

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a key."""
        self._windows.pop(key, None)

    async def clear(self, key: str) -> None:
        """Forget a key."""
        self._windows.pop(key, None)

    async def reset(self) -> int | None:
        """Forget every key; return how many there were."""
        count = len(self._windows)
        self._windows.clear()
        return count

    async def check(self) -> bool:
        """Tell that memory answers."""
        return True

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing goes wrong here."""
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count nothing: a fixed window lets twice as many through at its edge, and is not for rates here."""
        raise NotImplementedError

    async def get(self, key: str) -> int:
        """Tell nothing, as `incr` counts nothing."""
        raise NotImplementedError

    async def get_expiry(self, key: str) -> float:
        """Tell nothing, as `incr` counts nothing."""
        raise NotImplementedError

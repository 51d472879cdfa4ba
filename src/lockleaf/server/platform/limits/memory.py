"""Rates counted in the memory of one process, of which there is an end.

The storage that comes with `limits` goes through every key it has at each request, and keeps as many as come. Here a
request looks at its own, and where there are too many the one that rested longest goes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from math import ceil, floor, inf
from typing import NamedTuple

__all__ = ["Limit", "SlidingWindows"]


class Limit(NamedTuple):
    """So many requests in a window of so many seconds, by the name that clients are told."""

    name: str
    amount: int
    seconds: int


_Windows = tuple[int, int, int]
"""The number of the present window, the requests of the one before it, and its own."""


class SlidingWindows:
    """Counts the requests of many keys against one limit, as the sliding window counter of `limits` does.

    The requests of the window before count as far as it still reaches into the last ``limit.seconds``.

    Args:
        limit: against which.
        most: how many keys are kept.
    """

    def __init__(self, limit: Limit, most: int) -> None:
        self.limit = limit
        self._most = most
        self._windows: OrderedDict[str, _Windows] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: str) -> bool:
        """Count a request, unless there were too many; tell whether it was counted."""
        _, amount, seconds = self.limit
        now = time.time()
        number, before, present = self._at(key, now)
        if floor(before * (1 - now / seconds % 1) + present) >= amount:
            return False
        windows = self._windows
        windows[key] = (number, before, present + 1)
        windows.move_to_end(key)
        if len(windows) > self._most:
            windows.popitem(last=False)
        return True

    def left(self, key: str) -> tuple[int, int]:
        """Return how many more requests would pass now, and in how many seconds, at least 1, there is one more."""
        _, amount, seconds = self.limit
        now = time.time()
        _, before, present = self._at(key, now)
        share = 1 - now / seconds % 1
        remaining = max(0, amount - floor(before * share + present))
        ends = share * seconds
        passes = min(ends % (seconds / before) if before else inf, ends % seconds if present else inf)
        return remaining, max(1, ceil(passes)) if before or present else 1

    def _at(self, key: str, now: float) -> _Windows:
        present = int(now // self.limit.seconds)
        number, before, hits = self._windows.get(key, (present, 0, 0))
        match present - number:
            case 0:
                return present, before, hits
            case 1:
                return present, hits, 0
            case _:
                return present, 0, 0

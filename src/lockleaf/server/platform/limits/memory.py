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
_NONE: _Windows = (-2, 0, 0)


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
        number = int(now // seconds)
        before, present = self._counted(key, number)
        if present >= amount or (before and floor(before * (1 - now / seconds % 1) + present) >= amount):
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
        before, present = self._counted(key, int(now // seconds))
        share = 1 - now / seconds % 1
        remaining = max(0, amount - floor(before * share + present))
        ends = share * seconds
        passes = min(ends % (seconds / before) if before else inf, ends % seconds if present else inf)
        return remaining, max(1, ceil(passes)) if before or present else 1

    def _counted(self, key: str, number: int) -> tuple[int, int]:
        """Return the requests of the window before the one of this ``number``, and its own."""
        counted, before, present = self._windows.get(key, _NONE)
        if counted == number:
            return before, present
        return (present, 0) if counted == number - 1 else (0, 0)

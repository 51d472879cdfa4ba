"""Taking entries into the index of words while many are written, so that the first search has fewer to take in."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lockleaf.client.errors import LocalStoreError
from lockleaf.client.store import LocalStore
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.search import local_search
else:
    # What writes few entries takes none in.
    local_search = late("lockleaf.client.search.local_search")

__all__ = ["KeepingUp"]

_SHARE = 0.15
_SECONDS = 0.3


class KeepingUp:
    """Takes entries in for at most 0.15 of the time since it was made; the rest waits for the next search.

    Args:
        clock: gives seconds.
    """

    def __init__(self, store: LocalStore, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._clock = clock
        self._started = clock()
        self._spent = 0.0
        self._last = _SECONDS
        self._search: local_search.LocalSearch | None = None

    def go_on(self) -> None:
        """Take in what waits, a segment at a time, while there is time for one more. Blocks."""
        while self._spent + self._last <= _SHARE * (self._clock() - self._started):
            begun, more = self._clock(), False
            # Whatever is wrong with the store, whoever writes to it says so.
            with suppress(LocalStoreError):
                self._search = self._search or local_search.LocalSearch(self._store)
                more = self._search.keep_up()
            taken = self._clock() - begun
            self._spent += taken
            if not more:
                return
            self._last = taken

    def finish(self) -> None:
        """Go on a last time, and let go of the index. Blocks."""
        try:
            self.go_on()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the index."""
        if self._search is not None:
            self._search.close()

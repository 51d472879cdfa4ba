"""Taking entries into the index of words while many are written, so that a search has few to take in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lockleaf.client.errors import LocalStoreError
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.store import LocalStore
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.search import local_search
else:
    # What writes few entries takes none in.
    local_search = late("lockleaf.client.search.local_search")

__all__ = ["MOST_LEFT", "KeepingUp"]

MOST_LEFT = 4_096
"""Entries that are left to the next search, which takes them in within a second."""
_LOOKS = 2_048
"""After so many writes it is looked how many wait, for which the index has to be opened."""
_SHARE = 0.15
_SECONDS = 0.3


class KeepingUp:
    """Takes entries in: for at most 0.15 of the time since it was made, and at the end those that are too many to wait.

    Args:
        clock: gives seconds.
    """

    def __init__(self, store: LocalStore, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._clock = clock
        self._started = clock()
        self._written = store.records.latest()
        self._spent = 0.0
        self._last = _SECONDS
        self._opened: local_search.LocalSearch | None = None

    def go_on(self) -> None:
        """Take in what waits, a segment at a time, while there is time for one more. Blocks."""
        while self._spent + self._last <= _SHARE * (self._clock() - self._started):
            begun, more = self._clock(), 0
            # Whatever is wrong with the store, whoever writes to it says so.
            with suppress(LocalStoreError):
                more = self._search().keep_up()
            taken = self._clock() - begun
            self._spent += taken
            if not more:
                return
            self._last = taken

    async def finish(self, progress: ProgressCallback | None = None) -> None:
        """Take in what is too much to wait for the next search, however long it takes, and let go of the index.

        Interrupted, it leaves the rest to the next search.

        Args:
            progress: told how many entries were taken in, as the stage ``words``.
        """
        try:
            with suppress(LocalStoreError):
                total, taken = await asyncio.to_thread(self._left_over), 0
                while taken < total and (more := await asyncio.to_thread(self._search().keep_up)):
                    taken += more
                    if progress is not None:
                        progress(Progress("words", min(taken, total), total))
        finally:
            if self._opened is not None:
                await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Let go of the index."""
        if self._opened is not None:
            self._opened.close()

    def _search(self) -> local_search.LocalSearch:
        self._opened = self._opened or local_search.LocalSearch(self._store)
        return self._opened

    def _left_over(self) -> int:
        """Go on a last time; return how many entries wait then beyond those that may."""
        self.go_on()
        if self._store.records.latest() // _LOOKS == self._written // _LOOKS:
            return 0
        return max(0, self._search().waiting() - MOST_LEFT)

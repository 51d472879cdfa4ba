"""The process beside the web workers that does the background work, as their parent looks after it."""

from __future__ import annotations

import socket
import time
from multiprocessing.context import ForkProcess

from lockleaf.server.main import forking
from lockleaf.server.main.bell import Leaving
from lockleaf.server.platform.settings import Settings

__all__ = ["BackgroundWork", "connections", "in_process"]


def in_process(settings: Settings) -> bool:
    """Tell whether ``lockleaf serve`` does the background work too."""
    chosen = settings.jobs.in_process
    return settings.database.url is None if chosen is None else chosen


def connections(settings: Settings) -> int:
    """Return how many connections to the database a worker needs at most."""
    # Each job: a transaction, a snapshot, its progress. The queue and live events have one each, schedules the rest.
    return 3 * settings.jobs.concurrency + 6


class BackgroundWork:
    """One process, however many web workers there are: there while there is work, and replaced if it dies.

    Args:
        settings: of the server.
        database_url: of the embedded or the external database.
        rope: by which it tells this process that it leaves, and when there is work again.
    """

    def __init__(self, settings: Settings, database_url: str, rope: socket.socket) -> None:
        self._given = settings, database_url, rope
        self._left: Leaving | None = None
        self._wanted_at = 0.0
        self._process = self._begin()

    def want(self) -> None:
        """Have it look whether there are jobs: there may be new ones."""
        self._wanted_at = time.monotonic()

    def leaves(self, leaving: Leaving) -> None:
        """Know that it ends for want of work, and is not to be replaced before there is some."""
        self._left = leaving

    def _begin(self) -> ForkProcess:
        process = forking.process("lockleaf.server.main.job_worker:work_beside", *self._given)
        process.start()
        return process

    def keep_alive(self) -> None:
        """Begin anew if it has died, or has left and there is work again."""
        if self._process.is_alive():
            return
        left = self._left
        # What came after it had looked, it may not have seen.
        if left is None or self._wanted_at >= left.looked_at or time.monotonic() >= left.looked_at + left.due_in:
            self._left = None
            self._process = self._begin()

    def stop(self) -> None:
        """Have it take no more jobs; those that run may finish within the time of grace. May be called again."""
        self._process.terminate()

    def join(self) -> None:
        """Wait until it has stopped."""
        self._process.join()

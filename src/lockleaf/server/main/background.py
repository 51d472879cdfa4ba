"""The process beside the web workers that does the background work, as their parent looks after it."""

from __future__ import annotations

from multiprocessing.context import ForkServerProcess

from lockleaf.server.main import forking
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
    """One process, however many web workers there are; replaced if it dies.

    Args:
        settings: of the server.
        database_url: of the embedded or the external database.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._given = settings, database_url
        self._process = self._begin()

    def _begin(self) -> ForkServerProcess:
        process = forking.process("lockleaf.server.main.job_worker:work_beside", *self._given)
        process.start()
        return process

    def keep_alive(self) -> None:
        """Begin anew if it has died."""
        if not self._process.is_alive():
            self._process = self._begin()

    def stop(self) -> None:
        """Have it take no more jobs; those that run may finish within the time of grace. May be called again."""
        self._process.terminate()

    def join(self) -> None:
        """Wait until it has stopped."""
        self._process.join()

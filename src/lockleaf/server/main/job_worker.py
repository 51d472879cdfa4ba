"""Background work as a process of its own (``lockleaf worker``), or as a thread beside web workers."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from functools import partial

import structlog

from lockleaf.server.main.app import build_parts, close_parts
from lockleaf.server.main.features import HANDLERS, SCHEDULES
from lockleaf.server.platform.db.migrate import require_current
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.jobs.worker import JobWorker
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.settings import Settings
from lockleaf.tasks import end_task

__all__ = ["JobWorkerThread", "connections", "in_process", "work"]

RESTART_SECONDS = 1.0

log = structlog.get_logger("lockleaf.jobs")


def in_process(settings: Settings) -> bool:
    """Tell whether ``lockleaf serve`` does the background work itself."""
    chosen = settings.jobs.in_process
    return settings.database.url is None if chosen is None else chosen


def connections(settings: Settings) -> int:
    """Return how many connections to the database a worker needs at most."""
    # Each job: a transaction, a snapshot, its progress. The queue and live events have one each, schedules the rest.
    return 3 * settings.jobs.concurrency + 6


def work(settings: Settings, database_url: str, *, announce: Callable[[], None] = lambda: None) -> None:
    """Do background work until SIGTERM or SIGINT.

    Args:
        announce: called once jobs are taken.

    Raises:
        SchemaBehind: the database has an older schema.
        OSError: the database does not answer.
        SecretsMissing, SecretsDamaged: the server's secrets are not set.
    """
    logging.configure(settings.log.format, settings.log.level)

    async def main() -> None:
        await require_current(database_url)
        loop = asyncio.get_running_loop()

        def begin(worker: JobWorker) -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, worker.stop)

        await _run(settings, database_url, begin, announce)

    asyncio.run(main())


async def _run(
    settings: Settings, database_url: str, begin: Callable[[JobWorker], None], announce: Callable[[], None]
) -> None:
    parts = build_parts(settings, database_url)
    worker = JobWorker(parts, database_url, handlers=HANDLERS, schedules=SCHEDULES)
    begin(worker)
    parts[EventHub].start()

    async def tell() -> None:
        await worker.taking.wait()
        announce()

    telling = asyncio.create_task(tell())
    try:
        await worker.run()
    finally:
        await end_task(telling)
        await close_parts(parts)


class JobWorkerThread:
    """A worker in a thread of the process that looks after the web workers.

    That process has everything imported that a worker needs and does next to nothing, so the thread costs hardly any
    memory and takes no time from requests, which are served elsewhere.

    Args:
        settings: of the server.
        database_url: of the embedded or the external database.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._url = database_url
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._stop_worker: Callable[[], object] | None = None
        self._thread = threading.Thread(target=self._main, name="lockleaf-jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more jobs; those that run may finish within the time of grace. May be called again."""
        self._stopping.set()
        with self._lock:
            if self._stop_worker is not None:
                self._stop_worker()

    def join(self) -> None:
        """Wait until the work has stopped."""
        self._thread.join()

    def _main(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(_run(self._settings, self._url, self._begin, lambda: None))
            except Exception:
                log.exception("background work ended by itself, and begins anew")
                self._stopping.wait(RESTART_SECONDS)
            finally:
                with self._lock:
                    self._stop_worker = None

    def _begin(self, worker: JobWorker) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            self._stop_worker = partial(loop.call_soon_threadsafe, worker.stop)
        if self._stopping.is_set():  # it was asked for before there was anything to stop
            worker.stop()

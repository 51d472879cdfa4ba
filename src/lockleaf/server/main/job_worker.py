"""Background work, by itself (``lockleaf worker``) or beside web workers."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable

import structlog

from lockleaf.server.main.app import build_parts, close_parts
from lockleaf.server.main.background import connections
from lockleaf.server.main.bell import Leaving, ring
from lockleaf.server.main.features import HANDLERS, SCHEDULES
from lockleaf.server.main.forking import end_with_parent
from lockleaf.server.platform.db.migrate import require_current
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.jobs.worker import JobWorker
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.observability.metrics import counting_as
from lockleaf.server.platform.observability.processes import name_process
from lockleaf.server.platform.settings import Settings
from lockleaf.tasks import end_task

__all__ = ["work", "work_beside"]

RESTART_SECONDS = 1.0

log = structlog.get_logger("lockleaf.jobs")


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
    settings: Settings,
    database_url: str,
    begin: Callable[[JobWorker], None],
    announce: Callable[[], None],
    leave: Callable[[float, float], None] | None = None,
) -> None:
    # Each job may hold several connections at a time: with fewer, jobs would wait for one another's.
    pools = settings.database.model_copy(update={"pool_size": max(settings.database.pool_size, connections(settings))})
    parts = build_parts(settings.model_copy(update={"database": pools}), database_url)
    worker = JobWorker(parts, database_url, handlers=HANDLERS, schedules=SCHEDULES, leave=leave)
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


def work_beside(settings: Settings, database_url: str, rope: socket.socket) -> None:
    """Do background work beside web workers, as a process of their parent's: until there is none, or SIGTERM.

    Args:
        settings: of the server. Its log is set up already: this process was forked from one that did it.
        rope: by which the parent is told when there will be more.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which tells this process
    end_with_parent()
    name_process("jobs")
    told = False

    def begin(worker: JobWorker) -> None:
        def stop() -> None:
            nonlocal told
            told = True
            worker.stop()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)

    def leave(looked_at: float, due_in: float) -> None:
        nonlocal told
        told = True
        ring(rope, Leaving(looked_at, due_in))

    with counting_as("jobs"):
        while not told:
            try:
                asyncio.run(_run(settings, database_url, begin, lambda: None, leave))
            except Exception:
                log.exception("background work ended by itself, and begins anew")
                time.sleep(RESTART_SECONDS)

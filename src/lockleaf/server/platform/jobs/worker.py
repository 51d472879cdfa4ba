"""A worker: takes jobs from the queue, and runs what is due by the clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer.core.executors import EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain import models
from pgqueuer.domain.errors import RetryRequested

from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.errors import DRIVER_ERRORS
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs.attempt import Failed, Handler, PutBack, attempt
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings

__all__ = ["JobWorker", "Schedule"]

RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5)
APPLICATION = "lockleaf-jobs"

log = structlog.get_logger("lockleaf.jobs")


class JobFailed(Exception):
    """A job failed. The library keeps this text: it is a code and never more."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something that is due by the clock, in one worker of all.

    Attributes:
        name: by which workers know that they mean the same.
        cron: when, in UTC.
        run: does it, with the parts that it takes; may be run any number of times, even at once.
        drops: whether it only drops what is of no use to anybody any more.
    """

    name: str
    cron: str
    run: Callable[..., Awaitable[None]]
    drops: bool = True


class JobWorker:
    """Does the background work of an installation, beside any number of others.

    Args:
        parts: of its process.
        url: of the database, for a connection of its own: the queue listens on it.
        handlers: what does each kind of job.
        schedules: what is due by the clock.
    """

    def __init__(
        self, parts: Parts, url: str, *, handlers: Mapping[str, Handler], schedules: Sequence[Schedule] = ()
    ) -> None:
        self._parts = parts
        self._url = asyncpg_url(url)
        self._handlers = handlers
        self._schedules = schedules
        self._stopping = asyncio.Event()
        self._out_of_patience = asyncio.Event()
        self.taking = asyncio.Event()
        """Set while jobs are taken."""

    def stop(self) -> None:
        """Take no more jobs. What runs may finish within the time of grace, and is handed back then."""
        if not self._stopping.is_set():
            self._stopping.set()
            grace = self._parts[Settings].jobs.grace_seconds
            asyncio.get_running_loop().call_later(grace, self._out_of_patience.set)

    async def run(self) -> None:
        """Work until ``stop`` is called, whatever becomes of the database in between."""
        failures = 0
        while not self._stopping.is_set():
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, *DRIVER_ERRORS) as error:
                if failures == 0:
                    log.warning("jobs wait for the database", failure=error)
                await self._pause(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            try:
                await self._work(connection)
            except Exception as error:
                log.warning("jobs were interrupted", failure=error)
                await self._pause(RECONNECT_SECONDS[0])
            finally:
                self.taking.clear()
                connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        # Not under the settings of requests' connections: the queue's statements look at what is due among few rows,
        # and are best planned as they come.
        return await connect(self._url, timeout=10, server_settings={"application_name": APPLICATION, "jit": "off"})

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _work(self, connection: asyncpg.Connection) -> None:
        settings = self._parts[Settings].jobs
        queries = queue.queries(connection)
        manager = QueueManager(queries, queue.CHANNEL)
        for kind in self._handlers:
            manager.register_executor(kind, self._executor(kind))
        scheduler = SchedulerManager(queries)
        for schedule in self._schedules:
            scheduler.schedule(schedule.name, schedule.cron)(self._scheduled(schedule))
        running = [
            asyncio.create_task(
                manager.run(
                    dequeue_timeout=timedelta(seconds=settings.poll_seconds),
                    batch_size=max(1, settings.concurrency // 2),
                    max_concurrent_tasks=settings.concurrency,
                    # A connection that hears nothing any more is replaced.
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=timedelta(seconds=settings.heartbeat_seconds),
                )
            )
        ]
        if self._schedules:
            running.append(asyncio.create_task(scheduler.run()))
        stop = asyncio.create_task(self._stopping.wait())
        self.taking.set()
        try:
            # Whichever ends first takes the others along: they share the connection.
            await asyncio.wait((*running, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.taking.clear()
            stop.cancel()
            manager.shutdown.set()
            scheduler.shutdown.set()
            ended = await asyncio.gather(*running, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    def _executor(self, kind: str) -> EntrypointExecutor:
        async def execute(queued: models.Job) -> None:
            user_id, job_id = queue.read(queued.payload)
            outcome = await attempt(self._parts, kind, self._handlers[kind], user_id, job_id, self._out_of_patience)
            match outcome:
                case PutBack(code, delay):
                    raise RetryRequested(delay=delay, reason=code)
                case Failed(code):
                    raise JobFailed(code)

        return EntrypointExecutor(EntrypointExecutorParameters(concurrency_limit=0, func=execute))

    def _scheduled(self, schedule: Schedule) -> Callable[[models.Schedule], Awaitable[None]]:
        async def run(due: models.Schedule) -> None:
            try:
                await self._parts.call(schedule.run)
            except Exception:  # the library would log its text
                log.exception("scheduled work failed", schedule=schedule.name)
            else:
                log.info("scheduled work done", schedule=schedule.name)

        return run

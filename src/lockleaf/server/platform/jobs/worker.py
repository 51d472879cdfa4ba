"""A worker: takes jobs from the queue, and runs what is due by the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer.adapters.persistence.queries import Queries
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
LONGEST_REST_SECONDS = 900.0
"""After this long a worker that left looks again by itself, whatever it knew."""

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
        leave: told when, by the monotonic clock, there was nothing to do, and in how many seconds there will be, where
            the worker stops by itself after ``jobs.idle_seconds`` without anything. Otherwise it stays.
    """

    def __init__(
        self,
        parts: Parts,
        url: str,
        *,
        handlers: Mapping[str, Handler],
        schedules: Sequence[Schedule] = (),
        leave: Callable[[float, float], None] | None = None,
    ) -> None:
        self._parts = parts
        self._url = asyncpg_url(url)
        self._handlers = handlers
        self._schedules = schedules
        self._leave = leave
        self._leaving: tuple[float, float] | None = None
        self._at_work = 0
        self._worked_at = time.monotonic()
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

        # What was taken at the last moment, and perhaps handed back, is for whoever is started at once.
        if self._leave is not None and self._leaving is not None and self._worked_at < self._leaving[0]:
            self._leave(*self._leaving)

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
        if self._leave is not None and settings.idle_seconds:
            running.append(asyncio.create_task(self._leave_if_idle(queries)))
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

    async def _leave_if_idle(self, queries: Queries) -> None:
        """Stop once nothing has been done, and nothing is due, for a while."""
        settings = self._parts[Settings].jobs
        idle = settings.idle_seconds
        while not self._stopping.is_set():
            looked_at = time.monotonic()
            rested = 0.0 if self._at_work else looked_at - self._worked_at
            if rested >= idle:
                due_in = await queue.due_in(
                    queries,
                    [*self._handlers],
                    [each.name for each in self._schedules],
                    timedelta(seconds=settings.heartbeat_seconds),
                )
                if (due_in is None or due_in > idle) and not self._at_work:
                    self._leaving = looked_at, min(due_in or LONGEST_REST_SECONDS, LONGEST_REST_SECONDS)
                    self.stop()
                    return
                rested = 0.0
            await self._pause(idle - rested)

    @contextlib.contextmanager
    def _working(self) -> Iterator[None]:
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._worked_at = time.monotonic()

    def _executor(self, kind: str) -> EntrypointExecutor:
        async def execute(queued: models.Job) -> None:
            user_id, job_id = queue.read(queued.payload)
            with self._working():
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
                with self._working():
                    await self._parts.call(schedule.run)
            except Exception:  # the library would log its text
                log.exception("scheduled work failed", schedule=schedule.name)
            else:
                log.info("scheduled work done", schedule=schedule.name)

        return run

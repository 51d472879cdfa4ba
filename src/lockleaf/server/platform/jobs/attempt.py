"""One attempt at a job: what its handler is given, and what may come of it.

The queue's library logs whatever a handler raises, and stores its text and its traceback. Nothing of that may be
anybody's content, so no exception of a handler ever reaches it: an attempt ends in an ``Outcome``, which knows a code.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import Busy, DomainError, OverQuota, Unavailable
from lockleaf.server.platform.http.errors import InternalError
from lockleaf.server.platform.http.problems import error_of
from lockleaf.server.platform.jobs.states import JobStates
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import JobSettings, Settings
from lockleaf.wire.problems import ErrorCode

__all__ = ["Attempt", "Failed", "Handler", "Outcome", "Over", "PutBack", "Superseded", "attempt"]

WORTH_ANOTHER_TRY = (Busy, Unavailable, OverQuota, InternalError)

log = structlog.get_logger("lockleaf.jobs")


class Superseded(Exception):
    """Another worker has taken this job up, or it was given up: what this attempt has not committed is not wanted."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a handler works with.

    Attributes:
        parts: of the worker's process.
        user_id, job_id: whose job, and which.
        arguments: what was given when it was queued.
        number: of the attempt, from 1.
    """

    parts: Parts
    user_id: UUID
    job_id: UUID
    arguments: dict[str, Any]
    number: int

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction, committed at the end if the attempt still goes on.

        A job may be done in several. A handler must bear that it is begun anew after any of them.

        Raises:
            Superseded: the job was given up, or is another worker's.
        """
        async with self.parts[Database].transaction() as tx:
            states = JobStates(tx.session, self.user_id, self.job_id)
            if not await states.lock():
                raise Superseded
            yield tx
            # Behind this the row is locked: whoever gives the job up comes before it, and then nothing of this is
            # committed, or after the commit, and then finds all of it.
            if not await states.is_mine(self.number):
                raise Superseded

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection on which every statement reads the database as it was at the first one."""
        async with self.parts[Database].read_driver() as connection:
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield connection
            finally:
                if connection.is_in_transaction():  # its end was cut short: nobody may go on in it
                    connection.terminate()

    async def progress(self, done: int, total: int) -> None:
        """Tell how much of the job is done.

        Raises:
            Superseded: the job was given up, or is another worker's.
        """
        async with self.parts[Database].transaction() as tx:
            if not await JobStates(tx.session, self.user_id, self.job_id).advance(self.number, done, total):
                raise Superseded


Handler = Callable[[Attempt], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Over:
    """There is nothing left to do."""

    outcome: str = "succeeded"


@dataclass(frozen=True, slots=True)
class Failed:
    """The job has failed for good."""

    code: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """The job waits for another attempt."""

    code: str
    delay: timedelta


Outcome = Over | Failed | PutBack


async def attempt(
    parts: Parts, kind: str, handler: Handler, user_id: UUID, job_id: UUID, stopping: asyncio.Event
) -> Outcome:
    """Do a job, and return what came of it. Raises nothing but cancellation.

    Arguments:
        stopping: set when the worker has waited long enough: what runs is ended, and the job handed back.
    """
    settings = parts[Settings].jobs
    begun = None
    try:
        async with parts[Database].transaction() as tx:
            states = JobStates(tx.session, user_id, job_id)
            if not await states.lock():
                return PutBack("still_running", timedelta(seconds=settings.heartbeat_seconds))
            begun = await states.begin(parts[Clock]())
        if begun is None:
            return Over("nothing to do")
        this = Attempt(parts, user_id, job_id, begun.arguments, begun.number)
        if begun.number > settings.max_attempts:
            # Its worker died each time without a word; it may be the job that kills them.
            return await _conclude(this, kind, Failed(ErrorCode.INTERNAL_ERROR))
        return await _conclude(this, kind, await _handle(this, handler, kind, stopping))
    except Exception as error:
        log.exception("a job's state was not kept", kind=kind)
        return PutBack(error_of(error).code, _backoff(settings, 1 if begun is None else begun.number))


async def _handle(this: Attempt, handler: Handler, kind: str, stopping: asyncio.Event) -> Outcome:
    """Run the handler until it ends, or the worker does."""
    settings = this.parts[Settings].jobs

    async def run() -> None:
        await handler(this)

    work = asyncio.create_task(run(), name=f"lockleaf-job-{kind}")
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        work.cancel()
        await asyncio.wait((work, stop))
    if work.cancelled():
        return PutBack("stopped", timedelta(0))
    error = work.exception()
    if error is None:
        return Over()
    if isinstance(error, Superseded):
        return Over("superseded")
    if not isinstance(error, Exception):
        raise error
    known: DomainError = error_of(error)
    log.warning("a job's attempt failed", kind=kind, attempt=this.number, code=known.code, failure=error)
    if isinstance(known, WORTH_ANOTHER_TRY) and this.number < settings.max_attempts:
        return PutBack(known.code, _backoff(settings, this.number))
    return Failed(known.code)


async def _conclude(this: Attempt, kind: str, outcome: Outcome) -> Outcome:
    """Write down what came of an attempt, unless it is another's by now."""
    if outcome == Over("superseded"):
        return outcome
    now = this.parts[Clock]()
    async with this.parts[Database].transaction() as tx:
        states = JobStates(tx.session, this.user_id, this.job_id)
        match outcome:
            case Over():
                kept = await states.succeed(this.number, now)
            case Failed(code):
                kept = await states.fail(this.number, code, now)
            case PutBack(code):
                kept = await states.put_back(this.number, uncounted=code == "stopped")
    if not kept:
        return Over("superseded")
    log.info("a job's attempt ended", kind=kind, attempt=this.number, outcome=_name(outcome))
    return outcome


def _name(outcome: Outcome) -> str:
    match outcome:
        case Over(name):
            return name
        case Failed(code):
            return f"failed: {code}"
        case PutBack(code):
            return f"put back: {code}"


def _backoff(settings: JobSettings, number: int) -> timedelta:
    """Return how long to wait after an attempt: twice as long as after the one before, and less by chance, so that what
    failed together does not come back together."""
    longest = min(settings.backoff_seconds * 2.0 ** min(number - 1, 30), settings.backoff_max_seconds)
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  (nobody gains by guessing it)

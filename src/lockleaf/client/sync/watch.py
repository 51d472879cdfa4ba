"""Staying in step with the other devices: live events where they work, polling where they do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from lockleaf.client.errors import ApiError, LockleafError, SyncAlreadyRunning, TooManyStreams, TransportError
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.tasks import end_task, raise_if_cancelled
from lockleaf.wire.sync import Event

if TYPE_CHECKING:
    from lockleaf.client.sync.synchroniser import SyncReport

__all__ = ["watch"]

_PATIENT = RetryPolicy(attempts=2**31, base=1.0, cap=60.0)


def passes(error: LockleafError) -> bool:
    """Return whether an error may be gone a little later, without anybody doing anything."""
    if isinstance(error, ApiError):
        return error.status >= 500 or error.status == 429
    return isinstance(error, (TransportError, SyncAlreadyRunning))


class _News:
    """What the live stream said last, and whether somebody should look."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.live = False
        self.latest: Event | None = None
        self.error: LockleafError | None = None

    def tell(self, event: Event) -> None:
        self.live = True
        self.latest = event
        self.changed.set()

    def fail(self, error: LockleafError) -> None:
        self.error = error
        self.changed.set()


async def watch(
    sync: Callable[[], Awaitable[SyncReport]],
    events: Callable[[], AsyncIterator[Event]],
    pending: Callable[[], Awaitable[int]],
    *,
    every: float = 15.0,
    backoff: RetryPolicy | None = None,
    now: asyncio.Event | None = None,
) -> AsyncIterator[SyncReport]:
    """Sync, and again whenever there is something new here or on the server; give the report of each sync.

    Args:
        sync: syncs once.
        events: opens the live stream.
        pending: counts the edits that wait to be sent.
        every: seconds between two looks at what waits here, and between two polls while the stream is down.
        backoff: how the waits grow while the server cannot be reached.
        now: set by whoever wants a sync at once, and cleared here.

    Raises:
        LockleafError: whatever waiting does not cure; a server that cannot be reached is waited for.
    """
    policy = backoff or _PATIENT
    asked = now or asyncio.Event()
    news = _News()
    listener = asyncio.create_task(_listen(events, news, policy))
    failures = 0
    conflicts: int | None = None
    inbox: int | None = None
    try:
        while True:
            news.changed.clear()
            asked.clear()
            seen = news.latest
            try:
                report = await sync()
                raise_if_cancelled()
            except LockleafError as error:
                raise_if_cancelled()
                if not passes(error):
                    raise
                failures += 1
                await _first_of((asked,), _pause(policy, failures))
                continue
            failures = 0
            if seen is not None:
                conflicts, inbox = seen.conflicts, seen.inbox
            yield report
            while not await _something_new(news, asked, report.seq, conflicts, inbox, pending, every):
                pass
    finally:
        await end_task(listener)


async def _first_of(events: tuple[asyncio.Event, ...], seconds: float) -> bool:
    """Wait until one of ``events`` is set, at most so many seconds; return whether one is."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in waiting:
            task.cancel()


async def _something_new(
    news: _News,
    asked: asyncio.Event,
    seq: int,
    conflicts: int | None,
    inbox: int | None,
    pending: Callable[[], Awaitable[int]],
    every: float,
) -> bool:
    """Wait for word from the server, for the caller, or for the time to look around; return whether a sync is due."""
    if not await _first_of((news.changed, asked), every):
        return not news.live or await pending() > 0
    news.changed.clear()
    if news.error is not None:
        raise news.error
    if asked.is_set():
        return True
    event = news.latest
    return event is not None and (
        event.seq != seq or event.conflicts != (conflicts or 0) or event.inbox != (inbox or 0)
    )


async def _listen(events: Callable[[], AsyncIterator[Event]], news: _News, policy: RetryPolicy) -> None:
    """Keep the live stream open. What happened while it was down is found by the sync that follows the next event."""
    failures = 0
    while True:
        try:
            async for event in events():
                failures = 0
                news.tell(event)
        except LockleafError as error:
            if not passes(error) and not isinstance(error, TooManyStreams):
                news.fail(error)
                return
        news.live = False
        failures += 1
        await asyncio.sleep(_pause(policy, failures))


def _pause(policy: RetryPolicy, failures: int) -> float:
    wait = policy.wait(failures)
    return policy.cap if wait is None else wait

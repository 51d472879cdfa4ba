import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from lockleaf.client.errors import HistoryForked, ServerUnreachable, SessionRevoked
from lockleaf.client.sync.synchroniser import SyncReport
from lockleaf.client.sync.watch import watch
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.wire.sync import Event

AT_ONCE = RetryPolicy(attempts=2**31, base=0.0, cap=0.0)
NEVER = 3600.0


class Far:
    """The other side: how far its history goes, what it says, and how often it was asked."""

    def __init__(self) -> None:
        self.seq = 0
        self.syncs = 0
        self.waiting = 0
        self.failures: list[Exception] = []
        self.said: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self.opened = 0

    async def sync(self) -> SyncReport:
        self.syncs += 1
        if self.failures:
            raise self.failures.pop(0)
        self.waiting = 0
        return SyncReport(0, 0, 0, 0, 0, (), "epoch", self.seq, bytes(32), 0.0)

    async def events(self) -> AsyncIterator[Event]:
        self.opened += 1
        while True:
            said = await self.said.get()
            if isinstance(said, Exception):
                raise said
            yield said

    async def pending(self) -> int:
        return self.waiting

    def tell(self, seq: int, conflicts: int = 0, inbox: int = 0) -> None:
        self.seq = seq
        self.said.put_nowait(Event(seq=seq, inbox=inbox, conflicts=conflicts))

    def watch(self, every: float = NEVER) -> AsyncIterator[SyncReport]:
        return watch(self.sync, self.events, self.pending, every=every, backoff=AT_ONCE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_it_syncs_at_once_and_again_when_the_server_has_something_new() -> None:
    far = Far()
    async with aclosing(far.watch()) as reports:
        assert (await anext(reports)).seq == 0
        far.tell(3)
        assert (await anext(reports)).seq == 3
        assert far.syncs == 2


async def test_news_that_is_known_already_causes_no_sync() -> None:
    far = Far()
    far.seq = 5
    async with aclosing(far.watch()) as reports:
        await anext(reports)
        far.tell(5)
        later = asyncio.ensure_future(anext(reports))
        await until(far.said.empty)
        for _ in range(10):
            await asyncio.sleep(0)
        assert far.syncs == 1
        far.tell(6)
        assert (await later).seq == 6


async def test_a_new_conflict_causes_a_sync_though_the_history_stands_still() -> None:
    far = Far()
    async with aclosing(far.watch()) as reports:
        await anext(reports)
        far.tell(0, conflicts=1)
        await anext(reports)
        assert far.syncs == 2


async def test_a_new_item_in_the_inbox_causes_a_sync_and_one_that_is_known_does_not() -> None:
    far = Far()
    async with aclosing(far.watch()) as reports:
        await anext(reports)
        far.tell(0, inbox=1)
        await anext(reports)
        assert far.syncs == 2
        far.tell(0, inbox=1)
        later = asyncio.ensure_future(anext(reports))
        await until(far.said.empty)
        for _ in range(10):
            await asyncio.sleep(0)
        assert far.syncs == 2
        far.tell(0, inbox=2)
        await later


async def test_what_was_written_here_is_sent_without_news_from_the_server() -> None:
    far = Far()
    async with aclosing(far.watch(every=0.01)) as reports:
        await anext(reports)
        far.tell(0)
        far.waiting = 2
        await anext(reports)
        assert far.waiting == 0


async def test_without_a_live_stream_it_polls() -> None:
    far = Far()
    for _ in range(3):
        far.said.put_nowait(ServerUnreachable())
    async with aclosing(far.watch(every=0.01)) as reports:
        for _ in range(3):
            await anext(reports)
    assert far.syncs == 3


async def test_a_broken_stream_is_opened_again() -> None:
    far = Far()
    async with aclosing(far.watch()) as reports:
        await anext(reports)
        far.said.put_nowait(ServerUnreachable())
        far.tell(4)
        assert (await anext(reports)).seq == 4
        assert far.opened == 2


async def test_a_server_that_is_down_is_waited_for() -> None:
    far = Far()
    far.failures = [ServerUnreachable(), ServerUnreachable()]
    async with aclosing(far.watch()) as reports:
        await anext(reports)
    assert far.syncs == 3


async def test_what_waiting_does_not_cure_ends_the_watch() -> None:
    far = Far()
    far.failures = [HistoryForked("a change is missing")]
    with pytest.raises(HistoryForked):
        await anext(far.watch())
    far = Far()
    async with aclosing(far.watch()) as reports:
        await anext(reports)
        far.said.put_nowait(session_revoked())
        with pytest.raises(SessionRevoked):
            await anext(reports)


def session_revoked() -> SessionRevoked:
    from lockleaf.wire.problem_documents import Problem

    return SessionRevoked(Problem(type="about:blank", title="t", status=401, detail="d", code="session_revoked"))


MOMENTS = 2000 if os.environ.get("LOCKLEAF_TESTS_THOROUGHLY") else 150


@pytest.mark.parametrize("every", [NEVER, 0.0], ids=["told", "polling"])
async def test_it_ends_at_whatever_moment_it_is_cancelled(every: float) -> None:
    for moment in range(MOMENTS):
        far = Far()

        async def follow(far: Far = far) -> None:
            async for _ in far.watch(every):
                pass

        following = asyncio.create_task(follow())
        for turn in range(1, moment // 2):
            far.tell(turn)
            await asyncio.sleep(0)
        if moment % 2:
            far.tell(moment)  # in the same turn of the loop as the end
        following.cancel()
        _, running = await asyncio.wait((following,), timeout=10)
        assert not running, moment
        assert following.cancelled()


async def test_it_ends_although_a_sync_hid_the_cancellation() -> None:
    far = Far()
    begun = asyncio.Event()

    async def hides() -> SyncReport:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ServerUnreachable from None
        raise AssertionError

    async def follow() -> None:
        async for _ in watch(hides, far.events, far.pending, backoff=AT_ONCE):
            pass

    following = asyncio.create_task(follow())
    await begun.wait()
    following.cancel()
    _, running = await asyncio.wait((following,), timeout=10)
    assert not running
    assert following.cancelled()

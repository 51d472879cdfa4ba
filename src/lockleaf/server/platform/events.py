"""Waking live streams when something of an account changed, in whichever worker it did.

A NOTIFY inside the writing transaction would make every commit of the database wait for every other one. So the
writer's process collects the accounts that changed and notifies after their commits, many in one statement; every
process listens, and wakes its own streams. A notification lost with a crash
costs nothing but time: streams look again by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID

import asyncpg
import structlog

from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.errors import DRIVER_ERRORS
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.tasks import end_task

__all__ = ["EventHub"]

CHANNEL = "lockleaf_changed"
GATHER_SECONDS = 0.01
PER_NOTIFICATION = 200  # 16 bytes in hex each, below the 8,000 bytes of a notification
RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5)

log = structlog.get_logger("lockleaf.events")


class EventHub:
    """The streams of one process, and its connection to those of the others.

    Args:
        url: of the database, for a connection of its own: LISTEN holds one.
        metrics: where open streams are counted.
    """

    def __init__(self, url: str, metrics: Metrics) -> None:
        self._url = asyncpg_url(url)
        self._metrics = metrics
        self._streams: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._changed: set[UUID] = set()
        self._wake_sender = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._others: dict[str, Callable[[str | None], None]] = {}
        self.closing = asyncio.Event()
        self.listening = asyncio.Event()

    def hear(self, channel: str, heard: Callable[[str | None], None]) -> None:
        """Listen to another channel too, from the start on.

        Args:
            channel: of the database.
            heard: called with each notification's payload, and with None whenever some may have been missed.
        """
        self._others[channel] = heard

    def start(self) -> None:
        """Begin to listen and to send."""
        self._task = asyncio.create_task(self._run(), name="lockleaf-events")

    def end_streams(self) -> None:
        """End every stream: its client comes back, here or to another process."""
        self.closing.set()
        self._wake_all()

    async def stop(self) -> None:
        """End every stream, and the connection."""
        self.end_streams()
        if self._task is not None:
            await end_task(self._task)

    def changed(self, user_id: UUID) -> None:
        """Tell that something of an account changed. To be called after the commit."""
        self._changed.add(user_id)
        self._wake_sender.set()

    def open_streams(self, user_id: UUID) -> int:
        """Return how many streams the account has in this process."""
        return len(self._streams.get(user_id, ()))

    @contextlib.contextmanager
    def subscription(self, user_id: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something of the account changed."""
        woken = asyncio.Event()
        self._streams[user_id].add(woken)
        self._metrics.streams.inc()
        try:
            yield woken
        finally:
            self._metrics.streams.dec()
            self._streams[user_id].discard(woken)
            if not self._streams[user_id]:
                del self._streams[user_id]

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                connection = await connect(
                    self._url, timeout=10, server_settings={"application_name": "lockleaf-events"}
                )
            except (OSError, TimeoutError, *DRIVER_ERRORS) as error:
                if attempt == 0:
                    log.warning("live events wait for the database", failure=error)
                await asyncio.sleep(RECONNECT_SECONDS[min(attempt, len(RECONNECT_SECONDS) - 1)])
                attempt += 1
                continue
            attempt = 0
            try:
                await self._serve(connection)
            except (OSError, TimeoutError, *DRIVER_ERRORS) as error:
                log.warning("live events lost the database", failure=error)
            finally:
                self.listening.clear()
                connection.terminate()

    async def _serve(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, self._notified)
        for channel in self._others:
            await connection.add_listener(channel, self._heard_another)
        lost = asyncio.Event()

        def on_lost(connection: asyncpg.Connection) -> None:
            lost.set()
            self._wake_sender.set()

        connection.add_termination_listener(on_lost)
        self.listening.set()
        self._wake_all()  # something may have changed while nobody listened
        for heard in self._others.values():
            heard(None)
        while not lost.is_set():
            await self._wake_sender.wait()
            await asyncio.sleep(GATHER_SECONDS)  # what commits meanwhile goes along
            self._wake_sender.clear()
            while self._changed and not lost.is_set():
                batch = [self._changed.pop() for _ in range(min(PER_NOTIFICATION, len(self._changed)))]
                try:
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, ",".join(each.hex for each in batch))
                except BaseException:
                    self._changed.update(batch)
                    raise
        raise ConnectionError("the listening connection was closed")

    def _notified(self, connection: object, pid: int, channel: str, payload: str) -> None:
        for text in payload.split(","):
            for stream in self._streams.get(UUID(hex=text), ()):
                stream.set()

    def _heard_another(self, connection: object, pid: int, channel: str, payload: str) -> None:
        self._others[channel](payload)

    def _wake_all(self) -> None:
        for streams in self._streams.values():
            for stream in streams:
                stream.set()

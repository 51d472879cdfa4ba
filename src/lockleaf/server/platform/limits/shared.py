"""The store in which all replicas count together: Valkey, or Redis. It may die, and nobody waits for it then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import RateSettings

__all__ = ["SharedStore", "StoreLost"]

log = structlog.get_logger("lockleaf.rates")

CONNECTIONS = 32


class StoreLost(Exception):
    """The store does not answer."""


class SharedStore:
    """Valkey or Redis, while it answers.

    Args:
        url: its address, which may hold a password.
        settings: how long it may take, and how often it is asked again.
        metrics: where it is told that it is lost.
    """

    def __init__(self, url: str, settings: RateSettings, metrics: Metrics) -> None:
        # Few have one, and all would load it.
        from valkey.asyncio import BlockingConnectionPool  # noqa: PLC0415
        from valkey.exceptions import ValkeyError  # noqa: PLC0415

        self._seconds = settings.store_seconds
        self._retry_seconds = settings.store_retry_seconds
        self._metrics = metrics
        valkey_url = url.replace("rediss://", "valkeys://", 1).replace("redis://", "valkey://", 1)
        self._pool = BlockingConnectionPool.from_url(
            valkey_url,
            max_connections=CONNECTIONS,
            timeout=settings.store_seconds,
            socket_timeout=settings.store_seconds,
            socket_connect_timeout=settings.store_seconds,
        )
        options: dict[str, Any] = {"connection_pool": self._pool}
        self._storage = RedisStorage(f"async+{valkey_url}", implementation="valkey", key_prefix="lockleaf", **options)
        self._losses: tuple[type[Exception], ...] = (OSError, TimeoutError, ValkeyError)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        self._healing: asyncio.Task[None] | None = None
        self._answers = True

    @property
    def answers(self) -> bool:
        """Whether it did when it was asked last."""
        return self._answers

    @contextlib.asynccontextmanager
    async def limiter(self) -> AsyncIterator[SlidingWindowCounterRateLimiter]:
        """Give what counts in it.

        Raises:
            StoreLost: it does not answer, or not in time. It is asked again beside the requests, until it does.
        """
        if not self._answers:
            raise StoreLost
        try:
            async with asyncio.timeout(self._seconds * 2):
                yield self._limiter
        except self._losses as error:
            self._lose(error)
            raise StoreLost from None

    async def start(self) -> None:
        """Ask it whether it is there; what begins without it begins in memory."""
        with contextlib.suppress(StoreLost):
            async with self.limiter():
                await self._ask()

    async def close(self) -> None:
        """Close the connections."""
        if self._healing is not None:
            self._healing.cancel()
            await asyncio.wait((self._healing,))
        with contextlib.suppress(*self._losses):
            await self._pool.disconnect()

    async def _ask(self) -> None:
        # Not `PING`: a store that may not be written to, or has no memory left, counts nothing.
        await self._storage.incr("alive", 60)

    def _lose(self, error: BaseException) -> None:
        if not self._answers:
            return
        self._answers = False
        self._metrics.rates_degraded.set(1)
        log.warning("rates_degraded", failure=error, counted_in="memory")
        self._healing = asyncio.create_task(self._heal())

    async def _heal(self) -> None:
        while not self._answers:
            await asyncio.sleep(self._retry_seconds)
            with contextlib.suppress(*self._losses):
                async with asyncio.timeout(self._seconds * 2):
                    await self._ask()
                self._answers = True
        self._metrics.rates_degraded.set(0)
        log.warning("rates_restored", counted_in="store")

"""Counting requests against the rates that an operator sets.

Whom a rate is about (an address, an account, a session) enters the counters as a digest under a key of the server's:
whoever reads them learns no address, email or name, and cannot guess at one.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from math import ceil

from limits import RateLimitItem, parse_many
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lockleaf.server.platform.limits.errors import RateLimited
from lockleaf.server.platform.limits.memory import BoundedMemory
from lockleaf.server.platform.limits.shared import SharedStore, StoreLost
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.server_keys import Purpose, ServerKeys
from lockleaf.server.platform.settings import RateSettings

__all__ = ["POLICIES", "Quoted", "Rates", "Standing"]

POLICIES = (
    "prelogin",
    "login",
    "login_account",
    "login_everywhere",
    "recovery",
    "recovery_account",
    "signup",
    "secret",
    "address",
    "account",
)
"""Each rate that there is, by the name of its setting."""

DIGESTS = 4096
"""How many are kept at hand: those who ask again and again."""
MOST_KEYS = 50_000
"""How many addresses or accounts each rate remembers in memory: some 10 MiB, if there ever are as many."""


@dataclass(frozen=True, slots=True)
class _Policy:
    name: str
    whole: tuple[RateLimitItem, ...]
    share: tuple[RateLimitItem, ...]
    memory: SlidingWindowCounterRateLimiter


@dataclass(frozen=True, slots=True)
class Standing:
    """A request as it was counted.

    Attributes:
        policy: the name of the rate.
        allowed: whether it may go on.
        limiter, items, key: where it was counted, against what, and for whom.
    """

    policy: str
    allowed: bool
    limiter: SlidingWindowCounterRateLimiter
    items: tuple[RateLimitItem, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """How one rate stands, as a client is told.

    Attributes:
        name: of the rate, with its window.
        quota: requests in a window of ``window`` seconds.
        remaining: how many more would pass now.
        reset: in how many seconds there is one more.
    """

    name: str
    quota: int
    window: int
    remaining: int
    reset: int


class Rates:
    """What counts requests.

    Args:
        settings: the rates.
        keys: of the server.
        metrics: where refusals are counted.
    """

    def __init__(self, settings: RateSettings, keys: ServerKeys, metrics: Metrics) -> None:
        self._digest = lru_cache(DIGESTS)(partial(_digest, keys.signing(Purpose.RATES)))
        self._metrics = metrics
        self._policies = {name: self._policy(settings, name) for name in POLICIES} if settings.enabled else {}
        url = settings.store.get_secret_value() if settings.store is not None and settings.enabled else None
        self._shared = None if url is None else SharedStore(url, settings, metrics)

    @staticmethod
    def _policy(settings: RateSettings, name: str) -> _Policy | None:
        written: str = getattr(settings, name)
        if written == "off":
            return None
        # The shortest window first: what it refuses is not counted in a longer one.
        whole = tuple(sorted(parse_many(written), key=lambda item: item.get_expiry()))
        share = tuple(type(item)(ceil(item.amount / settings.shares), item.multiples) for item in whole)
        return _Policy(name, whole, share, SlidingWindowCounterRateLimiter(BoundedMemory(MOST_KEYS)))

    @property
    def degraded(self) -> bool:
        """Whether requests are counted in memory because the store that replicas share does not answer."""
        return self._shared is not None and not self._shared.answers

    async def start(self) -> None:
        """Look for the store."""
        if self._shared is not None:
            await self._shared.start()

    async def close(self) -> None:
        """Let go of it."""
        if self._shared is not None:
            await self._shared.close()

    async def hit(self, policy: str, *who: str) -> Standing | None:
        """Count a request, unless there were too many; None where nothing is counted.

        Args:
            policy: the name of the rate.
            who: it is about, in words that may not be written down.
        """
        found = self._policies.get(policy)
        if found is None:
            return None
        key = self._digest(policy, who)
        if self._shared is not None:
            try:
                async with self._shared.limiter() as limiter:
                    return await self._counted(found, limiter, found.whole, key)
            except StoreLost:
                pass
        return await self._counted(found, found.memory, found.share, key)

    async def require(self, policy: str, *who: str) -> Standing | None:
        """Count a request.

        Raises:
            RateLimited: there were too many.
        """
        standing = await self.hit(policy, *who)
        if standing is not None and not standing.allowed:
            raise await self.refusal(standing)
        return standing

    async def refusal(self, standing: Standing) -> RateLimited:
        """Return what refuses a request that was one too many, to be raised."""
        self._metrics.rates_refused.labels(standing.policy).inc()
        waits = [each.reset for each in await self.quote(standing) if each.remaining == 0]
        return RateLimited(retry_after=max(waits, default=1))

    async def quote(self, standing: Standing) -> list[Quoted]:
        """Return how a request's rates stand after it; nothing where the store was lost meanwhile."""
        quoted = []
        now = time.time()
        try:
            for item in standing.items:
                if self._shared is not None and standing.limiter is self._shared.of_all:
                    async with self._shared.limiter() as limiter:
                        stats = await limiter.get_window_stats(item, standing.key)
                else:
                    stats = await standing.limiter.get_window_stats(item, standing.key)
                name = f"{standing.policy}-{item.GRANULARITY.name}"
                reset = max(1, ceil(stats.reset_time - now))
                quoted.append(Quoted(name, item.amount, item.get_expiry(), stats.remaining, reset))
        except StoreLost:
            return []
        return quoted

    @staticmethod
    async def _counted(
        policy: _Policy, limiter: SlidingWindowCounterRateLimiter, items: tuple[RateLimitItem, ...], key: str
    ) -> Standing:
        for item in items:
            if not await limiter.hit(item, key):
                return Standing(policy.name, False, limiter, items, key)
        return Standing(policy.name, True, limiter, items, key)


def _digest(key: bytes, policy: str, who: tuple[str, ...]) -> str:
    told = b"".join(len(part).to_bytes(4, "big") + part for part in (text.encode() for text in (policy, *who)))
    return hmac.new(key, told, sha256).hexdigest()[:32]

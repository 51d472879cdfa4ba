"""Counting requests against the rates that an operator sets.

Whom a rate is about (an address, an account, a session) enters the counters as a digest under a key of the server's:
whoever reads them learns no address, email or name, and cannot guess at one.
"""

from __future__ import annotations

import hmac
import time
from functools import lru_cache, partial
from hashlib import sha256
from math import ceil
from typing import NamedTuple
from uuid import UUID

from limits import RateLimitItem, parse_many

from lockleaf.server.platform.limits.errors import RateLimited
from lockleaf.server.platform.limits.memory import Limit, SlidingWindows
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


class _Policy:
    """A rate: its limits, all of which hold, and where each is counted.

    Args:
        name: of the rate.
        written: its limits, such as ``10/minute;60/hour``.
        shares: among how many processes what is counted in memory is divided.
    """

    def __init__(self, name: str, written: str, shares: int) -> None:
        # The shortest window first: what it refuses is not counted in a longer one.
        items = sorted(parse_many(written), key=lambda item: item.get_expiry())
        self.of_all = tuple((item, _limit(name, item, item.amount)) for item in items)
        """In the store that replicas share, under the names that `limits` gives them there."""
        most = MOST_KEYS // len(items)
        self.here = tuple(SlidingWindows(_limit(name, item, ceil(item.amount / shares)), most) for item in items)
        """In the memory of this process."""


def _limit(name: str, item: RateLimitItem, amount: int) -> Limit:
    return Limit(f"{name}-{item.GRANULARITY.name}", amount, item.get_expiry())


class Standing(NamedTuple):
    """A request as it was counted.

    Attributes:
        policy: the name of the rate.
        allowed: whether it may go on.
        key: whom it was counted for.
        by_all: whether in the store that replicas share.
    """

    policy: str
    allowed: bool
    key: str
    by_all: bool


Quoted = tuple[Limit, int, int]
"""How a limit stands, as a client is told: how many more requests would pass now, and in how many seconds there is one
more.
"""


class Rates:
    """What counts requests.

    Args:
        settings: the rates.
        keys: of the server.
        metrics: where refusals are counted.

    Attributes:
        are_here: whether all is counted in the memory of this process.
    """

    def __init__(self, settings: RateSettings, keys: ServerKeys, metrics: Metrics) -> None:
        self._digest = lru_cache(DIGESTS)(partial(_digest, keys.signing(Purpose.RATES)))
        self._metrics = metrics
        written = {name: getattr(settings, name) for name in POLICIES} if settings.enabled else {}
        self._policies = {name: _Policy(name, each, settings.shares) for name, each in written.items() if each != "off"}
        url = settings.store.get_secret_value() if settings.store is not None and settings.enabled else None
        self._shared = None if url is None else SharedStore(url, settings, metrics)
        self.are_here = self._shared is None

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

    async def hit(self, policy: str, *who: str | UUID) -> Standing | None:
        """Count a request, unless there were too many; None where nothing is counted.

        Args:
            policy: the name of the rate.
            who: it is about, in words that may not be written down.
        """
        if self._shared is not None and (found := self._policies.get(policy)) is not None:
            key = self._digest(policy, who)
            try:
                async with self._shared.limiter() as limiter:
                    for item, _ in found.of_all:
                        if not await limiter.hit(item, key):
                            return Standing(policy, False, key, True)
                    return Standing(policy, True, key, True)
            except StoreLost:
                pass
        return self.hit_here(policy, who)

    def hit_here(self, policy: str, who: tuple[str | UUID, ...]) -> Standing | None:
        """Do what `hit` does, in the memory of this process."""
        found = self._policies.get(policy)
        if found is None:
            return None
        key = self._digest(policy, who)
        for windows in found.here:
            if not windows.hit(key):
                return Standing(policy, False, key, False)
        return Standing(policy, True, key, False)

    async def refusal(self, standing: Standing) -> RateLimited:
        """Return what refuses a request that was one too many, to be raised."""
        self._metrics.rates_refused.labels(standing.policy).inc()
        waits = [reset for _, remaining, reset in await self.quote(standing) if remaining == 0]
        return RateLimited(retry_after=max(waits, default=1))

    async def quote(self, standing: Standing) -> list[Quoted]:
        """Return how a request's rates stand after it; nothing where the store was lost meanwhile."""
        if not standing.by_all or self._shared is None:
            return self.quote_here(standing)
        policy = self._policies[standing.policy]
        quoted = []
        try:
            for item, limit in policy.of_all:
                async with self._shared.limiter() as limiter:
                    stats = await limiter.get_window_stats(item, standing.key)
                reset = max(1, ceil(stats.reset_time - time.time()))
                quoted.append((limit, stats.remaining, reset))
        except StoreLost:
            return []
        return quoted

    def quote_here(self, standing: Standing) -> list[Quoted]:
        """Do what `quote` does, for a request that was counted in the memory of this process."""
        return [(each.limit, *each.left(standing.key)) for each in self._policies[standing.policy].here]


def _digest(key: bytes, policy: str, who: tuple[str | UUID, ...]) -> str:
    told = b"".join(len(part).to_bytes(4, "big") + part for part in (str(each).encode() for each in (policy, *who)))
    return hmac.new(key, told, sha256).hexdigest()[:32]

"""When to try again, and how long to wait before."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["TRY_AGAIN", "RetryPolicy", "retry_after"]

TRY_AGAIN = frozenset({429, 502, 503, 504})
"""Statuses that may be others a moment later, whoever answers with them."""


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, after M. Brooker, "Exponential Backoff and Jitter" (AWS, 2015).

    Full jitter spreads the clients of a server that comes back, which would otherwise all return at the same moment.

    Args:
        attempts: how often a request is sent at most.
        base: upper bound of the first wait, in seconds; it doubles with each attempt.
        cap: upper bound of every wait, in seconds.
        patience: the longest wait that a server may ask for, in seconds; with a longer one the error is raised.
    """

    attempts: int = 5
    base: float = 0.25
    cap: float = 8.0
    patience: float = 30.0

    def wait(self, attempt: int, asked: float | None = None) -> float | None:
        """Return how many seconds to wait behind the failed ``attempt`` (1, 2, ...), or None to give up.

        Args:
            attempt: the number of the attempt that failed.
            asked: what the server asked for in ``Retry-After``, in seconds.
        """
        if attempt >= self.attempts or (asked is not None and asked > self.patience):
            return None
        wait = random.uniform(0, self.bound(attempt))  # noqa: S311  (spreads load, guards nothing)
        return wait if asked is None else asked + wait

    async def pause(self, attempt: int, asked: float | None = None) -> bool:
        """Wait behind the failed ``attempt``, as `wait` says; return False, at once, where it is time to give up."""
        seconds = self.wait(attempt, asked)
        if seconds is not None:
            await asyncio.sleep(seconds)
        return seconds is not None

    def bound(self, attempt: int) -> float:
        """Return the upper bound of the wait behind ``attempt``, in seconds."""
        return float(min(self.cap, self.base * 2 ** min(attempt - 1, 32)))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for (RFC 9110, section 10.2.3), or None."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())

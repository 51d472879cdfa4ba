"""The present time, as a part that a test can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock"]


def _now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells the present time, aware, in UTC.

    Args:
        now: tells it in place of the machine's clock.
    """

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """Return the present time."""
        return self._now()

    def seconds(self) -> float:
        """Return the present time in seconds since 1970, as tokens have it."""
        return time.time() if self._now is _now else self._now().timestamp()

"""Holding what the server's sums come to against what the entries on a device come to."""

from __future__ import annotations

from typing import Any

from lockleaf.client import Client, Period, Stats

__all__ = ["METRICS", "agree", "differences", "facts"]

METRICS = ("word_count", "characters", "mood", "sentiment", "sleep_hours")


def facts(stats: Stats) -> list[tuple[str, int, float]]:
    """First day, count and total of each period, rounded to what everybody can read."""
    return [(str(period.start), period.count, round(period.total, 1) + 0.0) for period in stats.periods]


def differences(summed: Stats, counted: Stats) -> list[str]:
    """Where two statistics are further apart than the first one says it may be off."""
    if [(each.start, each.end, each.count) for each in summed.periods] != [
        (each.start, each.end, each.count) for each in counted.periods
    ]:
        return [f"{summed.metric} by {summed.by}: {facts(summed)} in place of {facts(counted)}"]
    pairs = list(zip(summed.periods, counted.periods, strict=True))
    if summed.whole is not None and counted.whole is not None:
        pairs.append((summed.whole, counted.whole))
    return [f"{summed.metric} by {summed.by}: {each}" for pair in pairs for each in _apart(*pair)]


def _apart(one: Period, other: Period) -> list[str]:
    def off(name: str) -> float:
        return abs(float(getattr(one, name)) - float(getattr(other, name)))

    # Doubles of the plain sums are rounded too.
    slack = 1e-9 * max(1.0, abs(other.total), other.variance)
    return [
        name for name in ("total", "average", "variance") if off(name) > float(getattr(one, f"{name}_error")) + slack
    ]


async def agree(*clients: Client, **query: Any) -> None:
    """Make sure that the server's sums, as each device reads them, are what the first one's entries come to."""
    for metric in METRICS:
        for by in ("week", "month", "year"):
            counted = await clients[0].metrics.stats(metric, by=by, local=True, **query)
            for client in clients:
                assert differences(await client.metrics.stats(metric, by=by, **query), counted) == []

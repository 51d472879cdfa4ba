"""From sums to averages, variances and a trend: the same for sums that a server kept and for entries on this device."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

__all__ = ["By", "Part", "Period", "Stats", "Trend", "last_day", "period_start", "summarise"]

By = Literal["week", "month", "year"]
"""How long a period is. Weeks begin on Monday."""


@dataclass(frozen=True, slots=True)
class Part:
    """Values that belong to one period, as sums.

    Attributes:
        day: one of the period.
        count: how many values; exact.
        total, squares: what they, and their squares, add up to.
        total_error, squares_error: by how much these are off at most; the noises of parts are independent.
    """

    day: date
    count: int
    total: float
    squares: float
    total_error: float = 0.0
    squares_error: float = 0.0


@dataclass(frozen=True, slots=True)
class Period:
    """What the values of a metric between two days, both included, come to.

    ``variance`` is that of the values themselves (divided by their count). Each ``*_error`` says by how much its number
    is off at most, 0 where nothing was encrypted.
    """

    start: date
    end: date
    count: int
    total: float
    average: float
    variance: float
    total_error: float
    average_error: float
    variance_error: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The line of least squares through the averages of the periods.

    ``slope`` is its rise from one period to the next; ``first`` and ``last`` its values at the ends.
    """

    slope: float
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Stats:
    """What is known of a metric.

    Attributes:
        metric: its name.
        by: how long a period is.
        source: ``server`` (decrypted sums of all devices) or ``device`` (the entries here).
        periods: those with values, in order.
        whole: everything asked for; None where there are no values.
        trend: None for fewer than two periods.
    """

    metric: str
    by: By
    source: Literal["server", "device"]
    periods: tuple[Period, ...]
    whole: Period | None
    trend: Trend | None


def period_start(day: date, by: By) -> date:
    """Return the first day of the period in which ``day`` lies."""
    if by == "week":
        return date.fromordinal(max(1, day.toordinal() - day.weekday()))
    return day.replace(day=1) if by == "month" else day.replace(month=1, day=1)


def last_day(start: date, by: By) -> date:
    """Return the last day of the period that begins with ``start``."""
    if by == "week":
        # The calendar ends within a week, as it begins within one.
        return date.fromordinal(min(date.max.toordinal(), start.toordinal() + 6 - start.weekday()))
    if by == "month" and start.month < 12:
        return start.replace(month=start.month + 1) - timedelta(days=1)
    return start.replace(month=12, day=31)


def summarise(metric: str, by: By, source: Literal["server", "device"], parts: Iterable[Part]) -> Stats:
    """Return what sums come to, period by period and as a whole."""
    groups: dict[date, list[Part]] = {}
    for part in parts:
        if part.count > 0:
            groups.setdefault(period_start(part.day, by), []).append(part)
    periods = tuple(_period(start, last_day(start, by), groups[start]) for start in sorted(groups))
    whole = None
    if periods:
        whole = _period(periods[0].start, periods[-1].end, [part for group in groups.values() for part in group])
    return Stats(metric, by, source, periods, whole, _trend(periods, by))


def _period(start: date, end: date, parts: Sequence[Part]) -> Period:
    count = sum(part.count for part in parts)
    total, squares = math.fsum(part.total for part in parts), math.fsum(part.squares for part in parts)
    total_error = math.hypot(*(part.total_error for part in parts))
    squares_error = math.hypot(*(part.squares_error for part in parts))
    average, average_error = total / count, total_error / count
    return Period(
        start,
        end,
        count,
        total,
        average,
        max(0.0, squares / count - average * average),
        total_error,
        average_error,
        squares_error / count + (2 * abs(average) + average_error) * average_error,
    )


def _place(start: date, by: By) -> float:
    if by == "week":
        return start.toordinal() // 7
    return start.year * 12 + start.month if by == "month" else start.year


def _trend(periods: Sequence[Period], by: By) -> Trend | None:
    if len(periods) < 2:
        return None
    places = [_place(period.start, by) - _place(periods[0].start, by) for period in periods]
    middle = math.fsum(places) / len(places)
    level = math.fsum(period.average for period in periods) / len(periods)
    spread = math.fsum((place - middle) ** 2 for place in places)
    rise = math.fsum((place - middle) * (period.average - level) for place, period in zip(places, periods, strict=True))
    slope = rise / spread
    return Trend(slope, level - slope * middle, level + slope * (places[-1] - middle))

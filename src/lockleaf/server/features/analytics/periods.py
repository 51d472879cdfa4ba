"""Months, years and other parts of the calendar in UTC, and how a range is put together from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lockleaf.wire.analytics import Bucket

__all__ = ["FIRST", "LAST", "Cover", "bucket_end", "bucket_start", "cover", "cut_months", "instant", "month_of"]

FIRST, LAST = date(1, 1, 1), date(9999, 1, 1)
"""Every value lies from the one up to, and without, the other."""

Dates = tuple[date, date]
"""From the first up to, and without, the second."""
Times = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Cover:
    """A range, as whole years, whole months beside them, and what is left at its edges."""

    years: tuple[Dates, ...]
    months: tuple[Dates, ...]
    edges: tuple[Times, ...]


def instant(day: date) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), UTC)


def month_of(at: datetime) -> date:
    """Return the first day of the month in which ``at`` lies."""
    return date(at.year, at.month, 1)


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def bucket_start(bucket: Bucket, at: datetime) -> datetime:
    """Return when the bucket begins in which ``at`` lies."""
    match bucket:
        case "day":
            return instant(at.date())
        case "week":
            return instant(at.date() - timedelta(days=at.weekday()))
        case "month":
            return instant(month_of(at))
        case "year":
            return instant(date(at.year, 1, 1))


def bucket_end(bucket: Bucket, start: datetime) -> datetime:
    """Return when the bucket ends that begins at ``start``."""
    match bucket:
        case "day":
            return start + timedelta(days=1)
        case "week":
            return start + timedelta(days=7)
        case "month":
            return instant(_next_month(start.date()))
        case "year":
            return instant(date(start.year + 1, 1, 1))


def _whole_months(start: datetime, end: datetime) -> Dates:
    """Return the first month that begins within the range, and the one in which it ends; perhaps in that order."""
    first = month_of(start)
    return (first if instant(first) == start else _next_month(first)), month_of(end)


def _clamped(start: datetime | None, end: datetime | None) -> Times:
    first, last = instant(FIRST), instant(LAST)
    return min(start or first, last), min(end or last, last)


def cover(start: datetime | None, end: datetime | None) -> Cover:
    """Put a range together from as few parts as there are: years, at most 22 months, and at most two edges."""
    start, end = _clamped(start, end)
    first, last = _whole_months(start, end)
    if first > last:
        return Cover((), (), ((start, end),) if start < end else ())
    edges = tuple(edge for edge in ((start, instant(first)), (instant(last), end)) if edge[0] < edge[1])
    first_year, last_year = date(first.year + (first.month > 1), 1, 1), date(last.year, 1, 1)
    if first_year >= last_year:
        return Cover((), ((first, last),) if first < last else (), edges)
    months = tuple(part for part in ((first, first_year), (last_year, last)) if part[0] < part[1])
    return Cover(((first_year, last_year),), months, edges)


def cut_months(start: datetime | None, end: datetime | None) -> tuple[Dates, tuple[date, ...]]:
    """Return the whole months of a range, and those, two at most, of which it has a part."""
    start, end = _clamped(start, end)
    first, last = _whole_months(start, end)
    cut = {month_of(edge) for edge in (start, end) if edge != instant(month_of(edge))}
    return (first, max(first, last)), tuple(sorted(cut))

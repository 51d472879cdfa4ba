"""The day of an entry: the day on the calendar where it was written, whoever looks at it and wherever.

One rule for lists, filters, searches, statistics and orders, on a device and at the server:

- a day is that day;
- a time with an offset, in an entry that names a time zone, is what the clock in that zone showed;
- a time with an offset and without a zone is what the clock at that offset showed: ``Z`` is UTC's;
- a time without an offset is what stands there;
- an entry without a date has the time at which it was made, in its zone if it names one, else in UTC.

What the clock showed is the entry's local time. Its date is the entry's day, and entries are ordered by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from lockleaf.wire.content import date_text

__all__ = ["Bound", "as_clock", "bound", "day_of", "local_time", "shared_date", "shared_time"]

_BEGINNING = datetime.fromisoformat("0001-01-01")

Bound = date | datetime
"""An end of a range: a day, which is compared with days, or an instant, which is compared with instants."""


def local_time(occurred_at: object, time_zone: object, created_at: str | datetime) -> datetime:
    """Return the local time of an entry, without a zone; the first moment of a day for one that names a day.

    Args:
        occurred_at: its date, ISO 8601 text; what is no such text is no date.
        time_zone: an IANA name; what is no such name is no zone.
        created_at: when it was made, with a zone; text is RFC 3339.
    """
    found = _clock(occurred_at, time_zone) if isinstance(occurred_at, str) else None
    if found is None:
        found = _clock(created_at if isinstance(created_at, str) else created_at.isoformat(), time_zone)
    return _BEGINNING if found is None else found.replace(tzinfo=None)


def day_of(occurred_at: object, time_zone: object, created_at: str | datetime) -> date:
    """Return the day of an entry; see `local_time`."""
    return local_time(occurred_at, time_zone, created_at).date()


def _clock(text: str, zone: object) -> datetime | None:
    """Return what the clock showed, with its offset if that is known; None for text that is no date."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= 10 or not isinstance(zone, str):
        return value
    try:
        there = ZoneInfo(zone)
        return value.replace(tzinfo=there) if value.tzinfo is None else value.astimezone(there)
    except (ValueError, OSError, KeyError, OverflowError):
        return value


# ---- as a server learns it ----


def shared_time(text: str, time_zone: str | None) -> str:
    """Return an entry's date as RFC 3339 text, by which a server may sort and filter it: local time, and its offset.

    A time without an offset is taken in ``time_zone`` (an IANA name), else in UTC; a day begins at midnight UTC. Of an
    offset with seconds, as zones had before they had whole minutes, the seconds are left out.

    Raises:
        ValueError: ``text`` is no date.
    """
    value = _clock(text, time_zone)
    if value is None:
        raise ValueError("not a date")
    offset = value.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() / 60)
    try:
        value.replace(tzinfo=timezone(timedelta(minutes=minutes))).astimezone(UTC)
    except (OverflowError, ValueError):
        minutes = 0  # the first and the last day of the calendar, where they lie beyond it in UTC
    shown = value.replace(tzinfo=None).isoformat(timespec="seconds")
    hours, minutes_of_hour = divmod(abs(minutes), 60)
    return shown + (f"{'-' if minutes < 0 else '+'}{hours:02}:{minutes_of_hour:02}" if minutes else "Z")


def shared_date(content: Mapping[str, Any]) -> str | None:
    """Return the time under which a server may sort the entry of a map, as `shared_time` does.

    None where it names no date, or one of another program that only that one can read.
    """
    occurred_at, zone = content.get("occurred_at"), content.get("time_zone")
    if not isinstance(occurred_at, str):
        return None
    try:
        return shared_time(occurred_at, zone if isinstance(zone, str) else None)
    except ValueError:
        return None


# ---- ranges ----


def bound(value: object) -> object:
    """Return the end of a range that text names: a day, or an instant in UTC; a time without a zone is in UTC.

    Args:
        value: ISO 8601; what is no text is returned as it is.

    Raises:
        ValueError: the text names neither.
    """
    if not isinstance(value, str):
        return value
    try:
        text = date_text(value)
        if len(text) == 10:
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("not a day and not an RFC 3339 time") from None


def as_clock(day: date, *, last: bool) -> datetime:
    """Return the first or last moment of a day as local times are stored: as if it were UTC."""
    return datetime.combine(day, time.max if last else time.min, tzinfo=UTC)

"""Dates as journals from elsewhere write them, brought to the ISO 8601 text that an entry keeps."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lockleaf.client.records.entries import InvalidEntry, date_text

__all__ = ["INVALID_DATE", "entry_date"]

INVALID_DATE = "invalid date: use 2026-11-21, or a time such as 2026-11-21T18:30:00+01:00"
_LEAP_SECOND = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:)60(?=\D|$)", re.ASCII)
_HOUR_24 = re.compile(r"(\d{4}-\d{2}-\d{2})([Tt ])24:00(:00(?:\.0+)?)?(?=[Zz+-]|$)", re.ASCII)
_MILLISECONDS = 100_000_000_000
"""Numbers from here on count milliseconds: as seconds they would be of the year 5138."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def entry_date(value: Any) -> tuple[str, str | None]:
    """Return a date as an entry keeps it, and what was changed in it, None if nothing was.

    Text keeps its letters. A number counts seconds since 1970, or milliseconds. A leap second becomes the second before
    it, and hour 24 the next day's first moment: clocks and calendars of other programs know neither.

    Raises:
        InvalidEntry: it is no day and no time.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value), "the date is a number, and was read as the time since 1970"
    if not isinstance(value, str):
        raise InvalidEntry(INVALID_DATE)
    text, note = value.strip(), None
    if _LEAP_SECOND.match(text):
        text, note = _LEAP_SECOND.sub(r"\g<1>59", text), "a leap second became the second before it"
    elif (found := _HOUR_24.match(text)) is not None:
        try:
            following = date.fromisoformat(found[1]) + timedelta(days=1)
        except (ValueError, OverflowError):
            raise InvalidEntry(INVALID_DATE) from None
        text = f"{following.isoformat()}{found[2]}00:00{found[3] or ''}{text[found.end() :]}"
        note = "hour 24 became the next day's first moment"
    try:
        return date_text(text), note
    except InvalidEntry:
        raise InvalidEntry(INVALID_DATE) from None


def _counted(value: float) -> str:
    try:
        seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
        return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError):
        raise InvalidEntry(INVALID_DATE) from None

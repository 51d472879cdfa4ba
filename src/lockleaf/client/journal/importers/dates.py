"""Dates as journals from elsewhere write them, brought to the ISO 8601 text that an entry keeps."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.records.entries import date_text

__all__ = ["INVALID_DATE", "date_in_name", "entry_date", "loose_date", "zone_of"]

INVALID_DATE = "invalid date: use 2026-11-21, or a time such as 2026-11-21T18:30:00+01:00"
_LEAP_SECOND = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:)60(?=\D|$)", re.ASCII)
_HOUR_24 = re.compile(r"(\d{4}-\d{2}-\d{2})([Tt ])24:00(:00(?:\.0+)?)?(?=[Zz+-]|$)", re.ASCII)
_MILLISECONDS = 100_000_000_000
"""Numbers from here on count milliseconds: as seconds they would be of the year 5138."""
_LOOSE = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"(?:(?:[Tt ]|, ?| at )\s*(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?P<part>\.\d{1,9})?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
"""Dates as front matter, tables and journals of text have them: year, month and day in this order."""
_IN_NAME = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<sign>[-_.]?)(?P<month>\d{2})(?P=sign)(?P<day>\d{2})"
    r"(?:[T _-]{1,3}(?P<hour>[01]\d|2[0-3])[-_.:h]?(?P<minute>[0-5]\d)(?:[-_.:m]?(?P<second>[0-5]\d)s?)?(?!\d))?(?!\d)",
    re.ASCII,
)
_IN_PATH = re.compile(r"(?:^|/)(?P<year>\d{4})/(?P<month>\d{2})[^/]*/(?P<day>\d{2})$", re.ASCII)
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


def loose_date(text: str) -> tuple[str, str | None]:
    """Return a date that is written less strictly, such as ``2026/1/5 6:30 PM`` or ``2026-11-21 18:30 +0100``.

    What `entry_date` takes keeps its letters.

    Raises:
        InvalidEntry: it is no day and no time, or one whose parts stand in another order.
    """
    try:
        return entry_date(text)
    except InvalidEntry:
        found = _LOOSE.fullmatch(text.strip())
        if found is None:
            raise
    day = f"{found['year']}-{int(found['month']):02}-{int(found['day']):02}"
    if found["hour"] is None:
        return entry_date(day)
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise InvalidEntry(INVALID_DATE)
        hour = hour % 12 + (12 if found["half"][0] in "Pp" else 0)
    zone = found["zone"] or ""
    zone = "Z" if zone in ("z", "UTC", "GMT") else f"{zone[:3]}:{zone[-2:]}" if len(zone) > 1 else zone
    return entry_date(f"{day}T{hour:02}:{found['minute']}:{found['second'] or '00'}{found['part'] or ''}{zone}")


def date_in_name(path: str) -> tuple[str, str] | None:
    """Return the date that stands in the path of a file without its ending, and the rest of its last name.

    A date is 2026-11-21, 20261121 or such, with a time behind it or without; or folders 2026/11 and a name 21.

    Raises:
        InvalidEntry: what stands there is no day of the calendar.
    """
    last = path.rpartition("/")[2]
    found = _IN_NAME.search(last)
    if found is not None:
        text = f"{found['year']}-{found['month']}-{found['day']}"
        if found["hour"] is not None:
            text += f"T{found['hour']}:{found['minute']}" + (f":{found['second']}" if found["second"] else "")
        rest = f"{last[: found.start()].rstrip(' -_.')} {last[found.end() :].lstrip(' -_.')}".strip()
        return entry_date(text)[0], rest
    found = _IN_PATH.search(path)
    if found is not None:
        return entry_date(f"{found['year']}-{found['month']}-{found['day']}")[0], ""
    return None


def zone_of(date: str, zone: str | None) -> str | None:
    """Return the time zone of an entry whose source names none: ``zone``, if the clock stood somewhere unknown."""
    return zone if zone is not None and len(date) > 10 and datetime.fromisoformat(date).tzinfo is None else None

"""Dates as they are said: "3 days ago", "last monday", "yesterday at 18:30" (docs/decisions/0077).

A small grammar, so that nothing is guessed: every form means one moment, none lies in the future, and what does not
fit is refused. It is loaded only where a date is in no form of `lockleaf.cli.dates`.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta

__all__ = ["spoken_date"]

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {"a": 1, "an": 1} | {word: number for number, word in enumerate(_WORDS, 1)}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AGO = re.compile(r"(?P<number>\d{1,5}|[a-z]+) (?P<unit>minute|hour|day|week|month|year)s? ago")
_WEEKDAY = re.compile(rf"(?:on |last )?(?P<day>{'|'.join(_DAYS)})")
_CLOCK = re.compile(r"(?P<day>.+?) (?:at )?(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)?")


def spoken_date(text: str, now: datetime) -> str | None:
    """Return what a date means as ISO 8601 text: a day, or a time with the zone of this device.

    Args:
        text: ``now``; ``3 days ago``, ``an hour ago``, with any of minutes, hours, days, weeks, months, years;
            ``monday`` or ``last monday``: the latest one before today; ``today`` and ``yesterday``. What names a day
            may have a time behind it: ``yesterday at 18:30``, ``monday 6pm``.
        now: the present time, with a zone.

    Returns:
        None where it has none of these forms, or means a time to come.
    """
    words = " ".join(text.lower().split())
    if words == "now":
        return now.isoformat(timespec="seconds")
    said = _said(words, now)
    if said is not None:
        return said.isoformat(timespec="seconds") if isinstance(said, datetime) else said.isoformat()
    with_clock = _CLOCK.fullmatch(words)
    day = _said(with_clock["day"], now) if with_clock is not None else None
    if with_clock is None or day is None or isinstance(day, datetime):
        return None
    clock = _clock(int(with_clock["hour"]), with_clock["minute"], with_clock["half"])
    if clock is None:
        return None
    moment = datetime.combine(day, clock).astimezone()
    return None if moment > now else moment.isoformat(timespec="seconds")


def _said(words: str, now: datetime) -> date | datetime | None:
    """Return the day, or for minutes and hours the moment, that words without a time name."""
    today = now.date()
    if words in ("today", "yesterday"):
        return today if words == "today" else today - timedelta(days=1)
    if named := _WEEKDAY.fullmatch(words):
        # Never today itself: whoever means today says so.
        return today - timedelta(days=(today.weekday() - _DAYS.index(named["day"]) - 1) % 7 + 1)
    ago = _AGO.fullmatch(words)
    number = None if ago is None else _number(ago["number"])
    if ago is None or number is None:
        return None
    try:
        match ago["unit"]:
            case "minute" | "hour" as unit:
                # Through UTC: an hour ago is an hour ago, whatever clocks were set to meanwhile.
                return (now - timedelta(**{f"{unit}s": number})).astimezone()
            case "day":
                return today - timedelta(days=number)
            case "week":
                return today - timedelta(weeks=number)
            case unit:
                return _months_before(today, number * (12 if unit == "year" else 1))
    except (OverflowError, ValueError):
        return None  # before the first day of the calendar


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else _NUMBERS.get(text)


def _months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month, or the last that it has."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _clock(hour: int, minute: str | None, half: str | None) -> time | None:
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif minute is None:
        return None  # "monday 6" could be morning or evening, or a day of the month
    try:
        return time(hour, int(minute or 0))
    except ValueError:
        return None

"""Dates as a person types them and reads them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from lockleaf import client as sdk
from lockleaf.cli.errors import Complaint
from lockleaf.cli.terminal import printable

__all__ = ["entered_date", "shown_date"]


def entered_date(text: str | None, now: datetime | None = None) -> str | None:
    """Return what ``--date``, ``--since`` or ``--until`` means, as ISO 8601 text.

    Args:
        text: ``today``, ``yesterday``, a day such as 2026-11-21, a time such as 2026-11-21T18:30:00+01:00, or what
            `lockleaf.cli.spoken_dates` understands, such as ``3 days ago``; None stays None.
        now: the present time with the local time zone; asked for if absent.

    Raises:
        Complaint: it has none of these forms.
    """
    if text is None:
        return None
    word = text.strip().lower()
    if word in {"today", "yesterday"}:
        today = (now or _now()).date()
        return (today if word == "today" else today - timedelta(days=1)).isoformat()
    cleaned = text.strip().upper()
    try:
        if len(cleaned) == 10:
            parsed = date.fromisoformat(cleaned).isoformat()
            fits = parsed == cleaned
        else:
            moment = datetime.fromisoformat(cleaned)
            fits = len(cleaned) > 10 and cleaned[4] == cleaned[7] == "-" and cleaned[11:13] != "24"
            if fits and cleaned.endswith("Z"):
                # Z names an instant and no place (RFC 9557): it is of the day that this device's calendar shows then.
                return _here(moment).isoformat()
    except ValueError:
        fits = False
    if fits:
        return cleaned
    from lockleaf.cli.spoken_dates import spoken_date  # noqa: PLC0415  (seldom needed)

    said = spoken_date(text, now or _now())
    if said is None:
        raise Complaint(
            f"Not a date: {text!r}. Write today, yesterday, 3 days ago, last monday, a day such as 2026-11-21, or a "
            "time such as 2026-11-21T18:30:00+01:00."
        )
    return said


def _now() -> datetime:
    return datetime.now().astimezone()


def _here(moment: datetime) -> datetime:
    try:
        return moment.astimezone()
    except (OverflowError, OSError):
        return moment


def shown_date(text: str, time_zone: str | None = None) -> str:
    """Return an entry's date for a person: a day as it is, a time as the clock showed it where it was written.

    Args:
        text: the date as the entry has it; what is no date is shown as it is kept.
        time_zone: the entry's.
    """
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        datetime.fromisoformat(text)
    except ValueError:
        return printable(text)  # of another program
    return sdk.local_time(text, time_zone, text).isoformat(sep=" ", timespec="minutes")

"""Dates as they are typed and shown."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.cli.dates import entered_date, shown_date
from lockleaf.cli.errors import Complaint

NOW = datetime(2026, 3, 1, 12, 40, 5).astimezone()
HERE = NOW.isoformat()[19:]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (None, None),
        ("today", "2026-03-01"),
        (" Yesterday ", "2026-02-28"),
        ("1660-01-01", "1660-01-01"),
        ("2026-11-21T18:30:00+01:00", "2026-11-21T18:30:00+01:00"),
        ("2026-11-21 18:30", "2026-11-21 18:30"),
    ],
)
def test_a_day_a_time_and_the_words_for_days_are_understood(typed: str | None, meant: str | None) -> None:
    assert entered_date(typed, NOW) == meant


@pytest.mark.parametrize(
    "typed", ["", "tomorrow", "2026-02-30", "21.11.2026", "20261121", "2026-W01-1", "2026-11",
     "3 days", "in 3 days", "0x3 days ago", "99999 years ago", "next monday", "last week", "monday 6", "5", "10 11",
     "today at 18:30", "yesterday at 24:00", "yesterday at 13pm", "an hour ago at 6pm", "01/02/2026", "some days ago"]
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Complaint, match="such as 2026-11-21"):
        entered_date(typed, NOW)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("3 days ago", "2026-02-26"),
        ("  A  Week ago ", "2026-02-22"),
        ("one month ago", "2026-02-01"),
        ("12 months ago", "2025-03-01"),
        ("2 years ago", "2024-03-01"),
        ("sunday", "2026-02-22"),
        ("last monday", "2026-02-23"),
        ("on saturday", "2026-02-28"),
        ("now", f"2026-03-01T12:40:05{HERE}"),
        ("an hour ago", f"2026-03-01T11:40:05{HERE}"),
        ("90 minutes ago", f"2026-03-01T11:10:05{HERE}"),
        ("today at 9am", f"2026-03-01T09:00:00{HERE}"),
        ("yesterday at 18:30", f"2026-02-28T18:30:00{HERE}"),
        ("3 days ago 12pm", f"2026-02-26T12:00:00{HERE}"),
        ("saturday at 12am", f"2026-02-28T00:00:00{HERE}"),
    ],
)
def test_a_date_may_be_said_as_people_say_it(typed: str, meant: str) -> None:
    assert entered_date(typed, NOW) == meant


def test_a_month_ago_is_the_last_day_of_a_shorter_month() -> None:
    assert entered_date("1 month ago", NOW.replace(month=3, day=31)) == "2026-02-28"


@given(st.text(alphabet="ago 0123456789:dysmonthwekrlu", max_size=20))
def test_whatever_is_typed_is_a_date_that_has_come_or_is_refused(typed: str) -> None:
    try:
        meant = entered_date(typed, NOW)
    except Complaint:
        return
    assert meant is not None
    assert len(meant) > 10 or date.fromisoformat(meant) <= NOW.date() or meant == typed.strip()


@given(st.dates())
def test_a_day_is_shown_as_it_was_entered(day: date) -> None:
    assert shown_date(day.isoformat()) == day.isoformat()


@given(st.datetimes(min_value=datetime(1600, 1, 1), max_value=datetime(2999, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001
def test_a_time_is_shown_as_the_clock_showed_it_where_it_was_written(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    shown = datetime.fromisoformat(shown_date(aware.isoformat()))
    assert shown == moment.replace(second=0, microsecond=0)


def test_a_time_is_shown_in_the_zone_that_the_entry_names() -> None:
    assert shown_date("2026-11-21T19:00:00Z", "Pacific/Auckland") == "2026-11-22 08:00"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of a process cannot be set here")
def test_an_instant_is_of_the_day_of_this_device(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "Pacific/Auckland")
            time.tzset()
            assert entered_date("2026-11-21t19:00:00z") == "2026-11-22T08:00:00+13:00"
            # An offset is a place, as the person said it.
            assert entered_date("2026-11-21T19:00:00+01:00") == "2026-11-21T19:00:00+01:00"
            assert entered_date("9999-12-31T23:59:59Z") == "9999-12-31T23:59:59+00:00"
    finally:
        time.tzset()


@given(st.text(max_size=30))
def test_a_date_that_is_none_is_shown_and_breaks_nothing(text: str) -> None:
    assert isinstance(shown_date(text), str)


def test_a_time_at_the_edge_of_the_calendar_is_shown() -> None:
    assert shown_date("0001-01-01T00:30:00+14:00") == "0001-01-01 00:30"

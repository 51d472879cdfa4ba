"""Dates as they are typed and shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.cli.dates import entered_date, shown_date
from lockleaf.cli.errors import Complaint

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (None, None),
        ("today", "2026-03-01"),
        (" Yesterday ", "2026-02-28"),
        ("1660-01-01", "1660-01-01"),
        ("2026-11-21T18:30:00+01:00", "2026-11-21T18:30:00+01:00"),
        ("2026-11-21t18:30:00z", "2026-11-21T18:30:00Z"),
        ("2026-11-21 18:30", "2026-11-21 18:30"),
    ],
)
def test_a_day_a_time_and_the_words_for_days_are_understood(typed: str | None, meant: str | None) -> None:
    assert entered_date(typed, TODAY) == meant


@pytest.mark.parametrize(
    "typed", ["", "tomorrow", "2026-02-30", "21.11.2026", "20261121", "2026-W01-1", "2026-11", "now"]
)
def test_anything_else_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Complaint, match="such as 2026-11-21"):
        entered_date(typed, TODAY)


@given(st.dates())
def test_a_day_is_shown_as_it_was_entered(day: date) -> None:
    assert shown_date(day.isoformat()) == day.isoformat()


@given(st.datetimes(min_value=datetime(1600, 1, 1), max_value=datetime(2999, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001
def test_a_time_is_shown_in_the_local_time_zone(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    shown = datetime.fromisoformat(shown_date(aware.isoformat()))
    assert shown == aware.astimezone().replace(tzinfo=None, second=0, microsecond=0)


@given(st.text(max_size=30))
def test_a_date_that_is_none_is_shown_and_breaks_nothing(text: str) -> None:
    assert isinstance(shown_date(text), str)


def test_a_time_at_the_edge_of_the_calendar_is_shown() -> None:
    assert shown_date("0001-01-01T00:30:00+14:00") == "0001-01-01 00:30"

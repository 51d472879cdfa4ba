"""The day of an entry is the day where it was written, whoever asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.wire.days import bound, day_of, local_time, shared_time

CREATED = "2026-05-05T23:30:00Z"


@pytest.mark.parametrize(
    ("occurred_at", "zone", "day"),
    [
        ("2026-11-21", "Pacific/Auckland", "2026-11-21"),
        ("2026-11-21T23:30:00", None, "2026-11-21"),
        ("2026-11-21T23:30:00", "Pacific/Auckland", "2026-11-21"),
        ("2026-11-22T08:00:00+13:00", None, "2026-11-22"),
        ("2026-11-21T19:00:00Z", None, "2026-11-21"),
        ("2026-11-21T19:00:00Z", "Pacific/Auckland", "2026-11-22"),
        ("2026-11-21T19:00:00Z", "Mars/Phobos", "2026-11-21"),
        ("0001-01-01T00:30:00+14:00", None, "0001-01-01"),
        ("0001-01-01T00:30:00+14:00", "America/New_York", "0001-01-01"),
        ("9999-12-31T23:30:00-12:00", "Pacific/Auckland", "9999-12-31"),
        (None, None, "2026-05-05"),
        (None, "Pacific/Auckland", "2026-05-06"),
        ("of another program", None, "2026-05-05"),
        (5, 7, "2026-05-05"),
    ],
)
def test_an_entry_has_the_day_of_the_place_where_it_was_written(occurred_at: object, zone: object, day: str) -> None:
    assert day_of(occurred_at, zone, CREATED).isoformat() == day


@given(st.datetimes(), st.integers(-840, 840))
def test_the_server_learns_the_same_day_as_the_reader_of_the_entry(moment: datetime, minutes: int) -> None:
    text = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    told = shared_time(text, None)
    assert local_time(told, None, CREATED) == local_time(text, None, CREATED).replace(microsecond=0)
    assert local_time(text, None, CREATED) == moment


@given(st.datetimes(min_value=datetime.fromisoformat("1900-01-02")), st.timezones())
def test_the_server_learns_the_same_day_from_a_zone(moment: datetime, zone: object) -> None:
    text = moment.replace(microsecond=0).isoformat()
    assert local_time(shared_time(text, str(zone)), None, CREATED) == datetime.fromisoformat(text)


def test_a_bound_is_a_day_or_an_instant() -> None:
    assert bound("2026-11-21") == date(2026, 11, 21)
    assert bound("2026-11-21T19:00:00+01:00") == datetime(2026, 11, 21, 18, tzinfo=UTC)
    assert bound("2026-11-21T19:00:00") == datetime(2026, 11, 21, 19, tzinfo=UTC)
    assert bound(None) is None
    for text in ("", "yesterday", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(ValueError, match="not a day"):
            bound(text)

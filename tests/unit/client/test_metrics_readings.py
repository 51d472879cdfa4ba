"""What is measured of an entry: its own day, its numbers, and what is left out."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.records.entries import draft_content
from lockleaf.client.records.merge import Conflicting, Merged, merge
from lockleaf.client.records.moods import MOODS, mood_score
from lockleaf.client.records.readings import MAX_OWN, changed_metrics, checked_name, own_metrics, reading_of
from lockleaf.client.records.sentiment import LEXICON, sentiment
from lockleaf.he.metric_types import CHARACTERS, WORD_COUNT

NOW = "2026-11-21T23:30:00Z"


@pytest.mark.parametrize(
    ("entered", "zone", "day"),
    [
        ("1661-03-17", None, date(1661, 3, 17)),
        ("1661-03-17", "Europe/London", date(1661, 3, 17)),
        ("2026-11-21T23:30:00", "Asia/Tokyo", date(2026, 11, 21)),  # as its writer's clock showed it
        ("2026-11-21T23:30:00+09:00", None, date(2026, 11, 21)),
        ("2026-11-21T23:30:00Z", None, date(2026, 11, 21)),
        ("2026-11-21T23:30:00Z", "Asia/Tokyo", date(2026, 11, 22)),
        ("2026-11-21T02:30:00Z", "America/New_York", date(2026, 11, 20)),
        ("2026-11-21T02:30:00Z", "No/Where", date(2026, 11, 21)),
        ("0001-01-01T00:30:00+02:00", "America/New_York", date(1, 1, 1)),
        (None, None, date(2026, 11, 21)),
    ],
)
def test_an_entry_counts_on_the_day_that_it_was_where_it_was_written(
    entered: str | None, zone: str | None, day: date
) -> None:
    reading = reading_of({"body": "one", "occurred_at": entered, "time_zone": zone}, NOW)
    assert reading is not None
    assert reading.day == day


@pytest.mark.parametrize("content", [{}, {"body": 7}, {"mood": "purple"}])
def test_what_has_no_number_is_not_counted(content: dict[str, object]) -> None:
    assert reading_of(content, NOW) is None


def test_the_end_of_the_calendar_is_not_counted() -> None:
    assert reading_of({"body": "one", "occurred_at": "9999-01-01"}, NOW) is None
    assert reading_of({"body": "one", "occurred_at": "9998-12-31"}, NOW) is not None


def test_each_metric_has_its_number() -> None:
    content = {"body": "A lovely  day,\nthen a headache.", "mood": " Happy ", "metrics": {"sleep_hours": 7.5, "Bad": 1}}
    reading = reading_of(content, NOW)
    assert reading is not None
    assert reading.values == {
        "word_count": 6.0,
        "characters": 31.0,
        "mood": 7.0,
        "sentiment": pytest.approx(1 / 3),
        "sleep_hours": 7.5,
    }


def test_a_text_that_is_longer_than_what_is_added_up_rightly_is_left_out() -> None:
    words = "a " * int(WORD_COUNT.highest + 1)
    reading = reading_of({"body": words}, NOW)
    assert reading is not None
    assert set(reading.values) == {"characters"}
    reading = reading_of({"body": "x" * int(CHARACTERS.highest + 1)}, NOW)
    assert reading is not None
    assert set(reading.values) == {"word_count"}


def test_moods_are_known_in_any_case_and_as_signs_and_others_have_no_number() -> None:
    assert (mood_score("ECSTATIC"), mood_score("☺"), mood_score("☺️"), mood_score("neutral")) == (10, 4, 4, 0)
    assert mood_score("purple") is None
    assert set(MOODS.values()) == set(range(-10, 11))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("", None),
        ("Rain on the roof of the barn.", None),
        ("Heute war ein langer Abend.", None),
        ("wonderful", 1.0),
        ("terrible, and sad", -1.0),
        ("not good", -1.0),
        ("It wasn't a bad day", 1.0),
        ("never in all my long days happy", 1.0),  # the negation reaches three words
        ("GOOD and bad", 0.0),
        ("wonderful but tiring", 1 / 3),
    ],
)
def test_words_lean_as_the_lexicon_says_and_negations_turn_them_round(text: str, score: float | None) -> None:
    assert sentiment(text) == (score if score is None else pytest.approx(score))


@given(st.lists(st.sampled_from([*LEXICON, "not", "rain", "Tee", "🙂"]), max_size=30))
def test_a_score_is_a_number_from_minus_one_to_one(words: list[str]) -> None:
    score = sentiment(" ".join(words))
    assert (score is None) == (not set(words) & LEXICON.keys())
    assert score is None or -1.0 <= score <= 1.0


@pytest.mark.parametrize(
    "given_metrics",
    [
        {"Sleep": 1, "sleep": 2},
        {"sleep well": 1},
        {"": 1},
        {"a" * 65: 1},
        {"word_count": 1},
        {"sleep": float("nan")},
        {"sleep": 65537},
        {"sleep": True},
        {"sleep": "7"},
        {f"metric_{number}": 1 for number in range(MAX_OWN + 1)},
    ],
)
def test_a_metric_that_is_none_is_refused_and_not_echoed(given_metrics: dict[str, float]) -> None:
    with pytest.raises(InvalidEntry) as refused:
        changed_metrics({}, given_metrics)
    assert "65537" not in str(refused.value)


def test_metrics_change_one_by_one() -> None:
    metrics = changed_metrics({"sleep": 7.0, "steps": 100.0}, {"steps": None, "coffee": 2})
    assert metrics == {"coffee": 2.0, "sleep": 7.0}
    assert changed_metrics({"sleep": 7.0}, {"sleep": None}) is None
    content = draft_content(body="x", date="2026-01-01", metrics=metrics)
    assert own_metrics(content) == metrics
    assert "metrics" not in draft_content(body="x", date="2026-01-01")


def test_metrics_of_two_devices_merge_one_by_one() -> None:
    base = {"body": "x", "metrics": {"sleep": 7.0, "steps": 100.0}}
    ours = {"body": "x", "metrics": {"sleep": 8.0, "steps": 100.0}, "counted": {"census": "a"}}
    theirs = {"body": "x", "metrics": {"sleep": 7.0, "coffee": 2.0}, "counted": {"census": "b"}}
    assert merge(base, ours, theirs) == Merged({"body": "x", "metrics": {"sleep": 8.0, "coffee": 2.0}})
    assert merge(base, ours, {"body": "x"}) == Conflicting(("metrics",))
    assert merge(base, {"body": "x"}, {"body": "x", "metrics": {}}) == Merged({"body": "x"})
    other = {"body": "x", "metrics": {"sleep": 6.0}}
    assert merge(base, ours, other) == Conflicting(("metrics",))


def test_a_metric_is_the_same_one_in_any_case() -> None:
    assert changed_metrics({"sleep": 7.0}, {"Sleep": 8}) == {"sleep": 8.0}
    assert checked_name(" SLEEP ") == "sleep"

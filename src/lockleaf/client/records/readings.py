"""What is measured of an entry, and on which day it counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.records.foreign import foreign_fields
from lockleaf.client.records.moods import mood_score
from lockleaf.client.records.sentiment import sentiment
from lockleaf.he.errors import ValueOutOfBounds
from lockleaf.he.metric_types import CHARACTERS, MOOD, SENTIMENT, STANDARD, WORD_COUNT, MetricType, metric_type
from lockleaf.wire.days import day_of
from lockleaf.wire.names import known_as

__all__ = [
    "MAX_OWN",
    "STANDARD_NAMES",
    "Reading",
    "changed_metrics",
    "checked_name",
    "counted_day",
    "own_metrics",
    "reading_of",
    "value_of",
]

MAX_OWN = 20
"""How many metrics of one's own an entry has at most."""

STANDARD_NAMES = frozenset(each.name for each in STANDARD)
_LAST_YEAR = 9998
"""The last year whose months a server counts: their ends must lie in the calendar too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one entry, by the names of metrics, and the day on which they count."""

    day: date
    values: Mapping[str, float]


def reading_of(content: Mapping[str, Any], created_at: str) -> Reading | None:
    """Return what is measured of an entry; None where there is no number.

    What another application sealed is not measured: nobody here knows how long it is.

    A value outside of its metric's limits is left out: a sum with it would be wrong.

    Args:
        content: the entry's map.
        created_at: RFC 3339, for an entry that names no date.
    """
    day = counted_day(content, created_at)
    if day is None:
        return None
    taken = ((kind.name, _taken(kind, measure)) for kind, measure in _measures(content))
    values = {name: value for name, value in taken if value is not None}
    return Reading(day, values) if values else None


def counted_day(content: Mapping[str, Any], created_at: str) -> date | None:
    """Return the day on which an entry counts; None where its year is not counted. Arguments as for `reading_of`."""
    day = day_of(content.get("occurred_at"), content.get("time_zone"), created_at)
    return day if day.year <= _LAST_YEAR else None


def value_of(content: Mapping[str, Any], name: str) -> float | None:
    """Return one metric of an entry as `reading_of` has it, without measuring the others; None where it has none."""
    return next((_taken(kind, measure) for kind, measure in _measures(content) if kind.name == name), None)


_Measure = Callable[[], float | None]


def _measures(content: Mapping[str, Any]) -> Iterator[tuple[MetricType, _Measure]]:
    body, mood = content.get("body"), content.get("mood")
    if isinstance(body, str) and (body or foreign_fields(content) is None):
        yield WORD_COUNT, lambda: len(body.split())
        yield CHARACTERS, lambda: len(body)
        yield SENTIMENT, lambda: sentiment(body)
    if isinstance(mood, str):
        yield MOOD, lambda: mood_score(mood)
    for name, value in own_metrics(content).items():
        yield metric_type(name), partial(float, value)


def _taken(kind: MetricType, measure: _Measure) -> float | None:
    value = measure()
    try:
        if value is not None:
            kind.check(value)
    except ValueOutOfBounds:
        return None
    return None if value is None else float(value)


# ---- metrics of one's own ----


def own_metrics(content: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that an entry's writer named, what other programs put there and is no metric left out."""
    found = content.get("metrics")
    if not isinstance(found, dict):
        return {}
    return {name: float(value) for name, value in sorted(found.items()) if _is_own(name) and _is_number(value)}


def checked_name(name: str) -> str:
    """Return the name of a metric, a standard one or somebody's own.

    Raises:
        InvalidEntry: no metric can be called so.
    """
    try:
        return metric_type(known_as(name)).name
    except (ValueError, TypeError):
        raise InvalidEntry("a metric's name is 1 to 64 of a-z, 0-9 and _, beginning with a letter") from None


def changed_metrics(present: Mapping[str, float], given: Mapping[str, float | None]) -> dict[str, float] | None:
    """Return the metrics of an entry after a change, None where it has none.

    Args:
        present: those that it has.
        given: new values by name; None takes one away.

    Raises:
        InvalidEntry: a name or a value is invalid, or there are too many.
    """
    metrics = dict(present)
    named: dict[str, str] = {}
    for spelled, value in given.items():
        name = checked_name(spelled)
        if name in STANDARD_NAMES:
            raise InvalidEntry(f"{name} is measured, and not given")
        if named.setdefault(name, spelled) != spelled:
            raise InvalidEntry("one metric is given twice, under two spellings of its name")
        if value is None:
            metrics.pop(name, None)
            continue
        if not _is_number(value):
            raise InvalidEntry("the value of a metric is a number")
        try:
            metric_type(name).check(value)
        except ValueOutOfBounds as error:
            raise InvalidEntry(str(error)) from None
        metrics[name] = float(value)
    if len(metrics) > MAX_OWN:
        raise InvalidEntry(f"an entry has at most {MAX_OWN} metrics")
    return dict(sorted(metrics.items())) or None


def _is_own(name: Any) -> bool:
    try:
        return isinstance(name, str) and metric_type(name).name not in STANDARD_NAMES
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

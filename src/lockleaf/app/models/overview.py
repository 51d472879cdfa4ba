"""Tags, moods, days and numbers: the journal from above."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lockleaf.app.models.base import Answer, Body
from lockleaf.app.models.entries import Summary

__all__ = [
    "Calendar",
    "CalendarDay",
    "Mood",
    "Moods",
    "Numbers",
    "OnThisDay",
    "Recolor",
    "Settings",
    "Streak",
    "Tag",
    "Tags",
    "Totals",
]


class Tag(Answer):
    """A tag. ``color``: ``#rrggbb``."""

    name: str
    color: str
    count: int


class Tags(Answer):
    """All tags, by the alphabet."""

    tags: tuple[Tag, ...]


class Recolor(Body):
    """Another colour for a tag."""

    name: Annotated[str, Field(max_length=1000)]
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Mood(Answer):
    """A mood, and how many entries have it."""

    name: str
    count: int


class Moods(Answer):
    """All moods, those of most entries first. ``sources``: where entries came from."""

    moods: tuple[Mood, ...]
    sources: tuple[str, ...] = ()


class CalendarDay(Answer):
    """What was written about a day; the mood is that of its last entry that has one."""

    entries: int
    words: int
    mood: str | None


class Calendar(Answer):
    """The days of a year on which there is something, and the years that have any."""

    days: dict[str, CalendarDay]
    years: tuple[int, ...]


class OnThisDay(Answer):
    """The entries about this day of other years, newest first."""

    entries: tuple[Summary, ...]


class Streak(Answer):
    """Days in a row on which something was written. ``current`` counts up to today, or yesterday."""

    current: int
    longest: int


class Totals(Answer):
    """Of the whole journal."""

    entries: int
    words: int
    days: int


class Numbers(Answer):
    """Numbers of the journal, worked out on this device."""

    streak: Streak
    totals: Totals
    words_by_month: tuple[tuple[str, float], ...]
    moods_by_month: dict[str, dict[str, int]]
    metrics: dict[str, tuple[tuple[str, float], ...]]


class Settings(Body):
    """What the page remembers of its user's wishes on this device."""

    daily_goal: Annotated[int, Field(ge=0, le=100_000)] | None = None

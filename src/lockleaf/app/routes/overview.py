"""Tags, moods, the calendar, days of other years, and numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from lockleaf import client as sdk
from lockleaf.app.finding import same
from lockleaf.app.models.overview import (
    Calendar,
    CalendarDay,
    Mood,
    Moods,
    Numbers,
    OnThisDay,
    Recolor,
    Settings,
    Streak,
    Tag,
    Tags,
    Totals,
)
from lockleaf.app.models.state import State
from lockleaf.app.problems import Refused
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import summary

__all__ = ["endpoints"]

endpoints = Endpoints()
_MOST = 200


@endpoints.add("GET", "/tags")
async def list_tags(call: Call[None]) -> Tags:
    """Return all tags with their colours, and how many entries have each."""
    return _tags(await call.desk.journal.tags())


@endpoints.add("PUT", "/tags/color")
async def recolor_tag(call: Call[Recolor]) -> Tags:
    """Give a tag another colour."""
    await call.desk.journal.recolor_tag(call.body.name, call.body.color)
    await call.desk.written()
    return _tags(await call.desk.journal.tags())


def _tags(tags: Iterable[sdk.Tag]) -> Tags:
    return Tags(tags=tuple(Tag(name=each.name, color=each.color, count=each.count) for each in tags))


@endpoints.add("GET", "/moods")
async def list_moods(call: Call[None]) -> Moods:
    """Return all moods, and all sources, of most entries first."""
    entries = [each.entry for each in (await call.desk.shelf()).present()]
    moods = _counted(entry.mood for entry in entries)
    return Moods(
        moods=tuple(Mood(name=name, count=count) for name, count in moods),
        sources=tuple(name for name, _ in _counted(entry.source for entry in entries)),
    )


def _counted(names: Iterable[str | None]) -> list[tuple[str, int]]:
    """Return names as they are spelled first, and how often there is each, the most frequent first."""
    spelled: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in names:
        if name:
            key = same(name)
            spelled.setdefault(key, name)
            counts[key] += 1
    return [(spelled[key], count) for key, count in counts.most_common()]


@endpoints.add("GET", "/calendar/{year}")
async def get_calendar(call: Call[None]) -> Calendar:
    """Return the days of a year on which there is something."""
    if not call.path["year"].isdigit() or not 1 <= int(call.path["year"]) <= 9999:
        raise Refused(422, "invalid", "A year is a number such as 2026.")
    year, years = int(call.path["year"]), set()
    days: dict[str, CalendarDay] = {}
    for each in (await call.desk.shelf()).present():
        years.add(each.day.year)
        if each.day.year == year:
            before = days.get(each.day.isoformat(), CalendarDay(entries=0, words=0, mood=None))
            days[each.day.isoformat()] = CalendarDay(
                entries=before.entries + 1, words=before.words + each.words, mood=before.mood or each.entry.mood
            )
    return Calendar(days=days, years=tuple(sorted(years)))


@endpoints.add("GET", "/on-this-day/{month_day}")
async def on_this_day(call: Call[None]) -> OnThisDay:
    """Return the entries about this day of every year but the present one."""
    wanted, this_year = call.path["month_day"], _today().year
    shelf = await call.desk.shelf()
    found = [each for each in shelf.present() if f"{each.day:%m-%d}" == wanted and each.day.year != this_year]
    return OnThisDay(entries=tuple(map(summary, found[:_MOST])))


@endpoints.add("GET", "/numbers")
async def get_numbers(call: Call[None]) -> Numbers:
    """Return streaks, words, moods and own metrics, worked out from the entries on this device."""
    shelf = await call.desk.shelf()
    words: Counter[str] = Counter()
    moods: defaultdict[str, Counter[str]] = defaultdict(Counter)
    metrics: defaultdict[str, dict[str, list[float]]] = defaultdict(dict)
    days: set[date] = set()
    entries = 0
    for each in shelf.present():
        entries += 1
        days.add(each.day)
        month = f"{each.day:%Y-%m}"
        words[month] += each.words
        if each.entry.mood:
            moods[month][each.entry.mood] += 1
        for name, value in each.entry.metrics.items():
            metrics[name].setdefault(each.day.isoformat(), []).append(value)
    return Numbers(
        streak=_streak(days, _today()),
        totals=Totals(entries=entries, words=words.total(), days=len(days)),
        words_by_month=tuple(sorted(words.items())),
        moods_by_month={month: dict(counts) for month, counts in sorted(moods.items())},
        metrics={
            name: tuple((day, sum(values) / len(values)) for day, values in sorted(by_day.items()))
            for name, by_day in sorted(metrics.items())
        },
    )


@endpoints.add("PUT", "/settings")
async def change_settings(call: Call[Settings]) -> State:
    """Change what the page remembers of its user's wishes."""
    await call.desk.set_daily_goal(call.body.daily_goal or None)
    return await call.desk.state()


def _today() -> date:
    return datetime.now().astimezone().date()


def _streak(days: set[date], today: date) -> Streak:
    longest = run = 0
    before: date | None = None
    for day in sorted(days):
        run = run + 1 if before is not None and day - before == timedelta(days=1) else 1
        longest, before = max(longest, run), day
    # A day that is not over yet breaks nothing.
    at = today if today in days else today - timedelta(days=1)
    current = 0
    while at in days:
        current, at = current + 1, at - timedelta(days=1)
    return Streak(current=current, longest=longest)

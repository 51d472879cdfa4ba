"""Which entries are wanted: a list by filters, or a search by the whole query language."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from unicodedata import normalize

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.entries import Find, FoundEntries, Narrowed
from lockleaf.app.problems import Refused
from lockleaf.app.shelf import Shelf, Shelved
from lockleaf.app.views import summary, summary_of_hit

__all__ = ["find", "ids_of", "same"]

_MOST_WORDS = 50


def same(name: str) -> str:
    """Return a name in the form in which names are compared: case, and the way of composing letters, do not count."""
    return normalize("NFKC", name).casefold().strip()


async def find(desk: Desk, wanted: Find) -> FoundEntries:
    """Return a page of entries; deleted ones are listed and not searched.

    Raises:
        InvalidSearch: the query is too long, or nested too deep.
        Refused: a day or the cursor is invalid.
    """
    shelf = await desk.shelf()
    holds = _filter(wanted)
    if wanted.query.strip() and not wanted.deleted:
        return await _searched(desk, shelf, wanted, holds)
    found = shelf.deleted() if wanted.deleted else shelf.present()
    page, cursor, total = Shelf.page(found, holds, wanted.cursor, wanted.limit)
    return FoundEntries(entries=tuple(map(summary, page)), next_cursor=cursor, total=total)


async def ids_of(desk: Desk, wanted: Narrowed) -> list[str] | None:
    """Return the ids of all entries that are wanted; None where nothing is left out.

    Raises:
        InvalidSearch, Refused: as for `find`.
    """
    shelf, holds = await desk.shelf(), _filter(wanted)
    if wanted.query.strip():
        hits, _, _ = await _hits(desk, shelf, wanted, holds, None)
        return [hit.entry.id for hit in hits]
    if not wanted.model_dump(exclude_defaults=True, include=set(Narrowed.model_fields)):
        return None
    return [each.entry.id for each in shelf.present() if holds(each)]


def _filter(wanted: Narrowed) -> Callable[[Shelved], bool]:
    since, until = (_day(each) for each in (wanted.since, wanted.until))
    tags = {same(tag) for tag in wanted.tags}
    mood, source = (None if each is None else same(each) for each in (wanted.mood, wanted.source))

    def holds(each: Shelved) -> bool:
        entry = each.entry
        return (
            (since is None or each.day >= since)
            and (until is None or each.day <= until)
            and (mood is None or same(entry.mood or "") == mood)
            and (source is None or same(entry.source or "") == source)
            and (not tags or tags <= {same(tag) for tag in entry.tags})
        )

    return holds


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refused(422, "invalid", "A day is written as 2026-11-30.") from None


async def _searched(desk: Desk, shelf: Shelf, wanted: Find, holds: Callable[[Shelved], bool]) -> FoundEntries:
    offset = 0
    if wanted.cursor is not None:
        if not re.fullmatch(r"[0-9]{1,7}", wanted.cursor):
            raise Refused(422, "invalid", "The cursor is not one of this list.")
        offset = int(wanted.cursor)
    hits, total, ignored = await _hits(desk, shelf, wanted, holds, offset + wanted.limit)
    page = hits[offset : offset + wanted.limit]
    more = offset + wanted.limit < total and bool(page)
    return FoundEntries(
        entries=tuple(map(summary_of_hit, page)),
        next_cursor=str(offset + wanted.limit) if more else None,
        total=total,
        words=_words(page),
        ignored=ignored,
    )


async def _hits(
    desk: Desk, shelf: Shelf, wanted: Narrowed, holds: Callable[[Shelved], bool], most: int | None
) -> tuple[list[sdk.Hit], int, tuple[str, ...]]:
    """Return what a search finds, newest first, how many there are in all, and the words that it did not look for."""
    # What filters leave out is known of no hit before it is looked at, unless the query says it.
    query, filtered = _with_filters(wanted)
    found = await desk.journal.search(query, limit=None if filtered else most, newest=True)
    if not filtered:
        return list(found.hits), found.total, found.ignored
    hits = [hit for hit in found.hits if holds(shelf.get(hit.entry.id) or Shelved.of(hit.entry))]
    return hits, len(hits), found.ignored


def _with_filters(wanted: Narrowed) -> tuple[str, bool]:
    """Return the query with the filters in it, and whether some of them cannot be said in one."""
    said = [("tag", tag) for tag in wanted.tags]
    given = {"mood": wanted.mood, "source": wanted.source, "from": wanted.since, "to": wanted.until}
    said += [(name, value) for name, value in given.items() if value is not None]
    if any('"' in value or not value.strip() for _, value in said):
        return wanted.query, True
    # Before the words: a quote that is still open takes in all that follows it.
    query = " ".join([*(f'{name}:"{value}"' for name, value in said), wanted.query])
    return (query, False) if len(query) <= 4096 else (wanted.query, True)


def _words(hits: list[sdk.Hit]) -> tuple[str, ...]:
    """Return what was found in the hits, as it stands there, each once."""
    words = dict.fromkeys(
        piece.text[first:last].casefold() for hit in hits for piece in hit.highlights for first, last in piece.marks
    )
    return tuple(list(words)[:_MOST_WORDS])

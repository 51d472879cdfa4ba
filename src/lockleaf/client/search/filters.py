"""What a query asks beside words, held against an entry in the same way wherever the entry comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockleaf.client.records.entries import Entry
from lockleaf.client.search.selection import Selection
from lockleaf.search.query import Query
from lockleaf.wire.names import known_as

__all__ = ["Facts", "fits", "selecting"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What filters look at, in the form in which it is compared: as labels are, without case.

    Attributes:
        date: the local time, which is what entries are ordered by, in a form whose texts are in its order.
        tags: each between line ends.
    """

    date: str
    mood: str
    source: str
    tags: str

    @classmethod
    def of(cls, entry: Entry) -> Facts:
        """Return those of an entry."""
        return cls(
            entry.local_time.isoformat(timespec="microseconds"),
            _plain(entry.mood),
            _plain(entry.source),
            joined(entry.tags),
        )


def _plain(value: str | None) -> str:
    return known_as(value or "")


def joined(tags: tuple[str, ...]) -> str:
    """Return tags as `Facts` has them; an entry has a tag if it holds ``joined((tag,))``."""
    return "\n" + "".join(f"{_plain(tag)}\n" for tag in tags)


def selecting(wanted: Selection) -> Callable[[Facts], bool]:
    """Return what tells whether an entry is wanted, its day left aside, as `Selection.holds` does."""
    mood, source = (None if value is None else _plain(value) for value in (wanted.mood, wanted.source))
    tag = None if wanted.tag is None else joined((wanted.tag,))

    def holds(facts: Facts) -> bool:
        return (
            (mood is None or facts.mood == mood)
            and (source is None or facts.source == source)
            and (tag is None or tag in facts.tags)
        )

    return holds


def fits(query: Query, facts: Facts) -> bool:
    """Tell whether an entry is what the filters of a query ask for."""
    return (
        (query.first is None or facts.date[:10] >= query.first)
        and (query.last is None or facts.date[:10] <= query.last)
        and (query.mood is None or facts.mood == _plain(query.mood))
        and (query.source is None or facts.source == _plain(query.source))
        and all(joined((tag,)) in facts.tags for tag in query.tags)
    )

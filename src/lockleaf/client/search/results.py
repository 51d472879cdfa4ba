"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.records.entries import Entry
from lockleaf.search.highlights import Highlight

__all__ = ["Found", "Highlight", "Hit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found.

    Attributes:
        entry: as it is now.
        score: the more, the better; to be compared within one search only.
        highlights: pieces that show why it was found. Empty where only filters were asked.
    """

    entry: Entry
    score: float
    highlights: tuple[Highlight, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        hits: best first.
        total: how many entries fit, whether or not they are among ``hits``.
        ignored: words of the query that are too common to search for, and were left out.
        exact: whether ``total`` is exact; if not, it is an upper bound.
        complete: whether every entry could be found; False while a server's index is being built.
    """

    hits: tuple[Hit, ...]
    total: int
    ignored: tuple[str, ...] = ()
    exact: bool = True
    complete: bool = True

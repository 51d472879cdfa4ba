"""Pieces of an entry that show why it was found."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockleaf.search.matching import Match
    from lockleaf.search.plan import Plan

__all__ = ["Highlight", "highlights"]

LONGEST_FRAGMENT = 240
MOST_FRAGMENTS = 3
# How far a fragment's edge is moved to fall between words; where there are no spaces it falls between characters.
_EDGE = 40

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Highlight:
    """A piece of an entry.

    Attributes:
        field: where it is from.
        text: the piece, as it stands there.
        marks: what was found in it, in code points of the piece: first, and last exclusive.
    """

    field: Literal["title", "body"]
    text: str
    marks: tuple[Span, ...]


def highlights(plan: Plan, title: str | None, body: str, match: Match) -> tuple[Highlight, ...]:
    """The pieces of an entry that show why it was found.

    Args:
        plan: what was asked.
        title: the entry's title, as match() was given it.
        body: the entry's body.
        match: what match() found.

    Returns:
        The title if something was found in it, then at most three pieces of the body, in order. Empty where
        only filters were asked.
    """
    if not plan.stems:
        return ()
    found: list[Highlight] = []
    if title and (spans := match.spans["title"]):
        found += [Highlight("title", *piece) for piece in _pieces(title, spans, 1)]
    if spans := match.spans["body"]:
        found += [Highlight("body", *piece) for piece in _pieces(body, spans, MOST_FRAGMENTS)]
    return tuple(found)


def _pieces(text: str, spans: Sequence[Span], most: int) -> list[tuple[str, tuple[Span, ...]]]:
    """The fragments of a text with most in them, in order."""
    if len(text) <= LONGEST_FRAGMENT:
        return [(text, tuple(spans))]
    chosen: list[tuple[int, int]] = []
    for first, last in _fullest(spans, most):
        start, end = _around(text, spans[first][0], spans[last][1])
        if chosen and start < chosen[-1][1]:
            start = chosen[-1][1]
        chosen.append((start, end))
    pieces: list[tuple[str, tuple[Span, ...]]] = []
    for start, end in chosen:
        marks = tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start)
        if marks:
            pieces.append((text[start:end], marks))
    return pieces


def _fullest(spans: Sequence[Span], most: int) -> list[tuple[int, int]]:
    """Up to so many stretches that fit a fragment and have the most spans; by index, last inclusive, in order."""
    reach: list[int] = []
    last = 0
    for first, (start, _) in enumerate(spans):
        last = max(last, first)
        while last + 1 < len(spans) and spans[last + 1][1] - start <= LONGEST_FRAGMENT - _EDGE:
            last += 1
        reach.append(last)
    chosen: list[tuple[int, int]] = []
    free = [(0, len(spans) - 1)]
    while free and len(chosen) < most:
        first, gap = max(
            ((at, gap) for gap in free for at in range(gap[0], gap[1] + 1)),
            key=lambda found: (min(reach[found[0]], found[1][1]) - found[0], -found[0]),
        )
        until = min(reach[first], gap[1])
        chosen.append((first, until))
        free.remove(gap)
        free += [part for part in ((gap[0], first - 1), (until + 1, gap[1])) if part[0] <= part[1]]
    return sorted(chosen)


def _around(text: str, start: int, end: int) -> Span:
    """A fragment with a stretch in its middle, cut between words."""
    before = max(0, start - max(0, LONGEST_FRAGMENT - (end - start)) // 2)
    after = min(len(text), before + LONGEST_FRAGMENT)
    before = max(0, min(before, after - LONGEST_FRAGMENT))
    if before > 0:
        spaces = (at + 1 for at in range(before - 1, min(before + _EDGE, start)) if text[at].isspace())
        before = next(spaces, before)
        while before < start and _continues(text, before):
            before += 1
    if after < len(text):
        spaces = (at for at in range(after, max(after - _EDGE, end) - 1, -1) if text[at].isspace())
        after = next(spaces, after)
        while after > end and _continues(text, after):
            after -= 1
    return before, after


def _continues(text: str, at: int) -> bool:
    """Whether a character belongs to the one before it: a mark, or what a joiner joins."""
    return unicodedata.category(text[at])[0] == "M" or "\u200d" in text[at - 1 : at + 1]

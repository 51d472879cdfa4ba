"""Whether an entry matches, decided on its text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from lockleaf.search.plan import All, NoneOf, Stems, leaves
from lockleaf.search.words import bounds, surfaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockleaf.search.plan import Part, Plan

__all__ = ["Match", "Run", "asked_stems", "holds", "match", "match_places"]

Run = tuple[int, int]
"""A word or a phrase that was found: the positions of its first and its last word."""

# Beyond so many comparisons a phrase is looked for in another way: sixty-four words in a megabyte of the same one would
# take seconds.
_MANY = 20_000
_SET = ord("1")

# All that is found is counted; of a word or a phrase that a text says without end, only so many places are shown.
_SHOWN = 1000


class Match:
    """An entry that matches.

    Attributes:
        title_stems: those of the plan's stems that the title has.
        body_stems: those of the plan's stems that the body has.
        count: how many words and phrases were found, in both fields; one that the query repeats counts once.
        nearness: how near to each other the stems that were found lie in one field, in [0, 1]; 0 for a single stem.
    """

    __slots__ = ("__dict__", "_runs", "_texts", "body_stems", "count", "nearness", "title_stems")

    def __init__(self, plan: Plan, texts: Mapping[str, str], stems: Mapping[str, Mapping[str, list[int]]]) -> None:
        """Note what was found.

        Args:
            plan: what was asked.
            texts: title and body by field.
            stems: by field, the positions of each stem of the plan.
        """
        self._texts = texts
        self.title_stems = frozenset(stems["title"]).intersection(plan.stems)
        self.body_stems = frozenset(stems["body"]).intersection(plan.stems)
        self._runs: dict[str, list[Run]] = {name: [] for name in texts}
        self.count = 0
        asked = leaves(plan.root) if plan.root is not None else ()
        # What is asked for twice is found once: a query that repeats itself is no more work than one that does not.
        for leaf in dict.fromkeys(leaf for leaf, negated in asked if not negated):
            last = len(leaf.stems) - 1
            for name in texts:
                starts = _starts(leaf, stems[name])
                self.count += len(starts)
                self._runs[name] += [(start, start + last) for start in starts[:_SHOWN]]
        for found in self._runs.values():
            found.sort()
        self.nearness = max(_nearness(plan.stems, places) for places in stems.values())

    @functools.cached_property
    def spans(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """By field, "title" and "body": where it was found, in code points, in order and apart from each other.

        Of each word and each phrase the first 1,000 places in a field.
        """
        return {name: _spans(self._texts[name], found) for name, found in self._runs.items()}


def match(plan: Plan, title: str | None, body: str) -> Match | None:
    """Whether an entry's words are what was asked for.

    Args:
        plan: what was asked. Its filters are not looked at: whoever lists entries applies them.
        title: the entry's title.
        body: the entry's body.

    Returns:
        What was found; None where it does not match. A plan without words matches everything.
    """
    texts = {"title": title or "", "body": body}
    asked = set(asked_stems(plan))
    return match_places(plan, texts, {name: _places(text, plan, asked) for name, text in texts.items()})


def match_places(plan: Plan, texts: Mapping[str, str], stems: Mapping[str, Mapping[str, list[int]]]) -> Match | None:
    """As match(), for whoever knows already where the stems stand.

    Args:
        plan: what was asked.
        texts: title and body by field; empty ones will do where nobody asks for spans.
        stems: by field, the positions, in order, of each stem that asked_stems() names.

    Returns:
        What was found; None where it does not match.
    """
    return Match(plan, texts, stems) if holds(plan, stems) else None


def holds(plan: Plan, stems: Mapping[str, Mapping[str, list[int]]]) -> bool:
    """Whether an entry matches, for whoever knows where the stems stand and asks for nothing else.

    Args:
        plan: what was asked.
        stems: as match_places() takes them.
    """
    return plan.root is None or _holds(plan.root, stems["title"], stems["body"])


def asked_stems(plan: Plan) -> tuple[str, ...]:
    """The stems of a plan, those that must be absent among them: where each stands decides whether an entry matches.

    Args:
        plan: what was asked.

    Returns:
        The stems, each once.
    """
    if plan.root is None:
        return ()
    return tuple(dict.fromkeys(stem for leaf, _ in leaves(plan.root) for stem in leaf.stems if stem is not None))


def _places(text: str, plan: Plan, asked: set[str]) -> dict[str, list[int]]:
    """Where the stems that were asked for stand in a text, by position among its words."""
    places: dict[str, list[int]] = {}
    if text and asked:
        found, forms = surfaces(text), plan.language.forms
        meant = {surface: stem for surface in set(found) if (stem := forms[surface]) in asked}
        if meant:
            for at, surface in enumerate(found):
                if surface in meant:
                    places.setdefault(meant[surface], []).append(at)
    return places


def _holds(part: Part, title: Mapping[str, list[int]], body: Mapping[str, list[int]]) -> bool:
    if isinstance(part, Stems):
        if len(part.stems) == 1:
            return part.stems[0] in title or part.stems[0] in body
        return bool(_starts(part, title) or _starts(part, body))
    if isinstance(part, NoneOf):
        return not _holds(part.part, title, body)
    held = (_holds(inner, title, body) for inner in part.parts)
    return all(held) if isinstance(part, All) else any(held)


def _starts(leaf: Stems, places: Mapping[str, list[int]]) -> list[int]:
    """The positions, in order, at which a word or a phrase begins."""
    if len(leaf.stems) == 1:
        return places.get(leaf.stems[0] or "", [])
    wanted = [(offset, stem) for offset, stem in enumerate(leaf.stems) if stem is not None]
    if any(stem not in places for _, stem in wanted):
        return []
    rarest, first = min(wanted, key=lambda each: len(places[each[1]]))
    if len(places[first]) * len(wanted) > _MANY:
        return _starts_of_many(wanted, places)
    starts = {at - rarest for at in places[first]}
    for offset, stem in wanted:
        if starts and offset != rarest:
            starts.intersection_update([at - offset for at in places[stem]])
    return sorted(starts)


def _starts_of_many(wanted: Iterable[tuple[int, str]], places: Mapping[str, list[int]]) -> list[int]:
    """Where a phrase begins in a text that says its words without end, with a bit for each word of the text."""
    bits: dict[str, int] = {}
    found: int | None = None
    for offset, stem in wanted:
        if stem not in bits:
            flags = bytearray(b"0" * (places[stem][-1] + 1))
            for at in places[stem]:
                flags[at] = _SET
            flags.reverse()
            bits[stem] = int(flags, 2)
        here = bits[stem] >> offset
        found = here if found is None else found & here
    return [at for at, flag in enumerate(reversed(f"{found or 0:b}")) if flag == "1"]


def _nearness(stems: Sequence[str], places: Mapping[str, list[int]]) -> float:
    """How many stems there are to each word of the shortest stretch that has all of those that are there."""
    present = [stem for stem in stems if stem in places]
    if len(present) < 2:
        return 0.0
    order = sorted((at, stem) for stem in present for at in places[stem])
    latest: dict[str, int] = {}
    shortest = order[-1][0] - order[0][0] + 1
    for at, stem in order:
        latest.pop(stem, None)
        latest[stem] = at
        if len(latest) == len(present):
            # A dictionary keeps the order of insertion: the first is the stem that was met longest ago.
            shortest = min(shortest, at - next(iter(latest.values())) + 1)
    return len(present) / shortest


def _spans(text: str, found: Iterable[Run]) -> tuple[tuple[int, int], ...]:
    runs = list(found)
    if not runs:
        return ()
    placed = bounds(text, {at for run in runs for at in run})
    spans: list[tuple[int, int]] = []
    for first, last in runs:
        start, end = placed[first][0], placed[last][1]
        if spans and start < spans[-1][1]:
            start, end = spans[-1][0], max(end, spans[-1][1])
            spans.pop()
        spans.append((start, end))
    return tuple(spans)

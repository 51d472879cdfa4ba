"""What a query finds in the index of words, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lockleaf.client.search.filters import fits
from lockleaf.client.search.segments import Positions, Segment
from lockleaf.client.search.word_index import WordIndex
from lockleaf.search.matching import Match, asked_stems, holds
from lockleaf.search.plan import Plan
from lockleaf.search.ranking import Corpus, coarse, fine

__all__ = ["Ranked", "ranked", "score_of"]

_Held = tuple[frozenset[str], frozenset[str]]
_Fields = Mapping[str, Positions]
_Found = tuple[str, str, _Held, float]

_NO_TEXTS = {"title": "", "body": ""}
_NOWHERE: _Fields = {"title": {}, "body": {}}


def score_of(coarse_score: float, fine_score: float) -> float:
    """Return both parts of a score as one number: whole millionths are the first, what is behind them the second."""
    return coarse_score + fine_score / 1_000_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """An entry that matches."""

    coarse: float
    fine: float
    date: str
    entry_id: str

    @property
    def score(self) -> float:
        """How good a hit it is."""
        return score_of(self.coarse, self.fine)


def ranked(index: WordIndex, asked: Plan, newest: int | None = None) -> tuple[list[Ranked], int]:
    """Return the entries that match, best first, and how many they are.

    Segments are gone through one by one, so that of the words of an entry nothing is left but which were found: how
    much a word counts is known only when all of them have been seen.

    Args:
        newest: return only so many, those of the latest dates, latest first; how good a hit each other is, is not
            worked out then.

    Raises:
        UnusableIndex: a page is not the one that was written.
    """
    frequency = dict.fromkeys(asked.stems, 0)
    found: list[_Found] = []
    total = 0
    for segment in index.segments:
        matching = list(_matching(segment, asked, frequency))
        total += len(matching)
        if newest is not None:
            matching.sort(key=_by_date, reverse=True)
            del matching[newest:]
        found += [(date, entry_id, *_held(asked, fields)) for date, entry_id, fields in matching]
    corpus = Corpus(index.live, frequency)
    much = {held: coarse(asked, *held, corpus) for held in {each[2] for each in found}}
    hits = [Ranked(much[held], how, date, entry_id) for date, entry_id, held, how in found]
    if newest is not None:
        hits.sort(key=lambda each: (each.date, each.entry_id), reverse=True)
        return hits[:newest], total
    hits.sort(key=lambda each: each.entry_id)
    hits.sort(key=lambda each: (each.coarse, each.fine, each.date), reverse=True)
    return hits, total


def _by_date(matching: tuple[str, str, _Fields]) -> tuple[str, str]:
    return matching[:2]


def _held(asked: Plan, fields: _Fields) -> tuple[_Held, float]:
    """Return which words of a query an entry has, and how often and how near to each other."""
    match = Match(asked, _NO_TEXTS, fields)
    return (match.title_stems, match.body_stems), fine(match)


def _matching(segment: Segment, asked: Plan, frequency: dict[str, int]) -> Iterator[tuple[str, str, _Fields]]:
    """What of a segment matches, by date and id; ``frequency`` counts those that have a stem, matching or not."""
    places = segment.positions(asked_stems(asked))
    for fields in places.values():
        for stem in fields["title"].keys() | fields["body"].keys():
            if stem in frequency:
                frequency[stem] += 1
    # Without anything positive, whatever the filters leave is looked at.
    for number in places if asked.positive else segment.numbers():
        if asked.query.filtered and not fits(asked.query, segment.facts(number)):
            continue
        fields = places.get(number, _NOWHERE)
        if holds(asked, fields):
            yield segment.date(number), segment.ids[number], fields

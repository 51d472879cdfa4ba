"""What a query finds in the index of words, in order."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.search.filters import fits
from lockleaf.client.search.segments import Positions, Segment
from lockleaf.client.search.word_index import WordIndex
from lockleaf.search.matching import asked_stems, match_places
from lockleaf.search.plan import Plan
from lockleaf.search.ranking import Corpus, coarse, fine

__all__ = ["Ranked", "ranked", "score_of"]

_NO_TEXTS = {"title": "", "body": ""}
_NOWHERE: dict[str, Positions] = {"title": {}, "body": {}}

_Held = tuple[frozenset[str], frozenset[str]]


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


def ranked(index: WordIndex, asked: Plan) -> list[Ranked]:
    """Return the entries that match, best first.

    Segments are gone through one by one, so that of the words of an entry nothing is left but which were found: how
    much a word counts is known only when all of them have been seen.

    Raises:
        UnusableIndex: a page is not the one that was written.
    """
    frequency = dict.fromkeys(asked.stems, 0)
    found: list[tuple[_Held, float, str, str]] = []
    for segment in index.segments:
        found += _matching(segment, asked, frequency)
    corpus = Corpus(index.live, frequency)
    much = {held: coarse(asked, *held, corpus) for held in {each[0] for each in found}}
    hits = [Ranked(much[held], how, date, entry_id) for held, how, date, entry_id in found]
    hits.sort(key=lambda each: each.entry_id)
    hits.sort(key=lambda each: (each.coarse, each.fine, each.date), reverse=True)
    return hits


def _matching(segment: Segment, asked: Plan, frequency: dict[str, int]) -> list[tuple[_Held, float, str, str]]:
    """What of a segment matches; ``frequency`` counts the entries that have a stem, matching or not."""
    places = segment.positions(asked_stems(asked))
    for fields in places.values():
        for stem in fields["title"].keys() | fields["body"].keys():
            if stem in frequency:
                frequency[stem] += 1
    matching = []
    # Without anything positive, whatever the filters leave is looked at.
    for number in places if asked.positive else segment.numbers():
        if asked.query.filtered and not fits(asked.query, segment.facts(number)):
            continue
        found = match_places(asked, _NO_TEXTS, places.get(number, _NOWHERE))
        if found is not None:
            held = (found.title_stems, found.body_stems)
            matching.append((held, fine(found), segment.date(number), segment.ids[number]))
    return matching

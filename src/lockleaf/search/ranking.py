"""The order of hits.

Hits are ordered by (coarse rounded to six places, descending; fine, descending; date, descending; id). The first is
known from an index alone, so that only entries with the same coarse value need to be looked into to be ordered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lockleaf.search.matching import Match
    from lockleaf.search.plan import Plan

__all__ = ["Corpus", "coarse", "fine"]

_IN_TITLE = 2.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """What an account's entries have in common.

    Attributes:
        documents: how many entries the index holds.
        frequency: how many of them hold a stem, in title or body; a stem that is missing is in none.
    """

    documents: int
    frequency: Mapping[str, int]


def coarse(plan: Plan, title_stems: Collection[str], body_stems: Collection[str], corpus: Corpus) -> float:
    """How much an entry has of what was asked for: rare words count more, and words of the title twice.

    Args:
        plan: what was asked.
        title_stems: stems of the title, those of the plan at least.
        body_stems: stems of the body, those of the plan at least.
        corpus: counts over the account's entries.

    Returns:
        From 0 upwards, rounded to six places.
    """
    score = 0.0
    for stem in plan.stems:
        in_title = stem in title_stems
        if in_title or stem in body_stems:
            held = min(corpus.frequency.get(stem, 0), corpus.documents)
            rarity = math.log(1 + (corpus.documents - held + 0.5) / (held + 0.5))
            score += rarity * (_IN_TITLE if in_title else 1.0)
    return round(score, 6)


def fine(match: Match) -> float:
    """How often and how near to each other the words stand.

    Args:
        match: from match().

    Returns:
        In [0, 1).
    """
    return 0.5 * match.count / (match.count + 4) + 0.5 * match.nearness

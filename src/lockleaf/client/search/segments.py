"""Reading a segment of the index of words: of its pages those that a search asks for; see `packing`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from lockleaf.client.search.filters import Facts
from lockleaf.client.search.packing import DIGEST, FULL, FULL_TEXTS, Shape, UnusableIndex, part_of
from lockleaf.crypto.encoding import strict_unpack
from lockleaf.crypto.errors import Malformed

__all__ = ["Positions", "Segment"]

Positions = dict[str, list[int]]
"""Of each stem, the positions of the words that have it."""


@dataclass(slots=True)
class _Facts:
    dates: list[str]
    numbers: list[int]
    traits: list[list[str]]
    lengths: list[list[list[int]]]


class Segment:
    """A segment that is read.

    Args:
        name: no other segment ever has it.
        read: gives a page by its name; it raises `UnusableIndex` where there is none, or not the one that was written.
        dead: the numbers of those that are gone, or stand in another segment as they are now.
    """

    def __init__(self, name: bytes, shape: Shape, read: Callable[[str], bytes], dead: set[int]) -> None:
        self.name = name
        self.shape = shape
        self.dead = dead
        self._read = read

    @property
    def live(self) -> int:
        """How many entries it has that are as they are now."""
        return self.shape.count - len(self.dead)

    @property
    def is_small(self) -> bool:
        """Whether it is better made into one with others."""
        wasted = self.live * 2 < self.shape.count
        return self.live < FULL // 2 and (wasted or self.shape.size < FULL_TEXTS // 2)

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of those that are as they are now."""
        return (number for number in range(self.shape.count) if number not in self.dead)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of its entries."""
        found = self._unpacked("ids")
        if not isinstance(found, list) or len(found) != self.shape.count:
            raise UnusableIndex
        return found

    @cached_property
    def digests(self) -> bytes:
        """Their digests, one behind the other; see `digest`."""
        return self._read("digests")

    def digest(self, number: int) -> bytes:
        """Return what tells whether an entry has changed."""
        return self.digests[number * DIGEST : (number + 1) * DIGEST]

    @cached_property
    def _facts(self) -> _Facts:
        try:
            return _Facts(*self._unpacked("facts"))
        except TypeError:
            raise UnusableIndex from None

    def date(self, number: int) -> str:
        """Return the local time of an entry; see `Facts`."""
        return self._facts.dates[number]

    def facts(self, number: int) -> Facts:
        """Return what filters look at."""
        return Facts(self._facts.dates[number], *self._facts.traits[self._facts.numbers[number]])

    def selected(self, wanted: Callable[[Facts], bool], since: str | None, until: str | None) -> Iterator[int]:
        """Yield the numbers of entries that are wanted.

        Args:
            wanted: asked once of all entries that are alike, and without their dates.
            since, until: days, both inclusive.
        """
        facts = self._facts
        alike = [wanted(Facts("", *each)) for each in facts.traits]
        for number, (date, traits) in enumerate(zip(facts.dates, facts.numbers, strict=True)):
            if (
                alike[traits]
                and (since is None or date[:10] >= since)
                and (until is None or date[:10] <= until)
                and number not in self.dead
            ):
                yield number

    def positions(self, stems: Iterable[str]) -> dict[int, Mapping[str, Positions]]:
        """Return where stems stand: by number of the entry, by field, by stem. The dead are left out."""
        found: dict[int, Mapping[str, Positions]] = {}
        asked = [(stem, *meant) for stem in stems if (meant := self._meant(stem)) is not None]
        pages = 0
        for _, _, where in asked:
            pages |= where
        first = 0
        for page, lengths in enumerate(self._facts.lengths if asked else ()):
            if pages >> page & 1:
                words = self._words(page)
                starts = list(accumulate((length for pair in lengths for length in pair), initial=0))
                for stem, character, where in asked:
                    if where >> page & 1:
                        self._place(found, first, starts, stem, _all(character, words))
            first += len(lengths)
        return found

    def _place(
        self,
        found: dict[int, Mapping[str, Positions]],
        first: int,
        starts: list[int],
        stem: str,
        places: Iterator[int],
    ) -> None:
        """Sort the places of a stem within a page under the entries and fields that they are in."""
        end, begin, into = 0, 0, None
        for place in places:
            if place >= end:
                at = bisect_right(starts, place) - 1
                begin, end = starts[at], starts[at + 1]
                number = first + at // 2
                if number in self.dead:
                    into = None
                else:
                    fields = found.get(number)
                    if fields is None:
                        fields = found[number] = {"title": {}, "body": {}}
                    into = fields["body" if at % 2 else "title"].setdefault(stem, [])
            if into is not None:
                into.append(place - begin)

    def _meant(self, stem: str) -> tuple[str, int] | None:
        """The character of a stem, and in which pages of texts it stands."""
        try:
            names, characters, pages = self._unpacked(f"words-{part_of(stem, self.shape.parts)}")
            at = names.index(stem)
        except ValueError:
            return None
        return characters[at], int.from_bytes(pages[at], "little")

    def _words(self, page: int) -> str:
        try:
            return self._read(f"texts-{page}").decode()
        except UnicodeDecodeError:
            raise UnusableIndex from None

    def _unpacked(self, page: str) -> Any:
        try:
            return strict_unpack(self._read(page))
        except Malformed:
            raise UnusableIndex from None


def _all(character: str, words: str) -> Iterator[int]:
    at = words.find(character)
    while at >= 0:
        yield at
        at = words.find(character, at + 1)

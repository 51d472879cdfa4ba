"""Which entries fit an expression of tokens, worked out from the lists of entries that hold each of them.

Sets are whole numbers here, with a bit for each entry that any list names: Python combines those of 100,000 entries in
microseconds, and 64 words in two fields take some megabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import compress
from operator import and_, neg, or_
from typing import Any

__all__ = ["Candidate", "Candidates", "leaves"]

_BITS = bytes.maketrans(b"01", b"\0\1")
_ONE = ord("1")


Candidate = tuple[float, int, int]
"""An entry in the order in which entries are looked into: its score and its date, both negative, and the number of its
record. Those with the smallest come first, so that they are sorted as they are.
"""


def leaves(expression: Any) -> Iterator[Hashable]:
    """Yield the leaves of a nested ``{"all" | "any" | "none": [...]}``."""
    if not isinstance(expression, Mapping):
        yield expression
        return
    for parts in expression.values():
        for part in parts:
            yield from leaves(part)


class _Scores(dict[tuple[int, ...], float]):
    """The negative score of each combination of what an entry can hold, worked out when it is first met."""

    def __init__(self, score: Callable[[tuple[int, ...]], float]) -> None:
        self._score = score

    def __missing__(self, held: tuple[int, ...]) -> float:
        found = self[held] = -round(self._score(held), 6)
        return found


class Candidates:
    """The entries of an account that a query may mean."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._dates: list[int] = []
        self._sets: dict[Hashable, int] = {}
        self._chosen = 0

    def __len__(self) -> int:
        """How many entries the lists name."""
        return len(self._dates)

    def add(self, key: Hashable, packed: bytes) -> None:
        """Let ``key`` stand for the entries at these places, as `SearchRepository` gives them."""
        values = struct.unpack(f">{len(packed) // 8}q", packed)
        seqs = values[::2]
        numbers, dates = self._numbers, self._dates
        if not numbers:
            # The first list needs no look at each of its entries: of a query, let it be the longest.
            numbers.update(zip(seqs, range(len(seqs)), strict=True))
            dates.extend(values[1::2])
            self._sets[key] = (1 << len(seqs)) - 1
            return
        for seq, at in zip(seqs, values[1::2], strict=True):
            if seq not in numbers:
                numbers[seq] = len(dates)
                dates.append(at)
        flags = bytearray(b"0" * len(dates))
        for number in map(numbers.__getitem__, seqs):
            flags[number] = _ONE
        flags.reverse()
        self._sets[key] = int(flags, 2) if flags else 0

    def count(self, *keys: Hashable) -> int:
        """Return how many entries any of these keys stands for."""
        return reduce(or_, (self._sets.get(key, 0) for key in keys), 0).bit_count()

    def choose(self, expression: Any) -> None:
        """Choose the entries that fit a nested expression over keys, among those that any list names."""
        everything = (1 << len(self)) - 1

        def fitting(part: Any) -> int:
            if not isinstance(part, Mapping):
                return self._sets.get(part, 0)
            [(operator, parts)] = part.items()
            found = map(fitting, parts)
            if operator == "all":
                return reduce(and_, found, everything)
            united = reduce(or_, found, 0)
            return united if operator == "any" else everything & ~united

        self._chosen = fitting(expression)

    def ordered(
        self,
        keys: Sequence[Hashable],
        score: Callable[[tuple[int, ...]], float],
        dates: tuple[int, int] | None = None,
    ) -> list[Candidate]:
        """Return the chosen entries within a range of dates: best first, then the latest.

        Args:
            keys: what decides the score.
            score: of an entry that holds those of ``keys`` for which there is 1, not those with 0. Asked once for each
                combination.
            dates: the first and the last of the range in PostgreSQL's microseconds; None where it leaves nothing out.
        """
        chosen = self._flags(self._chosen)
        if not any(chosen):
            return []
        columns = [compress(self._flags(self._sets.get(key, 0)), chosen) for key in keys]
        held = zip(*columns, strict=True) if columns else [()] * self._chosen.bit_count()
        scores = map(_Scores(score).__getitem__, held)
        before = map(neg, compress(self._dates, chosen))
        found: Iterable[Candidate] = zip(scores, before, compress(self._numbers, chosen), strict=True)
        if dates is not None:
            first, last = dates
            found = (each for each in found if -last <= each[1] <= -first)
        return sorted(found)

    def _flags(self, bits: int) -> bytes:
        """Return a byte for each entry, 1 for those in the set."""
        return f"{bits:0{len(self)}b}"[::-1].encode().translate(_BITS) if len(self) else b""

"""Which entries fit an expression of tokens, worked out from the lists of entries that hold each of them.

Sets are whole numbers here, with a bit for each entry that any list names: Python combines those of 100,000 entries in
microseconds, and 64 words in two fields take some megabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import compress
from operator import and_, or_
from typing import Any, NamedTuple

__all__ = ["Candidates", "Place", "leaves"]

_BITS = bytes.maketrans(b"01", b"\0\1")


class Place(NamedTuple):
    """Where a candidate stands: its record's number, and its date as PostgreSQL counts it, in microseconds."""

    seq: int
    at: int


def leaves(expression: Any) -> Iterator[Hashable]:
    """Yield the leaves of a nested ``{"all" | "any" | "none": [...]}``."""
    if not isinstance(expression, Mapping):
        yield expression
        return
    for parts in expression.values():
        for part in parts:
            yield from leaves(part)


class Candidates:
    """The entries of an account that a query may mean."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._at: list[int] = []
        self._sets: dict[Hashable, int] = {}
        self._chosen = 0

    def add(self, key: Hashable, packed: bytes) -> None:
        """Let ``key`` stand for the entries at these places."""
        values = struct.unpack(f">{len(packed) // 8}q", packed)
        seqs, dates = values[::2], values[1::2]
        numbers = self._numbers
        for seq, at in zip(seqs, dates, strict=True):
            if seq not in numbers:
                numbers[seq] = len(self._at)
                self._at.append(at)
        flags = bytearray(b"0" * len(self._at))
        last = len(flags) - 1
        for seq in seqs:
            flags[last - numbers[seq]] = 49
        self._sets[key] = int(flags, 2) if flags else 0

    def count(self, *keys: Hashable) -> int:
        """Return how many entries any of these keys stands for."""
        return reduce(or_, (self._sets.get(key, 0) for key in keys), 0).bit_count()

    def choose(self, expression: Any) -> None:
        """Choose the entries that fit a nested expression over keys; of what no list names, nothing fits."""
        everything = (1 << len(self._at)) - 1

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

    def keep(self, key: Hashable) -> None:
        """Leave out of those chosen what ``key`` does not stand for."""
        self._chosen &= self._sets.get(key, 0)

    def scored(
        self, keys: Sequence[Hashable], score: Callable[[tuple[bool, ...]], float], *, first: int, last: int
    ) -> list[tuple[float, Place]]:
        """Return the chosen entries within a range of dates, each with its score: best first, then the latest.

        Arguments:
            score: of an entry that holds those of ``keys`` for which it is given True. Asked once for each combination.
        """
        chosen = self._flags(self._chosen)
        places = [
            Place(seq, at) for seq, at in zip(compress(self._numbers, chosen), compress(self._at, chosen), strict=True)
        ]
        columns = [bytes(compress(self._flags(self._sets.get(key, 0)), chosen)) for key in keys]
        known: dict[tuple[int, ...], float] = {}
        found = []
        for place, held in zip(places, zip(*columns, strict=True) if keys else [()] * len(places), strict=True):
            if first <= place.at <= last:
                if held not in known:
                    known[held] = round(score(tuple(map(bool, held))), 6)
                found.append((known[held], place))
        found.sort(key=lambda each: (-each[0], -each[1].at, each[1].seq))
        return found

    def _flags(self, bits: int) -> bytes:
        """Return a byte for each entry, 1 for those in the set."""
        return f"{bits:0{len(self._at)}b}"[::-1].encode().translate(_BITS) if self._at else b""

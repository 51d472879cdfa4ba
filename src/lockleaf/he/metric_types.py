"""Kinds of metrics: what a value may be, and how it is scaled so that it stays within its parameter set.

A client scales before it encrypts and divides after it decrypts; the server knows nothing of it. Factors are powers of
two, so scaling is exact. In ckks-8192 each value is itself, as simple clients send it; in ckks-4096 large values are
made smaller, and small ones larger, that the noise may be smaller beside them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lockleaf.he.errors import ValueOutOfBounds
from lockleaf.he.params import ParameterSet

__all__ = ["CHARACTERS", "MOOD", "OWN_LARGEST", "SENTIMENT", "STANDARD", "WORD_COUNT", "MetricType", "metric_type"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
OWN_LARGEST = 2.0**16
"""The largest magnitude of a metric of one's own. One for all of them, so that devices agree without asking."""


@dataclass(frozen=True, slots=True)
class MetricType:
    """A kind of metric.

    Attributes:
        name: 1 to 64 of a-z, 0-9 and _, beginning with a letter.
        lowest: the least that a value may be.
        highest: the most that it may be.
    """

    name: str
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a metric's name is 1 to 64 of a-z, 0-9 and _, beginning with a letter")
        if not -math.inf < self.lowest < self.highest < math.inf:
            raise ValueError("a metric's limits are finite, and the lower below the higher")

    @property
    def largest(self) -> float:
        """The largest magnitude of a value."""
        return max(abs(self.lowest), abs(self.highest))

    def check(self, value: float) -> None:
        """Let a value within the limits pass.

        Raises:
            ValueOutOfBounds: it lies outside, or is no number.
        """
        if not self.lowest <= value <= self.highest:
            raise ValueOutOfBounds(f"a value of {self.name} is from {self.lowest:g} to {self.highest:g}")

    def factor(self, parameters: ParameterSet) -> float:
        """Return by what a value is multiplied before it is encrypted under ``parameters``."""
        return _factor(self.largest, parameters)

    def square_factor(self, parameters: ParameterSet) -> float:
        """Return by what the square of a value is multiplied, where the client encrypts squares."""
        return _factor(self.largest**2, parameters)


def _factor(largest: float, parameters: ParameterSet) -> float:
    factor = 2.0 ** math.floor(math.log2(parameters.largest / largest))
    return min(factor, 1.0) if "square" in parameters.operations else factor


WORD_COUNT = MetricType("word_count", 0, 2**16)
CHARACTERS = MetricType("characters", 0, 2**19)
MOOD = MetricType("mood", -10, 10)
SENTIMENT = MetricType("sentiment", -1, 1)

STANDARD = (WORD_COUNT, CHARACTERS, MOOD, SENTIMENT)
"""The metrics that a client makes by itself, in the order of their slots; only ever appended to."""

_BY_NAME = {each.name: each for each in STANDARD}


def metric_type(name: str) -> MetricType:
    """Return the kind of metric of that name: a standard one, or one of the user's own.

    Raises:
        ValueError: no metric can be called so.
    """
    return _BY_NAME.get(name) or MetricType(name, -OWN_LARGEST, OWN_LARGEST)

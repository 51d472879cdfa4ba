"""What the server computes from numbers that it cannot read.

Every result is a ciphertext again, and undivided by nothing that the server does not know: a count, times, weights.
Sums, and products with plain numbers, are arithmetic of residues (``arithmetic``); only a product of two ciphertexts
needs SEAL, and with it a relinearisation key (``multiply``). Division is exact and free: a ciphertext stands for its
integers divided by its scale, so a scale that is n times as great divides by n.

Bounds. A sum is right while its magnitude stays within ``largest_sum`` of the parameter set: beyond, CKKS wraps around
without an error. Values lie within ``largest`` (clients see to it), so no more than ``most_values`` may meet in a slot;
for packed ciphertexts, in which the server cannot count, the client counts and the server holds additions to
``most_additions``. Each docstring states the error of a slot in the units of what was encrypted; F is the set's
``fresh_error``, M an upper bound of the result's magnitude in any slot, and 2^-44 the rounding of doubles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lockleaf.he import arithmetic
from lockleaf.he.codec import Ciphertext, SealVersion
from lockleaf.he.errors import Mismatch, TooManyValues, UnsupportedOperation, ValueOutOfBounds
from lockleaf.he.params import Operation, ParameterSet

__all__ = ["Accumulator", "Trend", "add", "average", "divide", "subtract", "total", "trend", "weighted_sum"]


@dataclass(frozen=True, slots=True)
class Trend:
    """How values change with time: the line of least squares through (time, value).

    Attributes:
        slope: ciphertext of the change in a unit of time.
        average: ciphertext of the average value.
        mean_time: the mean of the times, at which the line has the average value.
        count: how many values it runs through.
    """

    slope: Ciphertext
    average: Ciphertext
    mean_time: float
    count: int


def _require_alike(left: Ciphertext, right: Ciphertext) -> None:
    if any(getattr(left, fact) != getattr(right, fact) for fact in ("parameters", "level", "scale", "values")):
        raise Mismatch("ciphertexts of different sets, levels, scales or lengths cannot be added")


def _require(parameters: ParameterSet, operation: Operation) -> None:
    if operation not in parameters.operations:
        raise UnsupportedOperation(f"{parameters.name} has no {operation}")


def add(left: Ciphertext, right: Ciphertext) -> Ciphertext:
    """Return left + right, in the version of ``right``.

    Error: that of both together; see ``Accumulator``.

    Raises:
        Mismatch: they are of different sets, levels, scales or lengths.
    """
    _require_alike(left, right)
    primes = left.parameters.primes_at(left.level)
    return replace(right, residues=arithmetic.add(left.residues, right.residues, primes))


def subtract(left: Ciphertext, right: Ciphertext) -> Ciphertext:
    """Return left - right, in the version of ``left``: the sum without a value that it held.

    Error: that of both together, noise being added here too.

    Raises:
        Mismatch: they are of different sets, levels, scales or lengths.
    """
    _require_alike(left, right)
    primes = left.parameters.primes_at(left.level)
    return replace(left, residues=arithmetic.subtract(left.residues, right.residues, primes))


class Accumulator:
    """A sum of many ciphertexts, in the memory of one.

    Error of a sum of n fresh ciphertexts: F * sqrt(n) + M * 2^-44, their noises being independent.
    """

    def __init__(self) -> None:
        self._first: Ciphertext | None = None
        self._version: SealVersion | None = None
        self._sum: arithmetic.LazySum | None = None
        self.count = 0

    def add(self, ciphertext: Ciphertext) -> None:
        """Add a ciphertext.

        Raises:
            Mismatch: it is of another set, level, scale or length than the first.
            TooManyValues: the sum would hold more additions than its parameter set allows.
        """
        if self._first is None or self._sum is None:
            self._first = ciphertext
            primes = ciphertext.parameters.primes_at(ciphertext.level)
            self._sum = arithmetic.LazySum(primes, ciphertext.parameters.degree)
        _require_alike(self._first, ciphertext)
        if self.count >= ciphertext.parameters.most_additions:
            raise TooManyValues("more than the parameter set adds up correctly")
        self._sum.add(ciphertext.residues)
        self._version = ciphertext.version
        self.count += 1

    def total(self) -> Ciphertext:
        """Return the sum so far, in the version of the ciphertext that came last.

        Raises:
            ValueError: nothing was added.
        """
        if self._first is None or self._sum is None or self._version is None:
            raise ValueError("nothing was added")
        return replace(self._first, residues=self._sum.total(), version=self._version)


def total(ciphertexts: Iterable[Ciphertext]) -> Ciphertext:
    """Return the sum of ``ciphertexts``: one at least, all of a kind.

    Error: see ``Accumulator``.

    Raises:
        Mismatch: they are of different sets, levels, scales or lengths.
        TooManyValues: they are more than the parameter set adds up correctly.
        ValueError: no ciphertext is given.
    """
    accumulator = Accumulator()
    for each in ciphertexts:
        accumulator.add(each)
    return accumulator.total()


def divide(ciphertext: Ciphertext, divisor: float) -> Ciphertext:
    """Return a ciphertext divided by a plain number, which is exact.

    Error: that of the dividend, divided too.

    Raises:
        ValueOutOfBounds: the divisor is not positive and finite, or larger than the modulus leaves room for.
    """
    scale = ciphertext.scale * divisor
    bits = sum(prime.bit_length() for prime in ciphertext.parameters.primes_at(ciphertext.level))
    if not math.isfinite(divisor) or divisor <= 0 or not 1 <= scale < 2.0 ** (bits - 2):
        raise ValueOutOfBounds("there is no dividing by that")
    return replace(ciphertext, scale=scale)


def average(ciphertext: Ciphertext, count: int) -> Ciphertext:
    """Return the average of ``count`` values from their sum.

    Error: F / sqrt(count) + M * 2^-44.

    Raises:
        TooManyValues: more values than the parameter set sums correctly.
        ValueOutOfBounds: there are no values.
    """
    _require(ciphertext.parameters, "average")
    if count > ciphertext.parameters.most_values:
        raise TooManyValues("more than the parameter set adds up correctly")
    return divide(ciphertext, count)


def weighted_sum(ciphertexts: Sequence[Ciphertext], weights: Sequence[float]) -> Ciphertext:
    """Return the sum of each ciphertext times its plain weight.

    Weights are rounded to ``weight_bits`` binary places, so integers are exact. Sums may be weighted too, where the
    values in all of them together are no more than ``most_values``.

    Error: F * sqrt(sum of weight^2) + (sum of magnitudes) * 2^-(weight_bits + 1) + M * 2^-44.

    Args:
        ciphertexts: one at least, all of a kind.
        weights: as many, each of magnitude ``largest_weight`` at most.

    Raises:
        UnsupportedOperation: the parameter set has no room for weights.
        Mismatch: there are not as many weights, or the ciphertexts are of different kinds.
        ValueOutOfBounds: a weight is too large, or no number.
        TooManyValues: there are more ciphertexts than the parameter set sums correctly.
    """
    if not ciphertexts or len(ciphertexts) != len(weights):
        raise Mismatch("each ciphertext has one weight")
    parameters, level = ciphertexts[0].parameters, ciphertexts[0].level
    _require(parameters, "weighted_sum")
    if len(ciphertexts) > parameters.most_values:
        raise TooManyValues("more than the parameter set adds up correctly")
    if any(not abs(weight) <= parameters.largest_weight for weight in weights):
        raise ValueOutOfBounds("a weight is too large, or no number")
    for left, right in pairwise(ciphertexts):
        _require_alike(left, right)
    primes, places = parameters.primes_at(level), 2**parameters.weight_bits
    lazy = arithmetic.LazySum(primes, parameters.degree)
    for ciphertext, weight in zip(ciphertexts, weights, strict=True):
        lazy.add(arithmetic.multiply(ciphertext.residues, round(weight * places), primes))
    last = ciphertexts[-1]
    return replace(last, residues=lazy.total(), scale=last.scale * places)


def trend(ciphertexts: Sequence[Ciphertext], times: Sequence[float]) -> Trend:
    """Return the line of least squares through values at plain times.

    The slope is sum((time - mean) * value) / sum((time - mean)^2), and both divisions are exact.

    Error of the slope: F / sqrt(S) + (sum of magnitudes) * 2^-(weight_bits + 1) / S + M * 2^-44, where S is
    sum((time - mean)^2); of the average, as of an average.

    Args:
        ciphertexts: two at least, all of a kind.
        times: as many, within ``largest_weight`` of their mean, in any unit; two at least differ.

    Raises:
        UnsupportedOperation, Mismatch, TooManyValues: as for a weighted sum.
        ValueOutOfBounds: times are too far apart, or all the same, or no numbers.
    """
    if not ciphertexts or len(ciphertexts) != len(times):
        raise Mismatch("each ciphertext has one time")
    _require(ciphertexts[0].parameters, "trend")
    count = len(times)
    mean = math.fsum(times) / count
    centred = [time - mean for time in times]
    spread = math.fsum(each * each for each in centred)
    slope = divide(weighted_sum(ciphertexts, centred), spread)
    return Trend(slope, average(total(ciphertexts), count), mean, count)

"""Arithmetic of residues: what adding and scaling ciphertexts comes to.

A CKKS ciphertext is two polynomials, held as residues modulo each prime and in NTT form, where sums and products with
an integer are taken number by number (Cheon, Han, Kim, Kim and Song, "A full RNS variant of approximate homomorphic
encryption", 2018). Nothing of this is secret, and nothing else of the scheme is done here: tests hold each result to
SEAL's, bit for bit. Primes have at most 60 bits, so that a few sums fit into a word before they are reduced.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["LazySum", "Residues", "add", "multiply", "subtract"]

Residues = npt.NDArray[np.uint64]
"""uint64 of shape (polynomials, primes, degree), each below its prime."""

_WORD = 2**64
_LOW = np.uint64(2**32 - 1)
_HALF = np.uint64(32)


def _column(primes: tuple[int, ...]) -> Residues:
    return np.array(primes, dtype=np.uint64)[:, np.newaxis]


def add(left: Residues, right: Residues, primes: tuple[int, ...]) -> Residues:
    """Return left + right."""
    total: Residues = left + right
    # Where the sum is below its prime, the difference wraps to a larger number than the sum.
    smaller: Residues = np.minimum(total, total - _column(primes))
    return smaller


def subtract(left: Residues, right: Residues, primes: tuple[int, ...]) -> Residues:
    """Return left - right."""
    difference = left - right
    # Where right is larger the difference wrapped, and adding the prime wraps it back to the smaller number.
    smaller: Residues = np.minimum(difference, difference + _column(primes))
    return smaller


def multiply(residues: Residues, factor: int, primes: tuple[int, ...]) -> Residues:
    """Return ``residues`` times an integer of any size and sign.

    Multiplies as SEAL does with a constant (Shoup; see Harvey, "Faster arithmetic for number-theoretic transforms",
    2014): the quotient is estimated from the constant's own, one too small at most.
    """
    reduced = [factor % prime for prime in primes]
    constant = _column(tuple(reduced))
    quotient = _column(tuple(value * _WORD // prime for value, prime in zip(reduced, primes, strict=True)))
    column = _column(primes)
    product = residues * constant - _high_word(residues, quotient) * column
    smaller: Residues = np.minimum(product, product - column)
    return smaller


def _high_word(left: Residues, right: Residues) -> Residues:
    """Return the upper 64 bits of the products of 64-bit numbers."""
    left_low, left_high = left & _LOW, left >> _HALF
    right_low, right_high = right & _LOW, right >> _HALF
    middle = left_high * right_low + (left_low * right_low >> _HALF)
    other = left_low * right_high + (middle & _LOW)
    high: Residues = left_high * right_high + (middle >> _HALF) + (other >> _HALF)
    return high


class LazySum:
    """A sum of many, reduced only where the next one might not fit into a word."""

    def __init__(self, primes: tuple[int, ...], degree: int) -> None:
        self._primes = primes
        self._total = np.zeros((2, len(primes), degree), dtype=np.uint64)
        self._room = self._fits = (_WORD - 1) // (max(primes) - 1)

    def add(self, residues: Residues) -> None:
        """Add residues, each below its prime."""
        if not self._room:
            self._total %= _column(self._primes)
            self._room = self._fits - 1
        self._total += residues
        self._room -= 1

    def total(self) -> Residues:
        """Return the sum so far, each residue below its prime."""
        return self._total % _column(self._primes)

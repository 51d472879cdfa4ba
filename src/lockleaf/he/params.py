"""The named parameter sets of CKKS, and what each computes correctly.

A set is fixed for good: its primes are written here, not asked from a library or a server. Both give 128 bits of
security by the table of the Homomorphic Encryption Standard (Albrecht et al., 2018): at most 218 bits of modulus for
degree 8192, and 109 for 4096; these have 200 and 109.

CKKS (Cheon, Kim, Kim and Song, 2017) answers wrongly without an error where a sum outgrows the modulus. So each set
states bounds, clients refuse what lies outside of them before they encrypt, and tests hold each bound *at* the bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from struct import pack
from typing import Literal

from lockleaf.he.errors import UnknownParameterSet

__all__ = ["CKKS_4096", "CKKS_8192", "PARAMETER_SETS", "Operation", "ParameterSet", "parameter_set"]

Operation = Literal["sum", "average", "weighted_sum", "trend", "square"]

CKKS_SCHEME = 2  # in SEAL's serialisation
DOUBLE_ROUNDING = 2.0**-44
"""Relative error of encoding and decoding: transforms over thousands of doubles of 53 bits."""


@dataclass(frozen=True)
class ParameterSet:
    """CKKS parameters with their bounds.

    Attributes:
        name: how it is called in the protocol.
        degree: of the polynomial modulus; there are half as many slots.
        coeff_mod_bit_sizes: bits of each prime of the modulus, the last one for key switching only.
        primes: these primes.
        scale: by which a value is multiplied when it is encoded.
        largest: the largest magnitude of one value, after the scaling of its metric type.
        most_values: how many values of that magnitude one slot adds up correctly.
        most_additions: how many ciphertexts are added into one: each adds noise, whatever it holds.
        fresh_error: by how much a slot of one fresh ciphertext is off at most, in its own units.
        operations: what the server can do.
        largest_weight: the largest magnitude of a plain weight; weights are kept to ``weight_bits`` binary places.
        weight_bits: binary places of a weight.
    """

    name: str
    degree: int
    coeff_mod_bit_sizes: tuple[int, ...]
    primes: tuple[int, ...]
    scale: float
    largest: float
    most_values: int
    most_additions: int
    fresh_error: float
    operations: frozenset[Operation]
    largest_weight: float = 0.0
    weight_bits: int = 0

    @property
    def slots(self) -> int:
        """How many values one ciphertext holds."""
        return self.degree // 2

    @property
    def largest_sum(self) -> float:
        """The largest magnitude that a slot may add up to."""
        return self.largest * self.most_values

    @property
    def levels(self) -> int:
        """How many levels ciphertexts can be at; a fresh one is at level 0 and has as many primes."""
        return len(self.primes) - 1

    def primes_at(self, level: int) -> tuple[int, ...]:
        """Return the primes of a ciphertext at ``level``."""
        if not 0 <= level < self.levels:
            raise ValueError("there is no such level")
        return self.primes[: self.levels - level]

    @cached_property
    def key_id(self) -> bytes:
        """The 32 bytes by which SEAL names the parameters that keys belong to."""
        return self._parms_id(self.primes)

    @cached_property
    def level_ids(self) -> tuple[bytes, ...]:
        """The 32 bytes by which SEAL names each level's parameters."""
        return tuple(self._parms_id(self.primes_at(level)) for level in range(self.levels))

    def _parms_id(self, primes: tuple[int, ...]) -> bytes:
        # SEAL hashes scheme, degree, primes and plain modulus (0 in CKKS) as 64-bit words, with BLAKE2b of 32 bytes.
        words = (CKKS_SCHEME, self.degree, *primes, 0)
        return blake2b(pack(f"<{len(words)}Q", *words), digest_size=32).digest()

    def sum_error(self, additions: int, magnitude: float) -> float:
        """Return by how much a slot of a sum is off at most.

        Args:
            additions: how many ciphertexts were added; the noise of each is independent, so it grows by the root.
            magnitude: an upper bound of the sum's own magnitude, and of every slot beside it.
        """
        return self.fresh_error * math.sqrt(max(1, additions)) + DOUBLE_ROUNDING * abs(magnitude)


CKKS_8192 = ParameterSet(
    name="ckks-8192",
    degree=8192,
    coeff_mod_bit_sizes=(60, 40, 40, 60),
    primes=(0xFFFFFFFFFFE8001, 0xFFFFF4C001, 0xFFFFFDC001, 0xFFFFFFFFFFFC001),
    scale=2.0**40,
    largest=2.0**20,
    most_values=2**17,
    most_additions=2**20,
    fresh_error=2.0**-22,
    operations=frozenset({"sum", "average", "weighted_sum", "trend", "square"}),
    largest_weight=2.0**20,
    weight_bits=20,
)
"""Degree 8192, scale 2^40. Sums, averages, weighted sums, trends, and one multiplication."""

CKKS_4096 = ParameterSet(
    name="ckks-4096",
    degree=4096,
    coeff_mod_bit_sizes=(54, 55),
    primes=(0x3FFFFFFFFD6001, 0x7FFFFFFFFB4001),
    scale=2.0**30,
    largest=2.0**10,
    most_values=2**12,
    most_additions=2**20,
    fresh_error=2.0**-13,
    operations=frozenset({"sum", "average"}),
)
"""Degree 4096, scale 2^30: sums only, in a fifth of the space. At 2^40 its modulus would not hold a year of words."""

PARAMETER_SETS: dict[str, ParameterSet] = {each.name: each for each in (CKKS_8192, CKKS_4096)}


def parameter_set(name: str) -> ParameterSet:
    """Return the parameter set of that name.

    Raises:
        UnknownParameterSet: there is no such set.
    """
    try:
        return PARAMETER_SETS[name]
    except KeyError:
        raise UnknownParameterSet("there is no parameter set of that name") from None

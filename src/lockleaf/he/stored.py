"""The form in which a server keeps ciphertexts: each residue in as many bytes as its prime needs.

A ciphertext of ckks-8192 has 295 KB so, where SEAL's compression leaves 331 KB and takes thirty times as long: its
coefficients are random, and only the zeros above each prime can be left out.
"""

from __future__ import annotations

from struct import Struct

import numpy as np

from lockleaf.he.arithmetic import Residues
from lockleaf.he.codec import VERSIONS, Ciphertext
from lockleaf.he.errors import InvalidCiphertext
from lockleaf.he.params import PARAMETER_SETS, ParameterSet

__all__ = ["dump", "load", "stored_bytes"]

_FORM = 1
_HEAD = Struct("<BBBBHd")  # form, version of SEAL, parameter set, level, values, scale
_SETS = ("ckks-8192", "ckks-4096")  # by number; only ever appended to
# What the bytes of a residue are split into, so that each part is an array of numbers: 5 bytes are 4 and 1.
_PARTS = {5: (4, 1), 6: (4, 2), 7: (4, 2, 1), 8: (8,)}


def _parts(prime: int) -> tuple[int, ...]:
    return _PARTS[(prime.bit_length() + 7) // 8]


def stored_bytes(parameters: ParameterSet, level: int = 0) -> int:
    """Return how many bytes a stored ciphertext has."""
    return _HEAD.size + 2 * parameters.degree * sum(sum(_parts(prime)) for prime in parameters.primes_at(level))


def dump(ciphertext: Ciphertext) -> bytes:
    """Return a ciphertext in its stored form."""
    parameters = ciphertext.parameters
    pieces = [
        _HEAD.pack(
            _FORM,
            VERSIONS.index(ciphertext.version),
            _SETS.index(parameters.name),
            ciphertext.level,
            ciphertext.values,
            ciphertext.scale,
        )
    ]
    for polynomial in ciphertext.residues:
        for residues, prime in zip(polynomial, parameters.primes_at(ciphertext.level), strict=True):
            shift = 0
            for width in _parts(prime):
                pieces.append((residues >> np.uint64(shift)).astype(f"<u{width}").tobytes())
                shift += 8 * width
    return b"".join(pieces)


def load(data: bytes) -> Ciphertext:
    """Return the ciphertext in its stored form.

    Raises:
        InvalidCiphertext: ``truncated`` or ``header``: the server stored something else.
    """
    if len(data) < _HEAD.size:
        raise InvalidCiphertext("truncated")
    form, version, number, level, values, scale = _HEAD.unpack_from(data)
    if form != _FORM or version >= len(VERSIONS) or number >= len(_SETS):
        raise InvalidCiphertext("header")
    parameters = PARAMETER_SETS[_SETS[number]]
    if level >= parameters.levels or len(data) != stored_bytes(parameters, level):
        raise InvalidCiphertext("truncated")
    primes = parameters.primes_at(level)
    residues: Residues = np.empty((2, len(primes), parameters.degree), dtype=np.uint64)
    position = _HEAD.size
    for polynomial in range(2):
        for index, prime in enumerate(primes):
            shift = 0
            for width in _parts(prime):
                part = np.frombuffer(data, dtype=f"<u{width}", count=parameters.degree, offset=position)
                if shift:
                    residues[polynomial, index] |= part.astype(np.uint64) << np.uint64(shift)
                else:
                    residues[polynomial, index] = part
                shift += 8 * width
                position += width * parameters.degree
    return Ciphertext(parameters, VERSIONS[version], residues, scale, values, level)

"""SEAL's serialisation of relinearisation keys and secret keys, read as strictly as ciphertexts."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from lockleaf.he.errors import Refused
from lockleaf.he.seal import (
    ARRAY_HEAD,
    COUNT,
    HEADER_LENGTH,
    WORD,
    Polynomials,
    SealVersion,
    polynomials_length,
    read_inner,
    read_object,
    read_polynomials,
    read_words,
    require_reduced,
    write_object,
    write_polynomials,
    write_words,
)

if TYPE_CHECKING:
    from lockleaf.he.params import ParameterSet
    from lockleaf.he.seal import Residues

__all__ = [
    "is_plaintext",
    "read_relinearisation_keys",
    "read_secret_key",
    "relinearisation_length",
    "write_relinearisation_keys",
    "write_secret_key",
]

_PLAIN = Struct("<32sQd")  # parameters' id, count of coefficients, scale


def relinearisation_length(parameters: ParameterSet) -> int:
    """Return how many bytes the body of relinearisation keys has."""
    one = HEADER_LENGTH + polynomials_length(parameters, len(parameters.primes))
    return len(parameters.key_id) + 2 * COUNT.size + (len(parameters.primes) - 1) * one


def read_relinearisation_keys(data: bytes, parameters: ParameterSet) -> list[Polynomials]:
    """Return the keys, one for each prime but the last, in the object ``data``.

    Raises:
        Refused: it is not that.
    """
    version, body = read_object(data, relinearisation_length(parameters))
    if len(body) != relinearisation_length(parameters):
        raise Refused("length")
    count = len(parameters.primes) - 1
    start = len(parameters.key_id)
    if body[:start] != parameters.key_id:
        raise Refused("level")
    if body[start : start + 2 * COUNT.size] != COUNT.pack(1) + COUNT.pack(count):
        raise Refused("length")
    start += 2 * COUNT.size
    length = HEADER_LENGTH + polynomials_length(parameters, len(parameters.primes))
    return [
        read_polynomials(read_inner(body[at : at + length], version, length), parameters, None, version)
        for at in range(start, start + count * length, length)
    ]


def write_relinearisation_keys(keys: list[Polynomials], parameters: ParameterSet, version: SealVersion) -> bytes:
    """Return relinearisation keys as an object."""
    head = parameters.key_id + COUNT.pack(1) + COUNT.pack(len(keys))
    written = (write_object(write_polynomials(each, parameters, None, version), version) for each in keys)
    return write_object(head + b"".join(written), version)


def is_plaintext(body: memoryview) -> bool:
    """Tell whether the body of an object is SEAL's plaintext, of any parameters: a secret key is saved as one."""
    if len(body) < _PLAIN.size + ARRAY_HEAD:
        return False
    words: int = _PLAIN.unpack_from(body)[1]
    return len(body) == _PLAIN.size + ARRAY_HEAD + words * WORD


def read_secret_key(data: bytes, parameters: ParameterSet) -> Residues:
    """Return the secret key in the object ``data``: uint64 of shape (primes, degree).

    Raises:
        Refused: it is not that.
    """
    words = len(parameters.primes) * parameters.degree
    version, body = read_object(data, _PLAIN.size + ARRAY_HEAD + words * WORD)
    if len(body) < _PLAIN.size:
        raise Refused("truncated")
    if _PLAIN.unpack_from(body) != (parameters.key_id, words, 1.0):
        raise Refused("parameters")
    residues = read_words(body[_PLAIN.size :], words, version).reshape(len(parameters.primes), parameters.degree)
    require_reduced(residues, parameters.primes)
    return residues


def write_secret_key(residues: Residues, parameters: ParameterSet, version: SealVersion) -> bytes:
    """Return a secret key as an object."""
    return write_object(_PLAIN.pack(parameters.key_id, residues.size, 1.0) + write_words(residues, version), version)

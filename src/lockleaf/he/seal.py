"""SEAL's serialisation of parameters, ciphertexts and public keys, read strictly and written for either version.

Every object begins with a header of 16 bytes, ``magic (2) ‖ 16 ‖ major ‖ minor ‖ compression ‖ 0 (2) ‖ length (8)``,
all little-endian, the length counting the header. The outermost may be compressed, objects inside of it are not.
SEAL refuses a header of another version even inside, though the layout of those read here is one and the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Literal, get_args

from lockleaf.he import zstd
from lockleaf.he.errors import Reason, Refused

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Residues = npt.NDArray[np.uint64]

    from lockleaf.he.params import ParameterSet

__all__ = [
    "ARRAY_HEAD",
    "COUNT",
    "HEADER_LENGTH",
    "NATIVE",
    "VERSIONS",
    "WORD",
    "Polynomials",
    "SealVersion",
    "is_object",
    "polynomials_length",
    "read_inner",
    "read_object",
    "read_parameters",
    "read_polynomials",
    "read_words",
    "require_reduced",
    "version_of",
    "write_object",
    "write_parameters",
    "write_polynomials",
    "write_words",
]

SealVersion = Literal["4.1", "4.3"]
VERSIONS: tuple[SealVersion, ...] = get_args(SealVersion)
NATIVE: SealVersion = "4.3"
"""The version that the installed TenSEAL reads and writes."""

_HEADER = Struct("<HBBBBHQ")
HEADER_LENGTH = _HEADER.size
_MAGIC = 0xA15E
_BEGINNING = Struct("<HB").pack(_MAGIC, HEADER_LENGTH)
_UNCOMPRESSED, _ZLIB, _ZSTD = range(3)
_PARAMETERS = Struct("<BQQ")  # scheme, degree, count of primes
_POLYNOMIALS = Struct("<32sBQQQdQ")  # parameters' id, NTT form, polynomials, degree, primes, scale, correction factor
COUNT = Struct("<Q")
ARRAY_HEAD = HEADER_LENGTH + COUNT.size
"""Bytes before the words of an array: its header and their count."""
_CKKS = 2
WORD = 8


@dataclass(frozen=True, slots=True, eq=False)
class Polynomials:
    """What SEAL calls a ciphertext, which is also the form of a public key.

    Attributes:
        residues: uint64 of shape (2, primes, degree), each below its prime, in NTT form.
        scale: by which the values are multiplied.
    """

    residues: Residues
    scale: float


def _header(data: bytes | memoryview) -> tuple[SealVersion, int, int]:
    """Return version, compression and length of the object that ``data`` begins with."""
    if len(data) < HEADER_LENGTH:
        raise Refused("truncated")
    magic, size, major, minor, compression, reserved, length = _HEADER.unpack_from(data)
    if magic != _MAGIC or size != HEADER_LENGTH or reserved:
        raise Refused("header")
    version = f"{major}.{minor}"
    if version not in VERSIONS:
        raise Refused("version")
    if length < HEADER_LENGTH:
        raise Refused("header")
    return version, compression, length


def is_object(data: bytes) -> bool:
    """Tell whether ``data`` begins like an object of SEAL's own. No message of TenSEAL's begins so."""
    return data[: len(_BEGINNING)] == _BEGINNING


def version_of(data: bytes) -> SealVersion:
    """Return the version that the object ``data`` bears.

    Raises:
        Refused: it does not begin like one.
    """
    return _header(data)[0]


def read_object(data: bytes, capacity: int) -> tuple[SealVersion, memoryview]:
    """Return the version and the body of one serialised object, decompressed.

    Args:
        data: the object, and nothing after it.
        capacity: how many bytes the body has at most.

    Raises:
        Refused: it is not such an object, is longer, or does not decompress.
    """
    version, compression, length = _header(data)
    if length != len(data):
        raise Refused("truncated" if length > len(data) else "trailing")
    if compression == _UNCOMPRESSED:
        body: bytes | bytearray | memoryview = memoryview(data)[HEADER_LENGTH:]
        if len(body) > capacity:
            raise Refused("too_large")
    elif compression == _ZSTD:
        body = zstd.decompress(data[HEADER_LENGTH:], capacity)
    elif compression == _ZLIB:
        body = _inflate(data[HEADER_LENGTH:], capacity)
    else:
        raise Refused("compression")
    return version, memoryview(body)


def _inflate(data: bytes, capacity: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(data, capacity + 1)
    except zlib.error:
        raise Refused("compression") from None
    if len(body) > capacity:
        raise Refused("too_large")
    if not stream.eof:
        raise Refused("truncated")
    if stream.unused_data:
        raise Refused("trailing")
    return body


def write_object(body: bytes, version: SealVersion) -> bytes:
    """Return ``body`` as an object of that version, uncompressed."""
    major, minor = map(int, version.split("."))
    length = HEADER_LENGTH + len(body)
    return _HEADER.pack(_MAGIC, HEADER_LENGTH, major, minor, _UNCOMPRESSED, 0, length) + body


def read_inner(body: memoryview, version: SealVersion, length: int) -> memoryview:
    """Return the body of the uncompressed object of ``length`` bytes that ``body`` begins with."""
    own, compression, said = _header(body)
    if own != version or compression != _UNCOMPRESSED:
        raise Refused("header")
    if said != length:
        raise Refused("length")
    if len(body) < length:
        raise Refused("truncated")
    return body[HEADER_LENGTH:length]


def write_parameters(parameters: ParameterSet, version: SealVersion) -> bytes:
    """Return the encryption parameters of a set as an object."""
    head = _PARAMETERS.pack(_CKKS, parameters.degree, len(parameters.primes))
    moduli = (write_object(COUNT.pack(value), version) for value in (*parameters.primes, 0))
    return write_object(head + b"".join(moduli), version)


def read_parameters(data: bytes, known: tuple[ParameterSet, ...]) -> ParameterSet:
    """Return the set whose encryption parameters the object ``data`` holds.

    Raises:
        Refused: ``parameters`` where it is not among the ``known``; or it is no such object.
    """
    capacity = max(len(write_parameters(each, NATIVE)) for each in known)
    version, body = read_object(data, capacity)
    for each in known:
        if write_parameters(each, version)[HEADER_LENGTH:] == body:
            return each
    raise Refused("parameters")


def polynomials_length(parameters: ParameterSet, primes: int) -> int:
    """Return how many bytes the body of a ciphertext with so many primes has."""
    return _POLYNOMIALS.size + ARRAY_HEAD + 2 * primes * parameters.degree * WORD


def read_polynomials(
    body: memoryview, parameters: ParameterSet, level: int | None, version: SealVersion
) -> Polynomials:
    """Return the ciphertext in the body of an object.

    Args:
        body: the body, and nothing after it.
        parameters: the set that it should be of.
        level: the level that it should be at; None for a key.
        version: that of the object.

    Raises:
        Refused: it is not that.
    """
    primes = parameters.primes if level is None else parameters.primes_at(level)
    expected_id = parameters.key_id if level is None else parameters.level_ids[level]
    if len(body) < _POLYNOMIALS.size:
        raise Refused("truncated")
    parms_id, ntt, polynomials, degree, count, scale, correction = _POLYNOMIALS.unpack_from(body)
    facts: tuple[tuple[bool, Reason], ...] = (
        (degree == parameters.degree, "degree"),
        (count == len(primes), "modulus_count"),
        (parms_id == expected_id, "level"),
        (ntt == 1 and correction == 1, "form"),
        (polynomials == 2, "polynomials"),
    )
    for holds, reason in facts:
        if not holds:
            raise Refused(reason)
    words = 2 * len(primes) * degree
    residues = read_words(body[_POLYNOMIALS.size :], words, version).reshape(2, len(primes), degree)
    require_reduced(residues, primes)
    return Polynomials(residues, scale)


def read_words(body: memoryview, words: int, version: SealVersion) -> Residues:
    """Return the array of so many 64-bit words that ``body`` is.

    Raises:
        Refused: it is not that.
    """
    import numpy as np  # noqa: PLC0415  (heavy)

    if len(body) >= ARRAY_HEAD and COUNT.unpack_from(body, HEADER_LENGTH)[0] == words // 2:
        raise Refused("seeded")
    length = ARRAY_HEAD + words * WORD
    array = read_inner(body, version, length)
    if COUNT.unpack_from(array)[0] != words:
        raise Refused("length")
    if len(body) != length:
        raise Refused("trailing")
    return np.frombuffer(array, dtype="<u8", offset=COUNT.size)


def require_reduced(residues: Residues, primes: tuple[int, ...]) -> None:
    """Hold each of the ``residues``, uint64 of shape (..., primes, degree), below its prime.

    Raises:
        Refused: ``coefficients``: one is not.
    """
    for index, prime in enumerate(primes):
        if int(residues[..., index, :].max()) >= prime:
            raise Refused("coefficients")


def write_polynomials(value: Polynomials, parameters: ParameterSet, level: int | None, version: SealVersion) -> bytes:
    """Return a ciphertext, or a key where ``level`` is None, as the body of an object."""
    polynomials, primes, degree = value.residues.shape
    parms_id = parameters.key_id if level is None else parameters.level_ids[level]
    return _POLYNOMIALS.pack(parms_id, 1, polynomials, degree, primes, value.scale, 1) + write_words(
        value.residues, version
    )


def write_words(residues: Residues, version: SealVersion) -> bytes:
    """Return an array of 64-bit words as an object."""
    return write_object(COUNT.pack(residues.size) + residues.astype("<u8", copy=False).tobytes(), version)

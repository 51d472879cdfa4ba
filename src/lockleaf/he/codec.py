"""What travels: SEAL's serialisation, alone or in TenSEAL's messages, checked whole before anything native reads it.

A ciphertext, like a public context, comes from anybody. All of it is read here, as facts and arrays of numbers: sizes
before memory is given, every field, every coefficient against its modulus. What goes on from here is written anew from
those numbers, so that TenSEAL and SEAL never see a stranger's bytes. Versions of SEAL differ in the headers alone:
either is read, and each client is answered in the version that its own ciphertexts bear. Who has SEAL alone sends its
objects as they are, without a message around them, and is answered so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lockleaf.he import messages, seal
from lockleaf.he.contexts import check_public_context
from lockleaf.he.errors import InvalidCiphertext, Refused
from lockleaf.he.messages import BYTES, DOUBLE, bytes_of
from lockleaf.he.params import ParameterSet, parameter_set
from lockleaf.he.seal import NATIVE, VERSIONS, Polynomials, SealVersion

if TYPE_CHECKING:
    from lockleaf.he.seal import Residues

__all__ = [
    "NATIVE",
    "VERSIONS",
    "Ciphertext",
    "SealVersion",
    "check_ciphertext",
    "check_public_context",
    "client_version",
    "read_ciphertext",
    "with_version",
    "write_ciphertext",
    "write_raw",
]

_VECTOR = {1: BYTES, 2: BYTES, 3: DOUBLE}  # TenSEAL's: counts of values, ciphertexts, scale

_COMPRESSION_OVERHEAD = 4096  # compressed random coefficients are shorter, by far; a frame of literals hardly longer


@dataclass(frozen=True, slots=True, eq=False)
class Ciphertext:
    """A ciphertext taken apart.

    Attributes:
        parameters: the set it belongs to.
        version: of SEAL, that wrote it, and in which it is answered.
        residues: uint64 of shape (2, primes, degree), each below its prime, in NTT form.
        scale: by which the values in it are multiplied.
        values: how many slots count, from the first.
        level: how many primes were dropped.
    """

    parameters: ParameterSet
    version: SealVersion
    residues: Residues
    scale: float
    values: int
    level: int = 0


def max_ciphertextbytes_of(parameters: ParameterSet) -> int:
    """Return how long a serialised ciphertext of a set can be."""
    return seal.polynomials_length(parameters, parameters.levels) + _COMPRESSION_OVERHEAD


def check_ciphertext(data: bytes, name: str, *, single: bool = False) -> Ciphertext:
    """Return what is in a ciphertext that was uploaded: fresh, of the named set, all of it checked.

    Args:
        data: as ``CKKSVector.serialize()`` of TenSEAL writes it, or ``Ciphertext.save()`` of SEAL.
        name: of the parameter set.
        single: whether it holds one value. SEAL's own ciphertext does not say how many: one then, else every slot.

    Raises:
        UnknownParameterSet: no set has that name.
        InvalidCiphertext: it is no such ciphertext; ``reason`` says why.
    """
    parameters = parameter_set(name)
    if seal.is_object(data):
        try:
            return _read_raw(data, parameters, level=0, values=1 if single else parameters.slots)
        except Refused as refused:
            raise InvalidCiphertext(refused.reason) from None
    found = read_ciphertext(data, parameters)
    if single and found.values != 1:
        raise InvalidCiphertext("slots")
    return found


def _read_raw(data: bytes, parameters: ParameterSet, *, level: int, values: int) -> Ciphertext:
    if len(data) > max_ciphertextbytes_of(parameters):
        raise Refused("too_large")
    version, body = seal.read_object(data, seal.polynomials_length(parameters, parameters.levels))
    found = seal.read_polynomials(body, parameters, level, version)
    if found.scale != parameters.scale:
        raise Refused("scale")
    return Ciphertext(parameters, version, found.residues, found.scale, values, level)


def read_ciphertext(data: bytes, parameters: ParameterSet, *, level: int | None = 0) -> Ciphertext:
    """Return what is in a serialised ciphertext.

    Args:
        data: as ``CKKSVector.serialize()`` of TenSEAL writes it.
        parameters: the set that it should be of.
        level: the level that it should be at, at the set's own scale; None for what was computed: then the level is
            found by its length, and any scale is taken that leaves room below the modulus.

    Raises:
        InvalidCiphertext: it is no such ciphertext; ``reason`` says why.
    """
    try:
        return _read_vector(data, parameters, level)
    except Refused as refused:
        raise InvalidCiphertext(refused.reason) from None


def _read_vector(data: bytes, parameters: ParameterSet, level: int | None) -> Ciphertext:
    if len(data) > max_ciphertextbytes_of(parameters):
        raise Refused("too_large")
    fields = messages.read(data, _VECTOR)
    values = _values(bytes_of(fields, 1), parameters)
    serialised = bytes_of(fields, 2)
    if level is not None:
        found = _read_raw(serialised, parameters, level=level, values=values)
        if fields.get(3) != parameters.scale:
            raise Refused("scale")
        return found
    version, body = seal.read_object(serialised, seal.polynomials_length(parameters, parameters.levels))
    lengths = [seal.polynomials_length(parameters, len(parameters.primes_at(n))) for n in range(parameters.levels)]
    if len(body) not in lengths:
        raise Refused("level")
    level = lengths.index(len(body))
    computed = seal.read_polynomials(body, parameters, level, version)
    # SEAL holds a scale to this too: a double that is finite, positive, and has fewer bits than the modulus.
    if not 1.0 <= computed.scale < float(_modulus(parameters, level)):
        raise Refused("scale")
    return Ciphertext(parameters, version, computed.residues, computed.scale, values, level)


def _modulus(parameters: ParameterSet, level: int) -> int:
    product = 1
    for prime in parameters.primes_at(level):
        product *= prime
    return product


def _values(packed: bytes, parameters: ParameterSet) -> int:
    if not packed:
        raise Refused("slots")
    values, end = messages.read_varint(packed, 0)
    if end != len(packed) or not 1 <= values <= parameters.slots:
        raise Refused("slots")
    return values


def write_ciphertext(ciphertext: Ciphertext, version: SealVersion | None = None) -> bytes:
    """Return a ciphertext as TenSEAL reads it, uncompressed.

    Args:
        ciphertext: what to write.
        version: of SEAL; that of the ciphertext itself if it is left out.
    """
    return messages.write(
        {
            1: messages.write_varint(ciphertext.values),
            2: write_raw(ciphertext, version),
            3: ciphertext.parameters.scale,
        }
    )


def write_raw(ciphertext: Ciphertext, version: SealVersion | None = None) -> bytes:
    """Return a ciphertext as SEAL reads it, without a message of TenSEAL's around it, uncompressed.

    Args:
        ciphertext: what to write.
        version: of SEAL; that of the ciphertext itself if it is left out.
    """
    version = version or ciphertext.version
    polynomials = Polynomials(ciphertext.residues, ciphertext.scale)
    body = seal.write_polynomials(polynomials, ciphertext.parameters, ciphertext.level, version)
    return seal.write_object(body, version)


def client_version(data: bytes) -> SealVersion:
    """Return the version of SEAL that wrote a serialised ciphertext, wrapped or raw.

    Raises:
        InvalidCiphertext: it is invalid, or of a version that is not read.
    """
    try:
        return seal.version_of(data if seal.is_object(data) else bytes_of(messages.read(data, _VECTOR), 2))
    except Refused as refused:
        raise InvalidCiphertext(refused.reason) from None


def with_version(data: bytes, version: SealVersion, parameters: ParameterSet) -> bytes:
    """Return a serialised ciphertext as SEAL of another version would have written it, uncompressed.

    Raises:
        InvalidCiphertext: it is not one of the parameter set.
    """
    return write_ciphertext(replace(read_ciphertext(data, parameters, level=None), version=version))

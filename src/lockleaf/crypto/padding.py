"""Padding of sealed plaintexts, so that a ciphertext's length says little of the entry's length.

PADMÉ rounds a length L up so that it can be written as a floating-point number whose mantissa is no longer than its
exponent: at most 12 % more, and only O(log log L) bits of the length show. Nikitin, Barman, Lueks, Underwood, Hubaux
and Ford, "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019(4).
"""

from __future__ import annotations

from lockleaf.crypto.encoding import lp
from lockleaf.crypto.errors import Malformed, TooLarge
from lockleaf.wire.content import MAX_PAYLOAD_BYTES

__all__ = ["MAX_PLAINTEXT", "MIN_PLAINTEXT", "pad", "padded_length", "padme", "unpad"]

MIN_PLAINTEXT = 256
MAX_PLAINTEXT = MAX_PAYLOAD_BYTES - 2**16  # is a PADMÉ length itself: no shorter plaintext is padded past it

_PREFIX = 4


def padme(length: int) -> int:
    """Return ``length`` (bytes) rounded up by PADMÉ."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def padded_length(length: int) -> int:
    """Return the plaintext's length for ``length`` bytes of data: prefix, data and filler, at least 256."""
    return max(MIN_PLAINTEXT, padme(_PREFIX + length))


def pad(data: bytes) -> bytes:
    """Return ``data`` behind its length in 4 bytes, then zeros up to the padded length.

    Raises:
        TooLarge: the plaintext would be longer than 4 MiB less 64 KiB.
    """
    if _PREFIX + len(data) > MAX_PLAINTEXT:
        raise TooLarge("the content of a record is at most 4 MiB less 64 KiB")
    return lp(data).ljust(padded_length(len(data)), b"\0")


def unpad(plaintext: bytes) -> bytes:
    """Return the data in a padded ``plaintext``.

    Raises:
        Malformed: a wrong length, or a filler that is not all zeros.
    """
    if not MIN_PLAINTEXT <= len(plaintext) <= MAX_PLAINTEXT:
        raise Malformed("the plaintext has a length that padding cannot give")
    length = int.from_bytes(plaintext[:_PREFIX], "big")
    if len(plaintext) != padded_length(length):
        raise Malformed("the plaintext is not padded to the length that its data ask for")
    end = _PREFIX + length
    if plaintext[end:] != bytes(len(plaintext) - end):
        raise Malformed("the filler holds something")
    return plaintext[_PREFIX:end]

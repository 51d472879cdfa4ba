"""What examples are made of: their form, and bytes that look like what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256, shake_256
from typing import Any, NamedTuple

from lockleaf.wire.fields import decode_base64, encode_base64

__all__ = ["NONE", "Examples", "digest", "envelope", "hash_of", "hexadecimal", "opaque", "token"]

NONE = encode_base64(bytes(32))
"""The parent of a first revision."""

_ENVELOPE = bytes.fromhex("010100000001")
"""Version 1, suite 1, key 1 (PROTOCOL section 3)."""
_LENGTH_OF_A_SHORT_TEXT = 12 + 256 + 16


class Examples(NamedTuple):
    """The examples of one operation, by their names.

    Where a body depends on the account's custody, the first word of its example's name says which: ``e2e`` or ``uce``.

    Attributes:
        body: of the request, as JSON says it.
        answer: of each answer of 2xx that is JSON.
    """

    body: Mapping[str, Any] = {}
    answer: Mapping[str, Any] = {}


def _drawn(name: str, length: int) -> bytes:
    """Return bytes that look random, and are the same each time."""
    return shake_256(f"lockleaf example: {name}".encode()).digest(length)


def opaque(name: str, length: int) -> str:
    """Return ``length`` bytes in base64 that nobody but their client could read."""
    return encode_base64(_drawn(name, length))


def envelope(name: str) -> str:
    """Return a sealed record of a short text in base64: the true outside, and nothing inside."""
    return encode_base64(_ENVELOPE + _drawn(name, _LENGTH_OF_A_SHORT_TEXT))


def digest(name: str) -> str:
    """Return 32 bytes in base64."""
    return opaque(name, 32)


def hash_of(payload: str) -> str:
    """Return the SHA-256 of a payload, both in base64: the parent of the revision behind it."""
    return encode_base64(sha256(decode_base64(payload)).digest())


def hexadecimal(name: str, length: int = 16) -> str:
    """Return ``length`` bytes in hexadecimal digits."""
    return _drawn(name, length).hex()


def token(name: str) -> str:
    """Return what has the outside of a token and says that it is not one."""
    return f"eyJhbGciOiJIUzI1NiJ9.{opaque(name, 48).rstrip('=').replace('+', '-').replace('/', '_')}.example"

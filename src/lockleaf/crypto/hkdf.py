"""HKDF-SHA-256 as the protocol uses it: empty salt, 32 bytes out (RFC 5869)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

__all__ = ["KEY_LENGTH", "expand", "extract", "hkdf"]

KEY_LENGTH = 32

_SHA256 = SHA256()


def hkdf(key: bytes, info: bytes) -> bytes:
    """Return the 32 bytes that ``key`` gives for the purpose named by ``info``."""
    return HKDF(_SHA256, KEY_LENGTH, None, info).derive(key)


def extract(key: bytes) -> bytes:
    """Return the pseudo-random key of ``key``: the first half of ``hkdf``, the same for every ``info``."""
    return HKDF.extract(_SHA256, None, key)


def expand(pseudo_random_key: bytes, info: bytes) -> bytes:
    """Return ``hkdf(key, info)`` given ``extract(key)``: half the work where one key serves many records."""
    return HKDFExpand(_SHA256, KEY_LENGTH, info).derive(pseudo_random_key)

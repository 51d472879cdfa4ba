"""The protocol's notation, read plainly: what the makers of test vectors share."""

from __future__ import annotations

import hmac
import unicodedata
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

USER = "0190a3a0-0000-7000-8000-000000000001"
RECORD = "0190a3a0-0000-7000-8000-0000000000a1"
SUITES = {1: AESGCM, 2: ChaCha20Poly1305}
ZERO = bytes(32)


def fixed(name: str, length: int = 32) -> bytes:
    """Bytes that look random and are always the same."""
    return sha256(b"test vector: " + name.encode()).digest()[:length]


def number(value: int, width: int = 8) -> bytes:
    return value.to_bytes(width, "big")


def lp(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw), 4) + raw


def hkdf(key: bytes, info: bytes) -> bytes:
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), info + b"\1", "sha256")


def nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def seal(key: bytes, suite: int, key_id: int, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    return bytes([1, suite]) + number(key_id, 4) + nonce + SUITES[suite](key).encrypt(nonce, plaintext, aad)


def padme(length: int) -> int:
    step = 1
    exponent = length.bit_length() - 1
    while (length + step - 1) // step >= 1 << (exponent.bit_length() + 1):
        step *= 2
    return -(-length // step) * step


def padded(data: bytes) -> bytes:
    return lp(data).ljust(max(256, padme(4 + len(data))), b"\0")


def meta(labels: list[bytes], source: str | None, occurred_at: str | None) -> bytes:
    parts = b"".join(lp(label) for label in sorted(labels)) + lp(source or "") + lp(occurred_at or "")
    return sha256(b"lockleaf/1/meta" + number(len(labels)) + parts).digest()

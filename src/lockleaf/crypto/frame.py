"""The frame of everything sealed: ``version ‖ suite ‖ key_id ‖ nonce ‖ ciphertext ‖ tag`` (PROTOCOL section 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from struct import Struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from lockleaf.crypto.errors import Malformed, SealBroken

__all__ = [
    "AES_256_GCM",
    "CHACHA20_POLY1305",
    "HEADER_LENGTH",
    "MAX_KEY_ID",
    "NONCE_LENGTH",
    "OVERHEAD",
    "TAG_LENGTH",
    "VERSION",
    "Frame",
    "header",
    "open",
    "open_frame",
    "parse",
    "seal",
]

VERSION = 1
AES_256_GCM = 1
CHACHA20_POLY1305 = 2

HEADER_LENGTH = 6
NONCE_LENGTH = 12
TAG_LENGTH = 16
OVERHEAD = HEADER_LENGTH + NONCE_LENGTH + TAG_LENGTH
MAX_KEY_ID = 2**32 - 1

_HEADER = Struct(">BBI")
_CIPHERTEXT = HEADER_LENGTH + NONCE_LENGTH
_SUITES: dict[int, type[AESGCM] | type[ChaCha20Poly1305]] = {
    AES_256_GCM: AESGCM,
    CHACHA20_POLY1305: ChaCha20Poly1305,
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame taken apart, not yet opened. ``ciphertext`` ends with its 16-byte tag."""

    version: int
    suite: int
    key_id: int
    nonce: bytes
    ciphertext: bytes


def header(key_id: int, suite: int) -> bytes:
    """Return the six bytes ``version ‖ suite ‖ key_id`` with which a frame begins.

    Raises:
        Malformed: an unknown suite, or a key id outside 0 .. 2**32 - 1.
    """
    if suite not in _SUITES:
        raise Malformed("the suite is unknown")
    if not 0 <= key_id <= MAX_KEY_ID:
        raise Malformed("the key id does not fit into 4 bytes")
    return _HEADER.pack(VERSION, suite, key_id)


def parse(payload: bytes) -> Frame:
    """Take a sealed ``payload`` apart.

    Raises:
        Malformed: too short for a frame, or of an unknown version or suite.
    """
    if len(payload) < OVERHEAD:
        raise Malformed("too short for a seal")
    version, suite, key_id = _HEADER.unpack_from(payload)
    if version != VERSION:
        raise Malformed("the version is unknown")
    if suite not in _SUITES:
        raise Malformed("the suite is unknown")
    return Frame(version, suite, key_id, bytes(payload[HEADER_LENGTH:_CIPHERTEXT]), bytes(payload[_CIPHERTEXT:]))


def seal(key: bytes, aad: bytes, plaintext: bytes, key_id: int, suite: int = AES_256_GCM) -> bytes:
    """Return ``plaintext`` sealed under ``key`` (32 bytes) with a random nonce, in its frame.

    The nonce is random, so one key may seal 2**32 messages (NIST SP 800-38D, 8.3); every key of this protocol seals the
    revisions of one record, or the keyrings of one password, and stays far below. The caller puts into ``aad`` what
    identifies the place.

    Raises:
        Malformed: an unknown suite, or a key id that does not fit.
    """
    head = header(key_id, suite)
    nonce = os.urandom(NONCE_LENGTH)
    return head + nonce + _SUITES[suite](key).encrypt(nonce, plaintext, aad)


def open_frame(key: bytes, aad: bytes, frame: Frame) -> bytes:
    """Return the plaintext of a parsed ``frame``.

    Raises:
        SealBroken: key, ``aad`` or bytes are not those that were sealed.
    """
    try:
        return _SUITES[frame.suite](key).decrypt(frame.nonce, frame.ciphertext, aad)
    except InvalidTag:
        raise SealBroken("the seal does not open") from None


def open(key: bytes, aad: bytes, payload: bytes) -> bytes:
    """Return the plaintext of a sealed ``payload``; its key id is the caller's to check.

    Raises:
        Malformed: it is no frame.
        SealBroken: key, ``aad`` or bytes are not those that were sealed.
    """
    return open_frame(key, aad, parse(payload))

"""Sealing what the server itself must open later, under its own keys (PROTOCOL section 10).

AES-256-GCM under a key derived from a root secret for one place, with the place in the additional data too. Several
roots may be in use: the newest seals, all open.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["Sealer", "Unopened", "framed"]

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16


class Unopened(Exception):
    """What is sealed was not sealed by this server, for this place, or with a root that it still has."""


def framed(*parts: bytes) -> bytes:
    """Return ``parts`` joined, each behind its length: no two lists of them give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@dataclass(frozen=True)
class Sealer:
    """Seals and opens for one purpose.

    Args:
        roots: the server's keys for it, newest first.
        key_label, aad_label: of what is derived and of the additional data.
    """

    roots: Sequence[bytes] = field(repr=False)
    key_label: bytes
    aad_label: bytes

    def seal(self, place: bytes, plain: bytes) -> bytes:
        """Return ``plain`` sealed for a place."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher(self.roots[0], place).encrypt(nonce, plain, self._aad(place))

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """Return what was sealed for a place.

        Raises:
            Unopened: it does not open.
        """
        return self._open(self.roots, place, sealed)

    def is_current(self, place: bytes, sealed: bytes) -> bool:
        """Tell whether the newest root sealed it."""
        try:
            self._open(self.roots[:1], place, sealed)
        except Unopened:
            return False
        return True

    def _open(self, roots: Sequence[bytes], place: bytes, sealed: bytes) -> bytes:
        nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        if sealed[:1] != _VERSION or len(rest) < _TAG:
            raise Unopened
        for root in roots:
            try:
                return self._cipher(root, place).decrypt(nonce, rest, self._aad(place))
            except InvalidTag:
                continue
        raise Unopened

    def _cipher(self, root: bytes, place: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), 32, None, self.key_label + place).derive(root))

    def _aad(self, place: bytes) -> bytes:
        return self.aad_label + _VERSION + place

"""Content at rest on this device: AES-256-GCM under the local key, bound to its place in the store."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lockleaf.client.errors import StoreDamaged
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.crypto.errors import Malformed

__all__ = ["LocalSeal", "place"]

_NONCE = 12
_KEY_ID = struct.Struct(">I")
_HEADER = _KEY_ID.size + _NONCE


def place(table: str, column: str, *row: str | bytes) -> bytes:
    """Return the additional data that binds sealed bytes to one cell: table, column, and what identifies the row."""
    parts = [b"lockleaf/1/store"]
    for part in (table, column, *row):
        data = part.encode() if isinstance(part, str) else part
        parts += (struct.pack(">I", len(data)), data)
    return b"".join(parts)


class LocalSeal:
    """Seals and opens cells of the store.

    A sealed cell is ``key_id (4 bytes) ‖ nonce (12, random) ‖ ciphertext ‖ tag (16)``. One local key seals far fewer
    than 2^32 cells, the bound for random nonces.

    Args:
        keys: local keys (32 bytes each) by the id of the master key they come from. The highest id seals, all open.
    """

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._newest = max(self._ciphers)
        self._header = _KEY_ID.pack(self._newest)
        self.ask_first: Callable[[], None] | None = None
        """Called where a key that is here does not open something; may raise what explains it."""

    def adopt(self, other: LocalSeal) -> None:
        """Take over the keys of ``other``; what was sealed under its keys opens from now on."""
        self._ciphers, self._newest, self._header = other._ciphers, other._newest, other._header

    def seal(self, where: bytes, data: bytes) -> bytes:
        """Return ``data`` sealed for the cell ``where`` (see `place`)."""
        nonce = os.urandom(_NONCE)
        return b"".join((self._header, nonce, self._ciphers[self._newest].encrypt(nonce, data, where)))

    def pack(self, where: bytes, value: object) -> bytes:
        """Return a ``value`` of MessagePack sealed for the cell ``where``."""
        return self.seal(where, pack(value))

    def unpack(self, where: bytes, sealed: bytes) -> Any:
        """Return the value that `pack` sealed for the cell ``where``.

        Raises:
            StoreDamaged: the bytes are not what was sealed there.
        """
        try:
            return strict_unpack(self.open(where, sealed))
        except Malformed:
            raise StoreDamaged from None

    def open(self, where: bytes, sealed: bytes) -> bytes:
        """Return what was sealed for the cell ``where``.

        Raises:
            StoreDamaged: the bytes were altered, moved, or sealed under a key that is not here.
        """
        if len(sealed) < _HEADER:
            raise StoreDamaged
        cipher = self._ciphers.get(_KEY_ID.unpack_from(sealed)[0])
        if cipher is None:
            raise StoreDamaged("sealed under another key")
        try:
            return cipher.decrypt(sealed[_KEY_ID.size : _HEADER], sealed[_HEADER:], where)
        except InvalidTag:
            if self.ask_first is not None:
                self.ask_first()
            raise StoreDamaged from None

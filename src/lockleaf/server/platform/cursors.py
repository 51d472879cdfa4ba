"""Opaque places in a list: sealed with the server's key, bound to their account and their list.

A client hands a cursor back as it came. The seal keeps it from being a way to ask for what it was not given for, and
from being parsed by clients, who would then depend on its insides.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from lockleaf.server.platform.errors import Invalid
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.wire.problems import ErrorCode

__all__ = ["CursorCodec", "InvalidCursor"]

_SEAL = 16


class InvalidCursor(Invalid):
    """The cursor is not one that this server gave for this list. Begin the list again without a cursor."""

    code = ErrorCode.INVALID_CURSOR


class CursorCodec:
    """Seals and opens cursors under the server's key for them."""

    def __init__(self, keys: ServerKeys) -> None:
        self._keys = keys.accepted("cursor")

    def seal(self, kind: str, user_id: UUID, place: bytes) -> str:
        """Return the cursor of ``place`` in the list ``kind`` of an account."""
        return urlsafe_b64encode(self._mac(self._keys[0], kind, user_id, place) + place).rstrip(b"=").decode()

    def open(self, kind: str, user_id: UUID, cursor: str) -> bytes:
        """Return the place of ``cursor``.

        Raises:
            InvalidCursor: it was not made here, or for another account or list.
        """
        try:
            data = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise InvalidCursor from None
        mac, place = data[:_SEAL], data[_SEAL:]
        if not any(hmac.compare_digest(mac, self._mac(key, kind, user_id, place)) for key in self._keys):
            raise InvalidCursor
        return place

    @staticmethod
    def _mac(key: bytes, kind: str, user_id: UUID, place: bytes) -> bytes:
        return hmac.digest(key, kind.encode() + b"\0" + user_id.bytes + place, sha256)[:_SEAL]

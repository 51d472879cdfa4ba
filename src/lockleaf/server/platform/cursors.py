"""Opaque places in a list: sealed with the server's key, bound to their account and their list.

A client hands a cursor back as it came. The seal keeps it from being a way to ask for what it was not given for, and
from being parsed by clients, who would then depend on its insides.
"""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from lockleaf.server.platform.errors import Invalid
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.wire.codec import MalformedBody, pack, unpack
from lockleaf.wire.problems import ErrorCode

__all__ = ["CursorCodec", "InvalidCursor", "Place"]

Place = tuple[Any, ...]
"""Where a page ends: what its list is ordered by, of the last item; numbers, texts, UUIDs, days and times."""

_SEAL = 16
_AT_HAND = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TO_URLS, _FROM_URLS = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_READ: Mapping[type, Callable[[Any], Any]] = {
    UUID: lambda value: UUID(bytes=value),
    datetime: lambda value: _EPOCH + value * _MICROSECOND,
    date: date.fromordinal,
    int: int,
    str: str,
}


class InvalidCursor(Invalid):
    """The cursor is not one that this server gave for this list. Begin the list again without a cursor."""

    code = ErrorCode.INVALID_CURSOR


class CursorCodec:
    """Seals and opens cursors under the server's key for them."""

    def __init__(self, keys: ServerKeys) -> None:
        self._keys = keys.accepted("cursor")
        # A device with nothing new comes back with the same one, all day.
        self._opened = lru_cache(_AT_HAND)(self._open)

    def seal(self, kind: str, user_id: UUID, place: Place) -> str:
        """Return the cursor of ``place`` in the list ``kind`` of an account."""
        packed = pack([_plain(value) for value in place])
        return _encoded(self._mac(self._keys[0], kind, user_id, packed) + packed)

    def seal_again(self, kind: str, user_id: UUID, place: Place, cursor: str) -> str:
        """Return the cursor of ``place``, which ``cursor`` was opened as: the same, unless an older key sealed it."""
        return cursor if len(self._keys) == 1 else self.seal(kind, user_id, place)

    def open(self, kind: str, user_id: UUID, cursor: str, *types: type) -> Place:
        """Return the place of ``cursor``, whose parts are of these ``types``.

        Raises:
            InvalidCursor: it was not made here, or for another account or list.
        """
        return self._opened(kind, user_id, cursor, types)

    def _open(self, kind: str, user_id: UUID, cursor: str, types: Sequence[type]) -> Place:
        try:
            data = a2b_base64(cursor.encode("ascii").translate(_FROM_URLS) + b"=" * (-len(cursor) % 4))
        except ValueError:
            raise InvalidCursor from None
        if _encoded(data) != cursor:  # the decoder passes over bits, and other signs
            raise InvalidCursor
        mac, packed = data[:_SEAL], data[_SEAL:]
        for key in self._keys:
            if hmac.compare_digest(mac, self._mac(key, kind, user_id, packed)):
                break
        else:
            raise InvalidCursor
        try:
            return tuple([_READ[kind](value) for kind, value in zip(types, unpack(packed), strict=True)])
        except (MalformedBody, TypeError, ValueError, OverflowError):  # an earlier version of this server made it
            raise InvalidCursor from None

    @staticmethod
    def _mac(key: bytes, kind: str, user_id: UUID, place: bytes) -> bytes:
        return hmac.digest(key, kind.encode() + b"\0" + user_id.bytes + place, sha256)[:_SEAL]


def _encoded(data: bytes) -> str:
    """Return ``data`` in base64url without padding (RFC 4648, section 5)."""
    return b2a_base64(data, newline=False).translate(_TO_URLS).rstrip(b"=").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        # The driver gives the ends of the calendar, PostgreSQL's infinities, without a zone.
        return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    return value.toordinal() if isinstance(value, date) else value

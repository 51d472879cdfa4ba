"""What both kinds of search have in common: the range of dates, and the cursor, which is good for one query alone."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from lockleaf.server.context import Services
from lockleaf.server.cursors import InvalidCursor
from lockleaf.wire.codec import pack

__all__ = ["BYTES_A_PAGE", "EARLIEST", "LATEST", "Range", "Turning"]

BYTES_A_PAGE = 8 * 1024 * 1024
"""Where reading ends before its limit, in bytes; it reads one entry whatever its size."""

EARLIEST = datetime.fromisoformat("0001-01-01T00:00:00Z")
LATEST = datetime.fromisoformat("9999-12-31T23:59:59.999999Z")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST = 2**63 - 1
_PLACE = struct.Struct(">II")


class Range:
    """A range of dates, both ends within it; each may be open.

    Args:
        first, last: later and earlier ones among them decide; None says nothing.
    """

    def __init__(self, first: list[datetime | None], last: list[datetime | None]) -> None:
        self.first = max((each for each in first if each is not None), default=None)
        self.last = min((each for each in last if each is not None), default=None)

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self.first is not None or self.last is not None

    @property
    def as_counted(self) -> tuple[int, int] | None:
        """Its ends in PostgreSQL's microseconds, None where both are open. One that is open holds its infinity too."""
        if not self.narrows:
            return None
        return (
            -_MOST - 1 if self.first is None else (self.first - _EPOCH) // _MICROSECOND,
            _MOST if self.last is None else (self.last - _EPOCH) // _MICROSECOND,
        )


class Turning:
    """Cursors through what one query of one account finds.

    Args:
        asked: all that decides what is found. Nobody can read it from a cursor, which holds a digest under the server's
            key.
    """

    def __init__(self, services: Services, user_id: UUID, *asked: Any) -> None:
        self._cursors = services.cursors
        self._user_id = user_id
        self._kind = f"search/{sha256(pack(list(asked))).hexdigest()}"

    def place(self, cursor: str | None) -> tuple[int, int]:
        """Return the place at which a page begins: a number of candidates, and of hits among those behind them.

        Raises:
            InvalidCursor: the cursor is of another query, or of none.
        """
        if cursor is None:
            return 0, 0
        try:
            start, offset = _PLACE.unpack(self._cursors.open(self._kind, self._user_id, cursor))
        except struct.error:
            raise InvalidCursor from None
        return start, offset

    def cursor(self, start: int, offset: int = 0) -> str:
        """Return the cursor of a place."""
        return self._cursors.seal(self._kind, self._user_id, _PLACE.pack(start, offset))

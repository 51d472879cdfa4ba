"""What both kinds of search have in common: the range of dates, and the cursor, which is good for one query alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.paging import Paging, Window
from lockleaf.server.records.diary import clock_range, instant_range
from lockleaf.wire.codec import pack
from lockleaf.wire.days import Bound
from lockleaf.wire.search import BlindSearch, PlainSearch

__all__ = ["BYTES_A_PAGE", "Range", "window_of"]

BYTES_A_PAGE = 8 * 1024 * 1024
"""Where reading ends before its limit, in bytes; it reads one entry whatever its size."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST = 2**63 - 1
_EVERYTHING = clock_range(None, None)
_EARLIEST, _LATEST = _EVERYTHING


class Range:
    """A range of days and of instants, both ends within it; each may be open.

    Args:
        first, last: later and earlier ones among them decide; None says nothing.
    """

    def __init__(self, first: Sequence[Bound | None], last: Sequence[Bound | None]) -> None:
        clock = [clock_range(*ends) for ends in zip(first, last, strict=True)]
        instants = [instant_range(*ends) for ends in zip(first, last, strict=True)]
        self.clock = (max(low for low, _ in clock), min(high for _, high in clock))
        self.instants = (max(low for low, _ in instants), min(high for _, high in instants))

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self.clock != _EVERYTHING or self.timed

    @property
    def timed(self) -> bool:
        """Whether it leaves instants out, which only the records know."""
        return self.instants != _EVERYTHING

    @property
    def as_counted(self) -> tuple[int, int] | None:
        """Its days in PostgreSQL's microseconds, None where both ends are open. One that is open holds its infinity."""
        if self.clock == _EVERYTHING:
            return None
        first, last = self.clock
        return (
            -_MOST - 1 if first == _EARLIEST else (first - _EPOCH) // _MICROSECOND,
            _MOST if last == _LATEST else (last - _EPOCH) // _MICROSECOND,
        )


def window_of(cursors: CursorCodec, user_id: UUID, body: PlainSearch | BlindSearch, *asked: Any) -> Window:
    """Return which page is asked for of what one query of one account finds.

    Its places are a number of candidates, and of hits among those behind them.

    Args:
        asked: all that decides what is found. Nobody can read it from a cursor, which holds a digest under the server's
            key.

    Raises:
        InvalidCursor: the cursor is of another query, or was not made here.
    """
    kind = f"search/{sha256(pack(list(asked))).hexdigest()}"
    return Paging(cursors, body.limit, body.cursor).window(kind, user_id, int, int)

"""Pages of results: how many go on one, and where the next begins."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from lockleaf.he.params import PARAMETER_SETS
from lockleaf.server.features.analytics.periods import FIRST, LAST, instant
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.paging import Paging
from lockleaf.wire.analytics import MAX_PAGE_BYTES, Aggregation, TimeRange
from lockleaf.wire.codec import canonical

__all__ = ["ResultRange"]

_WORD = 8


class ResultRange:
    """Where an answer begins and ends.

    Args:
        cursors: seal the place of the next page.
        user_id: the account.
        body: the question. A cursor is good for the same question only.

    Raises:
        InvalidCursor: the question's cursor is not of it.
    """

    def __init__(self, cursors: CursorCodec, user_id: UUID, body: Aggregation) -> None:
        asked = body.time_range or TimeRange()
        first, last = instant(FIRST), instant(LAST)
        self.start = min(asked.start or first, last)
        """From when on values are looked for."""
        self.end = min(asked.end or last, last)
        """Until when, this time left out."""
        parameters = PARAMETER_SETS[body.parameter_set]
        size = 2 * len(parameters.primes_at(0)) * parameters.degree * _WORD * (2 if body.operation == "variance" else 1)
        self.limit = min(body.limit, MAX_PAGE_BYTES // size)
        """How many results go on it."""
        question = body.model_dump(mode="json", exclude={"cursor", "limit", "seal_version"})
        kind = f"aggregate/{sha256(canonical(question)).hexdigest()}"
        self._window = Paging(cursors, self.limit, body.cursor).window(kind, user_id, datetime)
        self.place: datetime | None = self._window.after[0] if self._window.after else None
        """Where the buckets of this page begin, if it is not the first."""

    def cursor(self, place: datetime | None) -> str | None:
        """Return the cursor of the page whose buckets begin at ``place``."""
        return self._window.cursor(None if place is None else (place,))

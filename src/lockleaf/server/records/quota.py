"""The quota of an account on this server, for everything that is held of it together."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from lockleaf.server.platform.errors import OverQuota
from lockleaf.server.platform.holdings import Counted, Holdings
from lockleaf.server.records import service as records
from lockleaf.server.records import usage
from lockleaf.wire.problems import ErrorCode

__all__ = ["UNLIMITED", "Quota", "QuotaExceeded"]

UNLIMITED = -1
"""In place of an account's own quota: as much as it likes, whatever others may hold."""
_GIVEN = "SELECT quota_bytes FROM accounts WHERE user_id = $1"
_STANDING = """
SELECT a.quota_bytes AS given,
  coalesce(h.record_bytes + h.index_bytes + h.media_bytes + h.metric_bytes + h.inbox_bytes, 0) AS used
FROM accounts a LEFT JOIN heads h ON h.user_id = a.user_id WHERE a.user_id = $1
"""


class QuotaExceeded(OverQuota):
    """The quota is used up: the account would hold more than this server gives it.

    `limit` is how many bytes it may hold, `used` how many it holds, `needed` how many this would add. Delete something,
    or ask the operator for more.
    """

    code = ErrorCode.QUOTA_EXCEEDED


class Quota:
    """How many bytes each account may hold on this server.

    Args:
        limit: the bytes; None for any number. An operator can give an account another one.
        holdings: what counts beside records.
    """

    def __init__(self, limit: int | None, holdings: Holdings) -> None:
        self.limit = limit
        self._holdings = holdings

    def left(self, *, given: int | None, used: int) -> int | None:
        """Return how many bytes may be added to an account; None for any number.

        Args:
            given: its own quota, if it has one.
            used: what it holds.
        """
        limit = self._limit(given)
        return None if limit is None else max(0, limit - used)

    def _limit(self, given: int | None) -> int | None:
        limit = self.limit if given is None else given
        return None if limit == UNLIMITED else limit

    async def limit_of(self, connection: asyncpg.Connection, user_id: UUID) -> int | None:
        """Return how many bytes an account may hold; None for any number."""
        return self._limit(await connection.fetchval(_GIVEN, user_id))

    async def _standing(self, connection: asyncpg.Connection, user_id: UUID) -> tuple[int | None, int]:
        """Return how much an account may hold, and how much it holds, in one statement."""
        row = await connection.fetchrow(_STANDING, user_id)
        if row is None:
            return self.limit, 0
        return self._limit(row["given"]), row["used"]

    async def bytes_used(self, connection: asyncpg.Connection, user_id: UUID) -> int:
        """Return the bytes of all that the server holds of an account."""
        return await usage.kept(connection, user_id)

    async def bytes_used_by(self, counted_as: Counted, connection: asyncpg.Connection, user_id: UUID) -> int:
        """Return the bytes of what users know as metrics, or as media."""
        counted = [each.usage for each in self._holdings if each.counted_as == counted_as and each.usage is not None]
        return sum([await usage.kept_of(connection, user_id, kind) for kind in counted])

    async def bytes_left(self, connection: asyncpg.Connection, user_id: UUID) -> int | None:
        """Return how many bytes may be added to an account until this transaction ends; None for any number.

        Raises:
            TierRequired: the account's tier holds no records.
        """
        limit = await self.limit_of(connection, user_id)
        if limit is None:
            return None
        await records.lock(connection, user_id)
        return max(0, limit - await self.bytes_used(connection, user_id))

    async def require(self, connection: asyncpg.Connection, user_id: UUID, needed: int) -> None:
        """Let pass what the quota allows. The caller holds the account's head, so that two cannot take the same bytes.

        Args:
            needed: the bytes that would be added.

        Raises:
            QuotaExceeded: the account would hold more than it may.
        """
        limit, used = await self._standing(connection, user_id)
        if limit is not None and used + needed > limit:
            raise QuotaExceeded(limit=limit, used=used, needed=needed)

    async def require_after(self, connection: asyncpg.Connection, user_id: UUID, needed: int) -> None:
        """Let stay what was written a moment ago in this transaction, if the quota allowed it: an error takes it back.

        Asked afterwards, since a retry adds nothing, and only the store knows one.

        Args:
            needed: the bytes that were added.

        Raises:
            QuotaExceeded: the account would hold more than it may.
        """
        if needed == 0:
            return
        limit, used = await self._standing(connection, user_id)
        if limit is not None and used > limit:
            raise QuotaExceeded(limit=limit, used=max(0, used - needed), needed=needed)

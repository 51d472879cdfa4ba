"""The room that an account is given on this server, for everything that is held of it together."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from lockleaf.server.platform.context import Services
from lockleaf.server.platform.errors import OverQuota
from lockleaf.server.platform.holdings import Counted, Holding
from lockleaf.server.records import service as records
from lockleaf.wire.problems import ErrorCode

__all__ = ["QuotaExceeded", "bytes_left", "bytes_used", "bytes_used_by", "require", "require_after"]


class QuotaExceeded(OverQuota):
    """There is no room for it: the account would hold more than this server gives it.

    `limit` is how many bytes it may hold, `used` how many it holds, `needed` how many this would add. Delete something,
    or ask the operator for more.
    """

    code = ErrorCode.QUOTA_EXCEEDED


async def bytes_used(connection: asyncpg.Connection, user_id: UUID, holdings: Sequence[Holding]) -> int:
    """Return the bytes of all that the server holds of an account: records, and what ``holdings`` count."""
    used = await records.bytes_held(connection, user_id)
    for holding in holdings:
        if holding.bytes_used is not None:
            used += await holding.bytes_used(connection, user_id)
    return used


async def bytes_used_by(
    counted_as: Counted, connection: asyncpg.Connection, user_id: UUID, holdings: Sequence[Holding]
) -> int:
    """Return the bytes of what users know as metrics, or as media."""
    counts = [each.bytes_used for each in holdings if each.counted_as == counted_as and each.bytes_used is not None]
    return sum([await count(connection, user_id) for count in counts])


async def bytes_left(connection: asyncpg.Connection, services: Services, user_id: UUID) -> int | None:
    """Return how many bytes may be added to an account until this transaction ends; None for any number.

    Raises:
        TierRequired: the account's tier holds no records.
    """
    limit = services.settings.limits.storage_bytes
    if limit is None:
        return None
    await records.lock(connection, user_id)
    return max(0, limit - await bytes_used(connection, user_id, services.holdings))


async def require(connection: asyncpg.Connection, services: Services, user_id: UUID, needed: int) -> None:
    """Let pass what has room. The caller holds the account's head, so that two cannot take the same room.

    Args:
        needed: the bytes that would be added.

    Raises:
        QuotaExceeded: the account would hold more than it may.
    """
    limit = services.settings.limits.storage_bytes
    if limit is None:
        return
    used = await bytes_used(connection, user_id, services.holdings)
    if used + needed > limit:
        raise QuotaExceeded(limit=limit, used=used, needed=needed)


async def require_after(connection: asyncpg.Connection, services: Services, user_id: UUID, needed: int) -> None:
    """Let stay what was written a moment ago in this transaction, if it had room: an error takes it back.

    Asked afterwards, since a retry adds nothing, and only the store knows one.

    Args:
        needed: the bytes that were added.

    Raises:
        QuotaExceeded: the account would hold more than it may.
    """
    limit = services.settings.limits.storage_bytes
    if limit is None or needed == 0:
        return
    used = await bytes_used(connection, user_id, services.holdings)
    if used > limit:
        raise QuotaExceeded(limit=limit, used=max(0, used - needed), needed=needed)

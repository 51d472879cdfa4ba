"""Changes that the server makes itself, of which the store takes each one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.server.records.errors import refusal
from lockleaf.server.records.policy import endpoint_policy
from lockleaf.server.records.service import Pushed, push
from lockleaf.wire.sync import Change

__all__ = ["apply_all"]


async def apply_all(
    connection: asyncpg.Connection, user_id: UUID, changes: Sequence[Change], *, now: datetime, most_bytes: int
) -> Pushed:
    """Apply changes that were made behind the lock of the history.

    Arguments:
        most_bytes: as for a push.

    Raises:
        PayloadTooLarge, ChangeRejected, KeyRetired, SealRequired: the store does not take one of them.
    """
    pushed = await push(
        connection, user_id, changes, now=now, atomic=True, policy=endpoint_policy, most_bytes=most_bytes
    )
    for outcome in pushed.outcomes:
        if outcome.status != "applied":
            raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
    return pushed

"""Conflicts: payloads that were refused since their record had moved on, kept until a person chooses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.records.models import Conflict, Record
from lockleaf.wire import sync as wire
from lockleaf.wire.codec import unpack

__all__ = ["OpenConflict", "count", "list_open"]


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict, and the record as it is now (None where it was never written)."""

    conflict: Conflict
    record: wire.Record | None


async def count(session: AsyncSession, user_id: UUID) -> int:
    """Return how many conflicts are open."""
    counted = await session.scalar(
        select(func.count()).select_from(Conflict).where(Conflict.user_id == user_id, Conflict.resolved_at.is_(None))
    )
    return counted or 0


async def list_open(session: AsyncSession, user_id: UUID, *, after: UUID | None, limit: int) -> list[OpenConflict]:
    """Return the open conflicts, oldest first, behind the conflict ``after``."""
    statement = (
        select(Conflict, Record.packed)
        .outerjoin(
            Record,
            (Record.user_id == Conflict.user_id)
            & (Record.collection == Conflict.collection)
            & (Record.record_id == Conflict.record_id),
        )
        .where(Conflict.user_id == user_id, Conflict.resolved_at.is_(None))
        .order_by(Conflict.conflict_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Conflict.conflict_id > after)
    return [
        OpenConflict(conflict, None if packed is None else wire.Record.model_validate(unpack(packed)))
        for conflict, packed in await session.execute(statement)
    ]

"""Conflicts: payloads that were refused since their record had moved on, kept until a person chooses, and after."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.records.models import Conflict, Record, Revision
from lockleaf.wire import sync as wire
from lockleaf.wire.codec import unpack

__all__ = ["KeptConflict", "count", "list_kept"]


@dataclass(frozen=True, slots=True)
class KeptConflict:
    """A conflict and its other version: the record as it is now, or as it was when the conflict was resolved.

    None where it was never written, or is no longer kept.
    """

    conflict: Conflict
    record: wire.Record | None


async def count(session: AsyncSession, user_id: UUID, *, resolved: bool = False) -> int:
    """Return how many conflicts are open, or ``resolved``."""
    which = Conflict.resolved_at.is_not(None) if resolved else Conflict.resolved_at.is_(None)
    counted = await session.scalar(select(func.count()).select_from(Conflict).where(Conflict.user_id == user_id, which))
    return counted or 0


async def list_kept(
    session: AsyncSession, user_id: UUID, *, after: UUID | None, limit: int, resolved: bool = False
) -> list[KeptConflict]:
    """Return the open conflicts, or the ``resolved`` ones, oldest first, behind the conflict ``after``."""
    is_current = (
        (Record.user_id == Conflict.user_id)
        & (Record.collection == Conflict.collection)
        & (Record.record_id == Conflict.record_id)
    )
    statement = select(Conflict, Record.packed).outerjoin(Record, is_current)
    if resolved:
        was_then = (
            (Revision.user_id == Conflict.user_id)
            & (Revision.collection == Conflict.collection)
            & (Revision.record_id == Conflict.record_id)
            & (Revision.revision == Conflict.remote_revision)
        )
        packed = case((Record.revision == Conflict.remote_revision, Record.packed), else_=Revision.packed)
        statement = select(Conflict, packed).outerjoin(Record, is_current).outerjoin(Revision, was_then)
    statement = (
        statement.where(
            Conflict.user_id == user_id,
            Conflict.resolved_at.is_not(None) if resolved else Conflict.resolved_at.is_(None),
        )
        .order_by(Conflict.conflict_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(Conflict.conflict_id > after)
    return [
        KeptConflict(conflict, None if packed is None else wire.Record.model_validate(unpack(packed)))
        for conflict, packed in await session.execute(statement)
    ]

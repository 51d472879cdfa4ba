"""Conflicts: payloads that were refused since their record had moved on, kept until a person chooses, and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.platform.paging import Page, Window
from lockleaf.server.records.models import Conflict, Record, Revision
from lockleaf.server.records.pages import BYTES_A_PAGE
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


async def list_kept(session: AsyncSession, user_id: UUID, window: Window, *, resolved: bool) -> Page[KeptConflict]:
    """Return a page of the open conflicts, or the ``resolved`` ones, oldest first, fewer where they exceed 8 MiB."""
    is_current = (
        (Record.user_id == Conflict.user_id)
        & (Record.collection == Conflict.collection)
        & (Record.record_id == Conflict.record_id)
    )
    was_then = (
        (Revision.user_id == Conflict.user_id)
        & (Revision.collection == Conflict.collection)
        & (Revision.record_id == Conflict.record_id)
        & (Revision.revision == Conflict.remote_revision)
    )
    packed: Any = Record.packed
    if resolved:
        packed = case((Record.revision == Conflict.remote_revision, Record.packed), else_=Revision.packed)

    def kept(*columns: Any) -> Select[Any]:
        statement = select(*columns).select_from(Conflict).outerjoin(Record, is_current)
        if resolved:
            statement = statement.outerjoin(Revision, was_then)
        return statement.where(
            Conflict.user_id == user_id,
            Conflict.resolved_at.is_not(None) if resolved else Conflict.resolved_at.is_(None),
        ).order_by(Conflict.conflict_id)

    # Sizes are known without reading what is measured; only what fits is read.
    size = func.octet_length(Conflict.payload) + func.coalesce(func.octet_length(packed), 0)
    measured = kept(Conflict.conflict_id, size).limit(window.limit + 1)
    if window.after is not None:
        measured = measured.where(Conflict.conflict_id > window.after[0])
    shown: list[UUID] = []
    taken, more = 0, False
    for conflict_id, takes in await session.execute(measured):
        if len(shown) == window.limit or taken >= BYTES_A_PAGE:
            more = True
            break
        shown.append(conflict_id)
        taken += takes
    found = await session.execute(kept(Conflict, packed).where(Conflict.conflict_id.in_(shown)))
    items = [
        KeptConflict(conflict, None if packed is None else wire.Record.model_validate(unpack(packed)))
        for conflict, packed in found
    ]
    return Page(items, (shown[-1],) if more and shown else None)

"""Closing a conflict: a person chose one side, or wrote a third."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.db.engine import driver
from lockleaf.server.records import service
from lockleaf.server.records.errors import (
    ChangeRejected,
    ConflictNotFound,
    ConflictResolved,
    ContentRequired,
    RevisionConflict,
)
from lockleaf.server.records.models import Conflict
from lockleaf.wire.sync import Change, Resolution

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolution that stands. ``seq`` and ``revision`` tell of the change that it made, if it made one."""

    conflict: Conflict
    seq: int | None
    revision: int | None


async def resolve(
    session: AsyncSession, user_id: UUID, conflict_id: UUID, choice: Resolution, *, device_id: str, now: datetime
) -> Resolved:
    """Close a conflict: with the record as it stands, or with a change sealed for its current revision + 1.

    Raises:
        ConflictNotFound: no such conflict in this account.
        ConflictResolved: it was closed before.
        ContentRequired: local or merged without the sealed change.
        RevisionConflict: the record has moved on since the change was sealed.
        ChangeRejected: the store does not take the change.
    """
    conflict = await session.scalar(
        select(Conflict).where(Conflict.user_id == user_id, Conflict.conflict_id == conflict_id).with_for_update()
    )
    if conflict is None:
        raise ConflictNotFound
    if conflict.resolved_at is not None:
        raise ConflictResolved(chosen_version=conflict.chosen_version)
    seq = revision = None
    if choice.chosen_version != "remote":
        if choice.payload is None or choice.base_revision is None or choice.parent is None:
            raise ContentRequired
        change = Change(
            collection=conflict.collection,
            record_id=conflict.record_id,
            base_revision=choice.base_revision,
            parent=choice.parent,
            payload=choice.payload,
            deleted=choice.deleted,
            labels=choice.labels,
            source=choice.source,
            occurred_at=choice.occurred_at,
            device_id=choice.device_id or device_id,
            client_updated_at=choice.client_updated_at or now,
        )
        outcome = (await service.push(await driver(session), user_id, [change], now=now)).outcomes[0]
        if outcome.status == "conflict":
            raise RevisionConflict(current_revision=(outcome.current or {}).get("revision", 0))
        if outcome.status == "rejected":
            raise ChangeRejected(reason=outcome.code)
        seq, revision = outcome.seq, outcome.revision
    await session.execute(
        update(Conflict)
        .where(Conflict.user_id == user_id, Conflict.conflict_id == conflict_id)
        .values(resolved_at=now, chosen_version=choice.chosen_version)
    )
    return Resolved(conflict, seq, revision)

"""Conflicts: payloads that were refused since their record had moved on, kept until a person chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import history
from lockleaf.server.identifiers import uuid7
from lockleaf.server.records.models import Conflict, Record
from lockleaf.wire import sync as wire
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Change

__all__ = ["Kept", "OpenConflict", "count", "keep", "list_open"]


@dataclass(frozen=True, slots=True)
class Kept:
    """The conflicts of some changes, in order."""

    ids: list[UUID]
    any_new: bool


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict, and the record as it is now (None where it was never written)."""

    conflict: Conflict
    record: wire.Record | None


async def keep(session: AsyncSession, user_id: UUID, changes: Sequence[Change], *, now: datetime) -> Kept:
    """Store refused changes as open conflicts; the same payload for the same record is one conflict."""
    rows: dict[tuple[str, str, bytes], dict[str, Any]] = {}
    keys = []
    for change in changes:
        payload_hash = history.payload_hash(change.payload)
        key = (change.collection, change.record_id, payload_hash)
        keys.append(key)
        rows[key] = {
            "user_id": user_id,
            "conflict_id": uuid7(now),
            "collection": change.collection,
            "record_id": change.record_id,
            "base_revision": change.base_revision,
            "parent": change.parent,
            "payload": change.payload,
            "payload_hash": payload_hash,
            "deleted": change.deleted,
            "labels": list(change.labels),
            "source": change.source,
            "occurred_text": change.occurred_at,
            "device_id": change.device_id,
            "client_updated_at": change.client_updated_at,
            "detected_at": now,
        }
    unique = [Conflict.user_id, Conflict.collection, Conflict.record_id, Conflict.payload_hash]
    made = await session.execute(
        insert(Conflict)
        .values(list(rows.values()))
        .on_conflict_do_nothing(index_elements=unique)
        .returning(Conflict.conflict_id)
    )
    any_new = bool(made.all())
    found = await session.execute(
        select(Conflict.collection, Conflict.record_id, Conflict.payload_hash, Conflict.conflict_id).where(
            Conflict.user_id == user_id, Conflict.payload_hash.in_([key[2] for key in rows])
        )
    )
    ids = {(row.collection, row.record_id, row.payload_hash): row.conflict_id for row in found}
    return Kept([ids[key] for key in keys], any_new)


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

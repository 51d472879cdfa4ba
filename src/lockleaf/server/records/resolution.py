"""Closing a conflict: a person chose one side, or wrote a third."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.platform.db.engine import driver
from lockleaf.server.records import diary
from lockleaf.server.records.errors import ConflictNotFound, ConflictResolved, RevisionConflict, refusal
from lockleaf.server.records.models import Conflict
from lockleaf.server.records.policy import RecordPolicy
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.conflicts import Choice
from lockleaf.wire.sync import Change, Record

__all__ = ["OpenConflict", "Resolved", "close", "take"]


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """An open conflict, and the record as it stays until the transaction ends; None where the server lost it."""

    conflict: Conflict
    record: Record | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a resolution wrote: where, and as which revision; None where it wrote nothing."""

    seq: int | None = None
    revision: int | None = None


async def take(session: AsyncSession, user_id: UUID, conflict_id: UUID) -> OpenConflict:
    """Lock the account's history and an open conflict, to be closed in this transaction.

    Raises:
        ConflictNotFound: no such conflict in this account.
        ConflictResolved: it was closed before.
        TierRequired: the account's tier holds no records.
    """
    mine = (Conflict.user_id == user_id, Conflict.conflict_id == conflict_id)
    key = (await session.execute(select(Conflict.collection, Conflict.record_id).where(*mine))).one_or_none()
    if key is None:
        raise ConflictNotFound
    # The history first, as every writer does: two that took them the other way round would wait for each other.
    record = await diary.hold(await driver(session), user_id, key.collection, key.record_id)
    conflict = await session.scalar(select(Conflict).where(*mine).with_for_update())
    if conflict is None:
        raise ConflictNotFound
    if conflict.resolved_at is not None:
        raise ConflictResolved(chosen_version=conflict.chosen_version)
    return OpenConflict(conflict, record)


async def close(
    store: AccountRecords,
    open_conflict: OpenConflict,
    chosen: Choice,
    changes: Sequence[Change],
    *,
    policy: Callable[[str], RecordPolicy],
) -> Resolved:
    """Close a conflict: with the record as it stands, or with the first of ``changes``, which follows it.

    The other version stays: as the revision before the change, or with the closed conflict.

    Arguments:
        changes: none to leave the record as it is; those behind the first are what goes with it, such as its new tags.
        policy: the rules of the payloads.

    Raises:
        RevisionConflict: the record has moved on since the change was made.
        PayloadTooLarge, ChangeRejected, KeyRetired: the store does not take the change.
    """
    conflict = open_conflict.conflict
    resolved = Resolved()
    if changes:
        pushed = await store.put(changes, policy=policy, within_quota=False)
        outcome = pushed.outcomes[0]
        if outcome.status == "conflict":
            raise RevisionConflict(current_revision=(outcome.current or {}).get("revision", 0))
        if outcome.status == "rejected":
            raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
        resolved = Resolved(outcome.seq, outcome.revision)
    store.tx.wake(store.user_id)
    await store.tx.session.execute(
        update(Conflict)
        .where(Conflict.user_id == conflict.user_id, Conflict.conflict_id == conflict.conflict_id)
        .values(
            resolved_at=store.clock(),
            chosen_version=chosen,
            remote_revision=None if open_conflict.record is None else open_conflict.record.revision,
        )
    )
    return resolved

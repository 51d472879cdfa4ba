"""The store of an account as a whole: opening it, counting it, deleting it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import history
from lockleaf.server.platform.tiers import TierRequired
from lockleaf.server.records import statements
from lockleaf.server.records.errors import EpochEndOutdated, HistoryMoved
from lockleaf.server.records.models import Change, Checkpoint, Conflict, Epoch, EpochStatement, Head, Record, Revision
from lockleaf.wire.epochs import Statement
from lockleaf.wire.fields import encode_base64

__all__ = [
    "Counts",
    "Emptied",
    "End",
    "delete_all",
    "empty",
    "lock",
    "lock_end",
    "open_store",
    "require_seals",
    "retire",
    "statistics",
]


@dataclass(frozen=True, slots=True)
class Counts:
    """What can be counted without reading.

    Arguments:
        total: records that are not deleted.
        recent: those of the days asked for.
        streak: consecutive days of entries up to today, yesterday, or tomorrow, which it is already somewhere.
    """

    total: int
    recent: int
    streak: int


@dataclass(frozen=True, slots=True)
class End:
    """Where an account's history ends; ``head`` is 32 bytes."""

    epoch: str
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Emptied:
    """What was deleted with a store's content.

    Arguments:
        records: of every collection, deletions still remembered included.
        conflicts: kept versions, decided or not.
    """

    records: int = 0
    conflicts: int = 0


async def open_store(session: AsyncSession, user_id: UUID) -> None:
    """Begin the first epoch of a new account."""
    epoch = str(uuid4())
    session.add(Epoch(user_id=user_id, epoch=epoch, from_seq=0, from_head=history.ZERO))
    session.add(Head(user_id=user_id, epoch=epoch, seq=0, head=history.epoch_head(epoch, 0, history.ZERO)))
    await session.flush()


async def delete_all(session: AsyncSession, user_id: UUID) -> dict[str, int]:
    """Delete everything that the store holds of an account, and return how many rows of each table.

    The head goes first: whoever is writing holds its lock, and what they write must be there to be deleted.
    """
    deleted = {}
    for table in (Head, Conflict, Revision, Record, Change, Checkpoint, Epoch, EpochStatement):
        result = await session.execute(delete(table).where(table.user_id == user_id))
        deleted[table.__tablename__] = result.rowcount  # type: ignore[attr-defined]
    return deleted


async def empty(session: AsyncSession, user_id: UUID, end: Statement | None = None) -> Emptied:
    """Delete everything that the store holds of an account, and begin an epoch that goes on from where it ended.

    The epoch before ends with its leaves, and with those of all epochs before it (PROTOCOL section 5, Epochs).
    The head is locked first: whoever writes holds it until the commit, and what they write must be there to be deleted.

    Args:
        end: what the device signed, its signature checked. Without it the account's devices ask their users.

    Raises:
        EpochEndOutdated: the history does not end as ``end`` says.
    """
    row = (
        await session.execute(select(Head.epoch, Head.seq, Head.head).where(Head.user_id == user_id).with_for_update())
    ).one_or_none()
    if row is None:
        return Emptied()
    epoch = str(uuid4())
    if end is not None:
        named = await session.scalar(select(Epoch.epoch).where(Epoch.user_id == user_id, Epoch.epoch == end.new_epoch))
        if named is not None or (end.kind, end.old_epoch, end.seq, end.head) != ("end", row.epoch, row.seq, row.head):
            raise EpochEndOutdated(epoch=row.epoch, seq=row.seq, head=encode_base64(row.head))
        epoch = end.new_epoch
        await statements.keep(session, user_id, [end])
    deleted = {}
    for table in (Conflict, Revision, Record, Change, Checkpoint):
        result = await session.execute(delete(table).where(table.user_id == user_id))
        deleted[table] = result.rowcount  # type: ignore[attr-defined]
    await session.execute(update(Epoch).where(Epoch.user_id == user_id).values(ended=True))
    # The clock, not the transaction's time: an epoch made in the same transaction would have no order with it.
    session.add(
        Epoch(user_id=user_id, epoch=epoch, from_seq=row.seq, from_head=row.head, created_at=func.clock_timestamp())
    )
    head = history.epoch_head(epoch, row.seq, row.head)
    await session.execute(update(Head).where(Head.user_id == user_id).values(epoch=epoch, head=head, record_bytes=0))
    await session.flush()
    return Emptied(records=deleted[Record], conflicts=deleted[Conflict])


async def lock_end(session: AsyncSession, user_id: UUID) -> End:
    """Return where the history ends; it stays there until the transaction ends."""
    end = (
        await session.execute(select(Head.epoch, Head.seq, Head.head).where(Head.user_id == user_id).with_for_update())
    ).one()
    return End(end.epoch, end.seq, end.head)


async def require_seals(session: AsyncSession, user_id: UUID) -> None:
    """Take nothing more into the account's entries and tags that is not sealed: it has a keyring now.

    The lock of the head is held until the transaction ends, so whoever waits for it is held to this.
    """
    await session.execute(update(Head).where(Head.user_id == user_id, Head.key_id == 0).values(key_id=1))


async def retire(session: AsyncSession, user_id: UUID, at: End, *, key_id: int) -> None:
    """Let no master key before ``key_id`` seal anything from here on, if the history still ends ``at`` that place.

    The lock is held until the transaction ends, so that whoever writes comes before this and is seen by it, or after
    it and is held to it.

    Arguments:
        at: the end that the new keyring names.
        key_id: of the new key.

    Raises:
        HistoryMoved: the history ends elsewhere.
    """
    end = await lock_end(session, user_id)
    if end != at:
        raise HistoryMoved(epoch=end.epoch, seq=end.seq, head=encode_base64(end.head))
    await session.execute(update(Head).where(Head.user_id == user_id).values(key_id=key_id))


async def lock(connection: asyncpg.Connection, user_id: UUID) -> None:
    """Hold the end of the account's history until the transaction ends, as whoever writes records does.

    Raises:
        TierRequired: the account's tier holds nothing of the kind here, or the account is gone.
    """
    await connection.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", user_id)
    # A statement of its own: the one that waited for the lock would see the tier as it was before it waited.
    tier = await connection.fetchval(
        "SELECT a.privacy_tier FROM heads h JOIN accounts a ON a.user_id = h.user_id WHERE h.user_id = $1", user_id
    )
    if tier != "full_sync":
        raise TierRequired(required="full_sync")


_STATISTICS = text("""
WITH made AS (
  -- An entry's day is the one where it was written, as far as the server knows it; backups are of the day they came.
  SELECT coalesce((local_at AT TIME ZONE 'UTC')::date, (created_at AT TIME ZONE :timezone)::date) AS day
  FROM records WHERE user_id = :user_id AND collection IN ('entries', 'backups') AND NOT deleted
), days AS (
  SELECT DISTINCT day FROM made
), runs AS (
  -- Days in an unbroken run share the difference between the day and its number.
  SELECT day, day - (row_number() OVER (ORDER BY day))::int AS run FROM days
), today AS (
  SELECT (CAST(:now AS timestamptz) AT TIME ZONE :timezone)::date AS day
)
SELECT (SELECT count(*) FROM made) AS total,
       (SELECT count(*) FROM made, today WHERE made.day > today.day - CAST(:days AS int)) AS recent,
       (SELECT count(*) FROM runs WHERE run = (
          SELECT run FROM runs, today
          WHERE runs.day BETWEEN today.day - 1 AND today.day + 1 ORDER BY runs.day DESC LIMIT 1
       )) AS streak
""")


async def statistics(session: AsyncSession, user_id: UUID, *, days: int, timezone: str, now: datetime) -> Counts:
    """Count an account's entries by their days, or by when the server received them where it does not know those.

    Arguments:
        days: how many days back ``recent`` reaches.
        timezone: the IANA name of the zone in which days begin and end.
    """
    row = (
        await session.execute(_STATISTICS, {"user_id": user_id, "days": days, "timezone": timezone, "now": now})
    ).one()
    return Counts(row.total, row.recent, row.streak)

"""Checkpoints: what each device says, signed, about the history that it has verified."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import identity
from lockleaf.server.features.sync.errors import CheckpointOutdated, InvalidCheckpoint
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records.models import Checkpoint as Row
from lockleaf.server.records.models import Head
from lockleaf.wire.sync import Checkpoint

__all__ = ["latest", "post"]


_LATEST = """
SELECT epoch, seq, head, device_id, time_text AS time, signature
FROM checkpoints WHERE user_id = $1 ORDER BY posted_at DESC LIMIT 500
"""


async def latest(database: Database, user_id: UUID) -> tuple[Checkpoint, ...]:
    """Return the latest checkpoint of each device. Each sync asks for them."""
    async with database.read_driver() as connection:
        rows = await connection.fetch(_LATEST, user_id)
    return tuple(Checkpoint.model_validate(dict(row)) for row in rows)


async def post(session: AsyncSession, user_id: UUID, checkpoint: Checkpoint, *, now: datetime) -> None:
    """Keep a device's checkpoint in place of its last one.

    Raises:
        InvalidCheckpoint: the account's key did not sign it. Devices check for themselves; this only keeps rubbish out.
        CheckpointOutdated: it is of an epoch that has ended. Kept, it would accuse this server.
    """
    signing_key = (await accounts.get(session, user_id)).signing_key
    message = identity.checkpoint_message(
        str(user_id), checkpoint.epoch, checkpoint.seq, checkpoint.head, checkpoint.device_id, checkpoint.time
    )
    if signing_key is None or not identity.verify(signing_key, message, checkpoint.signature):
        raise InvalidCheckpoint
    # Shared, so that no epoch ends between this look and the commit. A number beyond the end is kept: it can only come
    # from a device that was shown another history, and the other devices shall hear of that.
    epoch = await session.scalar(select(Head.epoch).where(Head.user_id == user_id).with_for_update(read=True))
    if checkpoint.epoch != epoch:
        raise CheckpointOutdated
    values = {
        "epoch": checkpoint.epoch,
        "seq": checkpoint.seq,
        "head": checkpoint.head,
        "time_text": checkpoint.time,
        "signature": checkpoint.signature,
        "posted_at": now,
    }
    await session.execute(
        insert(Row)
        .values(user_id=user_id, device_id=checkpoint.device_id, **values)
        .on_conflict_do_update(index_elements=[Row.user_id, Row.device_id], set_=values)
    )

"""What devices signed about the beginnings of epochs: kept whole, and shown with every page of the feed.

The server needs none of it: it keeps what devices tell each other. It checks signatures to keep rubbish out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto import identity
from lockleaf.crypto.epochs import statement_id, statement_message
from lockleaf.crypto.errors import Malformed
from lockleaf.server.records.errors import InvalidStatement, TooManyStatements
from lockleaf.server.records.models import EpochStatement as Row
from lockleaf.server.records.models import Head
from lockleaf.wire.epochs import Statement

__all__ = ["MOST_OF_ACCOUNT", "MOST_OF_EPOCH", "keep", "lock_and_keep", "require_signed"]

MOST_OF_ACCOUNT = 1000
"""Statements of one account; each is a restore or a lowered tier that a device's user confirmed."""
MOST_OF_EPOCH = 32
"""Statements about one epoch: a device adds one only where it finds none that it can go by."""


def require_signed(statements: Sequence[Statement], user_id: UUID, keys: Collection[bytes]) -> None:
    """Let pass what the account's signing keys signed, retired ones included. Devices decide which of them counts.

    Raises:
        InvalidStatement: one is signed by none of them.
    """
    for each in statements:
        try:
            message = statement_message(
                each.kind,
                str(user_id),
                each.n,
                each.old_epoch,
                each.seq,
                each.head,
                each.new_epoch,
                each.device_id,
                each.time,
            )
        except Malformed:
            raise InvalidStatement from None
        if not any(identity.verify(key, message, each.signature) for key in keys):
            raise InvalidStatement


async def lock_and_keep(session: AsyncSession, user_id: UUID, statements: Sequence[Statement]) -> None:
    """Hold the end of the account's history, and `keep` statements.

    Raises:
        TooManyStatements: see `keep`.
    """
    await session.scalar(select(Head.seq).where(Head.user_id == user_id).with_for_update())
    await keep(session, user_id, statements)


async def keep(session: AsyncSession, user_id: UUID, statements: Sequence[Statement]) -> None:
    """Keep statements whose signatures were checked; those that say what a kept one says are that one.

    The caller holds the account's head, so that the counts hold.

    Raises:
        TooManyStatements: the account, or one epoch, would have more than it may.
    """
    await session.execute(
        insert(Row)
        .values(
            [
                {
                    "user_id": user_id,
                    "statement_id": statement_id(
                        each.kind, str(user_id), each.n, each.old_epoch, each.seq, each.head, each.new_epoch
                    ),
                    "kind": each.kind,
                    "n": each.n,
                    "old_epoch": each.old_epoch,
                    "seq": each.seq,
                    "head": each.head,
                    "new_epoch": each.new_epoch,
                    "device_id": each.device_id,
                    "time_text": each.time,
                    "signature": each.signature,
                }
                for each in statements
            ]
        )
        .on_conflict_do_nothing()
    )
    counts = (
        (await session.execute(select(func.count()).where(Row.user_id == user_id).group_by(Row.new_epoch)))
        .scalars()
        .all()
    )
    if sum(counts) > MOST_OF_ACCOUNT or max(counts, default=0) > MOST_OF_EPOCH:
        raise TooManyStatements

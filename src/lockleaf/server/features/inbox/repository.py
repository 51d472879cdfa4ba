"""The SQL of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.inbox.models import InboxItem

__all__ = ["InboxRepository", "Waiting", "count"]

_COUNT = "SELECT count(*) FROM inbox WHERE user_id = $1"


async def count(connection: asyncpg.Connection, user_id: UUID) -> int:
    """Return how many items wait."""
    counted: int = await connection.fetchval(_COUNT, user_id)
    return counted


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item as it is listed."""

    item_id: UUID
    provider: str
    received_at: datetime
    sealed: bytes | None


class InboxRepository:
    """The inbox of one account.

    Args:
        session: where the statements run.
        user_id: the account.
    """

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        self.session = session
        self.user_id = user_id

    async def count(self) -> int:
        """Return how many items wait."""
        counted = await self.session.scalar(
            select(func.count()).select_from(InboxItem).where(InboxItem.user_id == self.user_id)
        )
        return counted or 0

    async def has(self, item_id: UUID) -> bool:
        """Tell whether an item waits."""
        found = await self.session.scalar(
            select(InboxItem.item_id).where(InboxItem.user_id == self.user_id, InboxItem.item_id == item_id)
        )
        return found is not None

    async def add(
        self, item_id: UUID, provider: str, sealed: bytes, *, media: Sequence[UUID] = (), now: datetime
    ) -> bool:
        """Keep an item, and which files came with it; tell whether it is new."""
        made = await self.session.execute(
            insert(InboxItem)
            .values(
                user_id=self.user_id,
                item_id=item_id,
                provider=provider,
                sealed=sealed,
                media=list(media),
                received_at=now,
            )
            .on_conflict_do_nothing()
            .returning(InboxItem.item_id)
        )
        return made.scalar_one_or_none() is not None

    async def page(self, *, after: UUID | None, limit: int, most_bytes: int, sealed: bool) -> list[Waiting]:
        """Return items by id behind ``after``: at most ``limit``, and fewer where they would exceed ``most_bytes``.

        Args:
            sealed: whether their bytes are wanted; without them nothing but ``limit`` ends a page.
        """
        behind = [InboxItem.user_id == self.user_id, *([InboxItem.item_id > after] if after is not None else [])]
        columns = (InboxItem.item_id, InboxItem.provider, InboxItem.received_at)
        if not sealed:
            rows = await self.session.execute(select(*columns).where(*behind).order_by(InboxItem.item_id).limit(limit))
            return [Waiting(*row, None) for row in rows]
        sizes = (
            select(InboxItem.item_id, func.octet_length(InboxItem.sealed).label("bytes"))
            .where(*behind)
            .order_by(InboxItem.item_id)
            .limit(limit)
            .subquery()
        )
        running = select(
            sizes.c.item_id, (func.sum(sizes.c.bytes).over(order_by=sizes.c.item_id) - sizes.c.bytes).label("ahead")
        ).subquery()
        fitting = (
            select(*columns, InboxItem.sealed)
            .join(running, running.c.item_id == InboxItem.item_id)
            .where(InboxItem.user_id == self.user_id, running.c.ahead < most_bytes)
            .order_by(InboxItem.item_id)
        )
        return [Waiting(*row) for row in await self.session.execute(fitting)]

    async def remove(self, item_id: UUID) -> list[UUID] | None:
        """Delete an item; return the files that came with it, None if it was not there."""
        removed = await self.session.execute(
            delete(InboxItem)
            .where(InboxItem.user_id == self.user_id, InboxItem.item_id == item_id)
            .returning(InboxItem.media)
        )
        return removed.scalar_one_or_none()

    async def remove_all(self) -> int:
        """Delete every item; return how many there were."""
        removed = await self.session.execute(delete(InboxItem).where(InboxItem.user_id == self.user_id))
        return int(removed.rowcount)  # type: ignore[attr-defined]

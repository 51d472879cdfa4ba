"""The SQL of the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import case, delete, false, func, select
from sqlalchemy.dialects.postgresql import insert

from lockleaf.server.features.inbox.models import InboxItem
from lockleaf.server.platform.db.engine import driver
from lockleaf.server.platform.db.scoped import OnSession
from lockleaf.server.platform.holdings import Usage
from lockleaf.server.platform.paging import Page, Window
from lockleaf.server.records import usage

__all__ = ["USAGE", "InboxRepository", "Waiting", "count"]

USAGE = Usage("inbox_bytes", "SELECT user_id, sum(octet_length(sealed)) AS bytes FROM inbox GROUP BY user_id")
"""The sealed items."""

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


class InboxRepository(OnSession):
    """The inbox of one account."""

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
        new = made.scalar_one_or_none() is not None
        await self._count(len(sealed) if new else 0)
        return new

    async def _count(self, change: int) -> None:
        await usage.add(await driver(self.session), self.user_id, USAGE, change)

    async def page(self, window: Window, *, most_bytes: int, sealed: bool) -> Page[Waiting]:
        """Return a page of the items, by id, with fewer of them where they would exceed ``most_bytes``.

        Args:
            sealed: whether their bytes are wanted; without them nothing but the limit ends a page.
        """
        mine = InboxItem.user_id == self.user_id
        total = await self.count() if window.numbered else None
        wanted = (
            select(InboxItem.item_id, func.octet_length(InboxItem.sealed).label("bytes"))
            .where(mine, *([InboxItem.item_id > window.after[0]] if window.after else []))
            .order_by(InboxItem.item_id)
            .limit(window.limit + 1)
            .offset(window.skip)
            .subquery()
        )
        ahead = func.sum(wanted.c.bytes).over(order_by=wanted.c.item_id) - wanted.c.bytes
        measured = select(wanted.c.item_id, ahead.label("ahead")).subquery()
        # One that does not fit comes without its bytes, and tells that there is more.
        fits = measured.c.ahead < most_bytes if sealed else false()
        columns = (InboxItem.item_id, InboxItem.provider, InboxItem.received_at, case((fits, InboxItem.sealed)))
        found = await self.session.execute(
            select(*columns)
            .join(measured, measured.c.item_id == InboxItem.item_id)
            .where(mine)
            .order_by(InboxItem.item_id)
        )
        items = [Waiting(*row) for row in found]
        shown = [item for item in items[: window.limit] if not sealed or item.sealed is not None]
        return Page(shown, (shown[-1].item_id,) if len(shown) < len(items) else None, total)

    async def remove(self, item_id: UUID) -> list[UUID] | None:
        """Delete an item; return the files that came with it, None if it was not there."""
        await usage.hold(await driver(self.session), self.user_id)
        removed = await self.session.execute(
            delete(InboxItem)
            .where(InboxItem.user_id == self.user_id, InboxItem.item_id == item_id)
            .returning(InboxItem.media, func.octet_length(InboxItem.sealed))
        )
        row = removed.one_or_none()
        if row is None:
            return None
        await self._count(-row[1])
        return list(row[0])

    async def remove_all(self) -> int:
        """Delete every item; return how many there were."""
        connection = await driver(self.session)
        await usage.hold(connection, self.user_id)
        removed = await self.session.execute(delete(InboxItem).where(InboxItem.user_id == self.user_id))
        await self._count(-await usage.kept_of(connection, self.user_id, USAGE))
        return int(removed.rowcount)  # type: ignore[attr-defined]

"""The history of access to uce content, as its user reads it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.custody.models import Access
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.keyset import select_page
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.paging import Paging
from lockleaf.wire import custody as bodies

__all__ = ["HOLDING", "list_all"]


async def list_all(session: AsyncSession, clock: Clock, user_id: UUID, paging: Paging) -> bodies.AccessHistory:
    """Return a page of an account's history, newest hours first.

    Raises:
        InvalidCursor: the cursor is not of this account's history.
    """
    window = paging.window("access", user_id, datetime, UUID, str)
    # The order of the primary key, read backwards: no sorting, however long the history is.
    order = (Access.hour, Access.session_id, Access.purpose)
    mine = select(Access).where(Access.user_id == user_id)
    page = await select_page(session, mine, window, *order, descending=True)
    names = await sessions.device_names(session, user_id, now=clock())
    return bodies.AccessHistory(
        items=tuple(
            bodies.Access(
                hour=row.hour,
                session_id=row.session_id,
                device_name=names.get(row.session_id),
                purpose=row.purpose,
                openings=row.openings,
                records=row.records,
                last_at=row.last_at,
            )
            for row in page.items
        ),
        **window.answer(page),
    )


async def _delete(tx: Transaction, user_id: UUID) -> int:
    gone = await tx.session.execute(delete(Access).where(Access.user_id == user_id))
    return int(gone.rowcount)  # type: ignore[attr-defined]


# With no tier does it go: what was opened stays told until the account itself is deleted.
HOLDING = Holding("local_only", _delete)

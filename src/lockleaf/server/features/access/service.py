"""The history of access to uce content, as its user reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.custody.models import Access
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.wire import custody as bodies

__all__ = ["HOLDING", "page"]

_CURSOR = "access"
_PLACE = Struct(">Q16s")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def page(
    session: AsyncSession,
    clock: Clock,
    cursors: CursorCodec,
    user_id: UUID,
    current: UUID,
    *,
    cursor: str | None,
    limit: int,
) -> bodies.AccessHistory:
    """Return a page of an account's history, newest hours first.

    Arguments:
        current: the session that asks.

    Raises:
        InvalidCursor: the cursor is not of this account's history.
    """
    statement = select(Access).where(Access.user_id == user_id)
    if cursor is not None:
        place = tuple_(Access.hour, Access.session_id, Access.purpose)
        statement = statement.where(place < _opened(cursors.open(_CURSOR, user_id, cursor)))
    # The order of the primary key, read backwards: no sorting, however long the history is.
    order = (Access.hour.desc(), Access.session_id.desc(), Access.purpose.desc())
    found = (await session.scalars(statement.order_by(*order).limit(limit + 1))).all()
    shown = found[:limit]
    devices = await sessions.listed(session, user_id, current, now=clock())
    names = {device.id: device.device_name for device in devices.items}
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
            for row in shown
        ),
        next_cursor=cursors.seal(_CURSOR, user_id, _sealed(shown[-1])) if len(found) > limit else None,
    )


def _sealed(row: Access) -> bytes:
    hours = (row.hour - _BEGINNING) // timedelta(hours=1)
    return _PLACE.pack(hours, row.session_id.bytes) + row.purpose.encode()


def _opened(place: bytes) -> tuple[datetime, UUID, str]:
    if len(place) < _PLACE.size:
        raise InvalidCursor
    hours, session_id = _PLACE.unpack_from(place)
    return _BEGINNING + timedelta(hours=hours), UUID(bytes=session_id), place[_PLACE.size :].decode()


async def _delete(tx: Transaction, user_id: UUID) -> int:
    gone = await tx.session.execute(delete(Access).where(Access.user_id == user_id))
    return int(gone.rowcount)  # type: ignore[attr-defined]


# With no tier does it go: what was opened stays told until the account itself is deleted.
HOLDING = Holding("local_only", _delete)

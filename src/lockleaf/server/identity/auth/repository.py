"""The SQL of sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.accounts.repository import user_of_email
from lockleaf.server.identity.auth.models import Session, SessionKey
from lockleaf.server.platform.db.keyset import select_page
from lockleaf.server.platform.db.scoped import OnSession
from lockleaf.server.platform.paging import Page, Window

__all__ = ["SessionRepository", "is_known_device"]

# A device that logged out has no session any more, but its last signed word of the history.
_KNOWN_DEVICE = text("""
SELECT EXISTS (
  SELECT FROM sessions WHERE user_id = :user_id AND device_id = :device_id
) OR EXISTS (
  SELECT FROM checkpoints WHERE user_id = :user_id AND device_id = :device_id
)
""")


async def is_known_device(session: AsyncSession, email: str, device_id: str) -> bool:
    """Tell whether the account of a normalised ``email`` has, or had, a device of this id."""
    user_id = await user_of_email(session, email)
    known: bool = await session.scalar(_KNOWN_DEVICE, {"user_id": user_id, "device_id": device_id})
    return known


class SessionRepository(OnSession):
    """The sessions of one account.

    Whoever ends a session locks its row first and forgets its keys second: a refresh that is under way holds that row,
    and the key that it adds must be there to be forgotten.

    """

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        super().__init__(session, user_id)
        self._mine = Session.user_id == user_id
        self._my_keys = SessionKey.user_id == user_id

    async def add(self, row: Session) -> None:
        """Store a new session."""
        self.session.add(row)
        await self.session.flush()

    async def get(self, session_id: UUID) -> Session | None:
        """Return a session as it is now."""
        found: Session | None = await self.session.scalar(
            select(Session)
            .where(self._mine, Session.session_id == session_id)
            .execution_options(populate_existing=True)
        )
        return found

    async def page(self, window: Window, *, now: datetime) -> Page[Session]:
        """Return a page of the sessions that go on, latest used first."""
        alive = select(Session).where(self._mine, ~Session.revoked, Session.expires_at > now)
        order = (Session.last_used_at, Session.session_id)
        return await select_page(self.session, alive, window, *order, descending=True)

    async def device_names(self, now: datetime) -> dict[UUID, str | None]:
        """Return what the devices of the sessions that go on are called."""
        alive = select(Session.session_id, Session.device_name).where(
            self._mine, ~Session.revoked, Session.expires_at > now
        )
        return {row.session_id: row.device_name for row in await self.session.execute(alive)}

    async def advance(
        self,
        session_id: UUID,
        generation: int | None,
        *,
        retry_hash: bytes | None,
        now: datetime,
        rotated_at: datetime,
        expires_at: datetime,
    ) -> Session | None:
        """Begin a session's next generation, if ``generation`` is the present one (None: whichever it is).

        One statement, so that of two who try at once one finds the other's work done.
        """
        alive = and_(self._mine, Session.session_id == session_id, ~Session.revoked, Session.expires_at > now)
        moved: Session | None = await self.session.scalar(
            update(Session)
            .where(alive if generation is None else and_(alive, Session.generation == generation))
            .values(
                generation=Session.generation + 1,
                retry_hash=retry_hash,
                rotated_at=rotated_at,
                last_used_at=now,
                expires_at=expires_at,
            )
            .returning(Session)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return moved

    async def add_key(self, session_id: UUID, generation: int, sealed_kek: bytes, *, expires_at: datetime) -> None:
        """Keep the key-encryption key of a uce session's generation, as it is sealed."""
        await self.session.execute(
            insert(SessionKey).values(
                user_id=self.user_id,
                session_id=session_id,
                generation=generation,
                sealed_kek=sealed_kek,
                expires_at=expires_at,
            )
        )

    async def key(self, session_id: UUID, generation: int) -> SessionKey | None:
        """Return what is kept of a generation; None where its time is over or the session is of no uce account."""
        found: SessionKey | None = await self.session.scalar(
            select(SessionKey)
            .where(self._my_keys, SessionKey.session_id == session_id, SessionKey.generation == generation)
            .execution_options(populate_existing=True)
        )
        return found

    async def succeed_key(
        self,
        session_id: UUID,
        generation: int,
        *,
        successor: bytes | None,
        expires_at: datetime,
        replaced: datetime,
        now: datetime,
    ) -> None:
        """Let a generation's key live until ``expires_at``, and forget the session's keys whose time is over.

        Those of generations before it have no one to ask again any more, and live until ``replaced`` at most.
        """
        await self.session.execute(
            update(SessionKey)
            .where(self._my_keys, SessionKey.session_id == session_id, SessionKey.generation < generation)
            .values(successor=None, expires_at=func.least(SessionKey.expires_at, replaced))
        )
        await self.session.execute(
            update(SessionKey)
            .where(self._my_keys, SessionKey.session_id == session_id, SessionKey.generation == generation)
            .values(successor=successor, expires_at=expires_at)
        )
        await self.session.execute(
            delete(SessionKey).where(self._my_keys, SessionKey.session_id == session_id, SessionKey.expires_at <= now)
        )

    async def delete_keys(self, session_id: UUID) -> None:
        """Forget every key of a session."""
        await self.session.execute(delete(SessionKey).where(self._my_keys, SessionKey.session_id == session_id))

    async def revoke(self, session_id: UUID) -> None:
        """End a session and keep its row as a sign of what happened."""
        await self.session.execute(
            update(Session).where(self._mine, Session.session_id == session_id).values(revoked=True)
        )
        await self.delete_keys(session_id)

    async def delete(self, session_id: UUID) -> bool:
        """End a session; tell whether it was there and alive."""
        ended = await self.session.execute(
            delete(Session).where(self._mine, Session.session_id == session_id).returning(Session.revoked)
        )
        await self.delete_keys(session_id)
        return ended.scalar_one_or_none() is False

    async def delete_all(self, *, but: UUID | None = None) -> None:
        """End every session, or every one ``but`` one."""
        for table in (Session, SessionKey):
            statement = delete(table).where(table.user_id == self.user_id)
            await self.session.execute(statement if but is None else statement.where(table.session_id != but))

    async def purge(self, now: datetime) -> None:
        """Forget sessions that have ended, and keys whose time is over."""
        await self.session.execute(
            delete(Session).where(self._mine, or_(Session.revoked, Session.expires_at <= now)),
        )
        await self.session.execute(delete(SessionKey).where(self._my_keys, SessionKey.expires_at <= now))

"""The SQL of second factors. Whoever changes or uses one has locked the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.factors.models import Factor, FactorAttempts, FactorChallenge, FactorCode
from lockleaf.server.platform.db.scoped import OnSession

__all__ = ["FactorRepository"]

_OPEN_CHALLENGES = 16
"""How many questions of an account wait for an answer; the oldest beyond are forgotten."""


class FactorRepository(OnSession):
    """The second factors of one account."""

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        super().__init__(session, user_id)
        self._mine = Factor.user_id == user_id

    async def confirmed(self) -> Sequence[Factor]:
        """Return the factors that count, the oldest first."""
        found = await self.session.scalars(
            select(Factor)
            .where(self._mine, Factor.confirmed_at.is_not(None))
            .order_by(Factor.created_at, Factor.factor_id)
            .execution_options(populate_existing=True)
        )
        return found.all()

    async def is_on(self) -> bool:
        """Tell whether there is a factor that counts."""
        counting = select(Factor.factor_id).where(self._mine, Factor.confirmed_at.is_not(None))
        return await self.session.scalar(counting.limit(1)) is not None

    async def begun(self, factor_id: UUID) -> Factor | None:
        """Return a factor that is not confirmed yet."""
        found: Factor | None = await self.session.scalar(
            select(Factor).where(self._mine, Factor.factor_id == factor_id, Factor.confirmed_at.is_(None))
        )
        return found

    async def add(self, factor: Factor) -> None:
        """Store a factor that was begun, in the place of others that were."""
        await self.session.execute(delete(Factor).where(self._mine, Factor.confirmed_at.is_(None)))
        self.session.add(factor)
        await self.session.flush()

    async def accept_step(self, factor_id: UUID, step: int, now: datetime) -> bool:
        """Note a code that is accepted, unless a newer one was; tell whether it is."""
        moved = await self.session.execute(
            update(Factor)
            .where(self._mine, Factor.factor_id == factor_id, Factor.last_step < step)
            .values(last_step=step, last_used_at=now)
            .returning(Factor.factor_id)
        )
        return moved.scalar_one_or_none() is not None

    async def accept_count(self, factor_id: UUID, sign_count: int, now: datetime) -> bool:
        """Note the use of a passkey, unless it counts no further than before; tell whether it is noted.

        Authenticators that do not count always say 0.
        """
        moved = await self.session.execute(
            update(Factor)
            .where(
                self._mine,
                Factor.factor_id == factor_id,
                (Factor.sign_count < sign_count) | ((Factor.sign_count == 0) & (sign_count == 0)),
            )
            .values(sign_count=sign_count, last_used_at=now)
            .returning(Factor.factor_id)
        )
        return moved.scalar_one_or_none() is not None

    async def reseal(self, factor_id: UUID, sealed: bytes) -> None:
        """Keep a factor's secret as it is sealed now."""
        await self.session.execute(
            update(Factor).where(self._mine, Factor.factor_id == factor_id).values(sealed=sealed)
        )

    async def delete(self, factor_id: UUID) -> bool:
        """Delete a factor that counts; tell whether it was there."""
        gone = await self.session.execute(
            delete(Factor)
            .where(self._mine, Factor.factor_id == factor_id, Factor.confirmed_at.is_not(None))
            .returning(Factor.factor_id)
        )
        return gone.scalar_one_or_none() is not None

    # ---- factor codes ----

    async def replace_codes(self, digests: Iterable[bytes]) -> None:
        """Put factor codes in the place of all before."""
        await self.session.execute(delete(FactorCode).where(FactorCode.user_id == self.user_id))
        rows = [{"user_id": self.user_id, "digest": digest} for digest in digests]
        if rows:
            await self.session.execute(insert(FactorCode), rows)

    async def spend_code(self, digest: bytes) -> bool:
        """Delete a factor code; tell whether it was there."""
        spent = await self.session.execute(
            delete(FactorCode)
            .where(FactorCode.user_id == self.user_id, FactorCode.digest == digest)
            .returning(FactorCode.digest)
        )
        return spent.scalar_one_or_none() is not None

    async def codes_left(self) -> int:
        """Return how many factor codes are unspent."""
        counted = select(func.count()).select_from(FactorCode).where(FactorCode.user_id == self.user_id)
        return await self.session.scalar(counted) or 0

    # ---- challenges ----

    async def add_challenge(self, digest: bytes, purpose: str, *, now: datetime, expires_at: datetime) -> None:
        """Remember a question; forget those whose time is over, and the oldest of too many."""
        mine = FactorChallenge.user_id == self.user_id
        newest = (
            select(FactorChallenge.digest)
            .where(mine)
            .order_by(FactorChallenge.expires_at.desc())
            .limit(_OPEN_CHALLENGES - 1)
        )
        await self.session.execute(
            delete(FactorChallenge).where(
                mine, (FactorChallenge.expires_at <= now) | FactorChallenge.digest.not_in(newest.scalar_subquery())
            )
        )
        await self.session.execute(
            insert(FactorChallenge).values(user_id=self.user_id, digest=digest, purpose=purpose, expires_at=expires_at)
        )

    async def spend_challenge(self, digest: bytes, purpose: str, now: datetime) -> bool:
        """Forget a question; tell whether it was asked, of this account, for this purpose, and in time."""
        spent = await self.session.execute(
            delete(FactorChallenge)
            .where(FactorChallenge.user_id == self.user_id, FactorChallenge.digest == digest)
            .returning(FactorChallenge.purpose, FactorChallenge.expires_at)
        )
        row = spent.one_or_none()
        return row is not None and row.purpose == purpose and row.expires_at > now

    # ---- attempts ----

    async def attempts(self) -> FactorAttempts | None:
        """Return how many codes were wrong; None where none was."""
        found: FactorAttempts | None = await self.session.scalar(
            select(FactorAttempts)
            .where(FactorAttempts.user_id == self.user_id)
            .execution_options(populate_existing=True)
        )
        return found

    async def note_wrong(self, wrong: int, blocked_until: datetime) -> None:
        """Note that so many codes were wrong by now, and until when none is looked at."""
        values = {"wrong": wrong, "blocked_until": blocked_until}
        statement = upsert(FactorAttempts).values(user_id=self.user_id, **values)
        await self.session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))

    async def forget_wrong(self) -> None:
        """Forget the wrong codes, since one was right."""
        await self.session.execute(delete(FactorAttempts).where(FactorAttempts.user_id == self.user_id))

    async def delete_all(self) -> None:
        """Delete every row of the account that this domain keeps."""
        for table in (Factor, FactorCode, FactorChallenge, FactorAttempts):
            await self.session.execute(delete(table).where(table.user_id == self.user_id))

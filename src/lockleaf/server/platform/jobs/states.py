"""How a job goes from state to state while workers have it: the SQL of one job.

The number of an attempt is what tells its work from another's. A worker that was thought dead and was not finds that
the number has moved on, and writes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.platform.jobs.models import Job
from lockleaf.server.platform.jobs.repository import UNFINISHED

__all__ = ["Begun", "JobStates"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A job whose next attempt has begun.

    Attributes:
        number: of the attempt, from 1.
    """

    kind: str
    arguments: dict[str, Any]
    number: int


class JobStates:
    """The states of one job.

    Args:
        session: where the statements run.
        user_id: the job's account.
        job_id: the job.
    """

    def __init__(self, session: AsyncSession, user_id: UUID, job_id: UUID) -> None:
        self.session = session
        self._this = and_(Job.user_id == user_id, Job.job_id == job_id)
        # The last eight bytes of a UUIDv7 are random.
        self._lock = int.from_bytes(job_id.bytes[8:], "big", signed=True)

    async def lock(self) -> bool:
        """Take the job's lock until the transaction ends, or tell that somebody else has it."""
        taken: bool | None = await self.session.scalar(select(func.pg_try_advisory_xact_lock(self._lock)))
        return bool(taken)

    async def begin(self, now: datetime) -> Begun | None:
        """Begin the next attempt; None if the job has ended, or is gone with its account."""
        row = (
            await self.session.execute(
                update(Job)
                .where(self._this, Job.state.in_(UNFINISHED))
                .values(
                    state="running",
                    attempts=Job.attempts + 1,
                    done=0,
                    started_at=func.coalesce(Job.started_at, now),
                )
                .returning(Job.kind, Job.arguments, Job.attempts)
                .execution_options(synchronize_session=False)
            )
        ).one_or_none()
        return None if row is None else Begun(row.kind, row.arguments, row.attempts)

    async def is_mine(self, number: int) -> bool:
        """Tell whether the attempt goes on, and keep it so until the transaction ends."""
        found = await self.session.scalar(select(Job.job_id).where(self._mine(number)).with_for_update())
        return found is not None

    async def advance(self, number: int, done: int, total: int) -> bool:
        """Note how far the attempt is; tell whether it goes on."""
        return await self._change(number, done=done, total=total)

    async def succeed(self, number: int, now: datetime) -> bool:
        """End the job well."""
        return await self._change(number, state="succeeded", done=Job.total, finished_at=now)

    async def fail(self, number: int, code: str, now: datetime) -> bool:
        """End the job for good, and say why by a code."""
        return await self._change(number, state="failed", error_code=code, finished_at=now)

    async def put_back(self, number: int, *, uncounted: bool) -> bool:
        """Let the job wait for its next attempt.

        Arguments:
            uncounted: whether this one shall not count as one, since only its worker had to stop.
        """
        return await self._change(number, state="queued", attempts=number - int(uncounted))

    def _mine(self, number: int) -> ColumnElement[bool]:
        return and_(self._this, Job.attempts == number, Job.state == "running")

    async def _change(self, number: int, **values: Any) -> bool:
        changed = await self.session.execute(
            update(Job).where(self._mine(number)).values(**values).execution_options(synchronize_session=False)
        )
        return bool(changed.rowcount)  # type: ignore[attr-defined]

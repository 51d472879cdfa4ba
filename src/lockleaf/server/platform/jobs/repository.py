"""The SQL of the jobs of one account."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.platform.db.keyset import select_page
from lockleaf.server.platform.db.scoped import OnSession
from lockleaf.server.platform.jobs.models import Job
from lockleaf.server.platform.paging import Page, Window

__all__ = ["UNFINISHED", "JobRepository"]

UNFINISHED = ("queued", "running")
"""The states of a job that has not ended."""


class JobRepository(OnSession):
    """The jobs of one account."""

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        super().__init__(session, user_id)
        self._mine = Job.user_id == user_id

    async def add(self, job: Job) -> None:
        """Store a new job."""
        self.session.add(job)
        await self.session.flush()

    async def get(self, job_id: UUID) -> Job | None:
        """Return a job as it is now."""
        found: Job | None = await self.session.scalar(
            select(Job).where(self._mine, Job.job_id == job_id).execution_options(populate_existing=True)
        )
        return found

    async def page(self, window: Window) -> Page[Job]:
        """Return a page of the jobs, newest first."""
        return await select_page(self.session, select(Job).where(self._mine), window, Job.job_id, descending=True)

    async def unfinished(self, kind: str) -> Job | None:
        """Return the oldest job of a kind that has not ended."""
        found: Job | None = await self.session.scalar(
            select(Job)
            .where(self._mine, Job.kind == kind, Job.state.in_(UNFINISHED))
            .order_by(Job.job_id)
            .limit(1)
            .execution_options(populate_existing=True)
        )
        return found

    async def latest(self, kind: str) -> UUID | None:
        """Return the id of the newest job of a kind."""
        found: UUID | None = await self.session.scalar(
            select(Job.job_id).where(self._mine, Job.kind == kind).order_by(Job.job_id.desc()).limit(1)
        )
        return found

    async def cancel(self, kind: str) -> int:
        """End the jobs of a kind that have not ended; return how many there were."""
        ended = await self.session.execute(
            update(Job)
            .where(self._mine, Job.kind == kind, Job.state.in_(UNFINISHED))
            .values(state="cancelled", finished_at=func.now())
            .execution_options(synchronize_session=False)
        )
        return int(ended.rowcount)  # type: ignore[attr-defined]

    async def delete_all(self) -> int:
        """Delete every job; return how many there were."""
        deleted = await self.session.execute(delete(Job).where(self._mine))
        return int(deleted.rowcount)  # type: ignore[attr-defined]

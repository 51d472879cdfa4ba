"""The rules of jobs as an account sees them: asked for, looked at, given up."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.platform.db.engine import driver
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs.errors import JobNotFound
from lockleaf.server.platform.jobs.models import Job
from lockleaf.server.platform.jobs.repository import JobRepository
from lockleaf.server.platform.paging import Paging
from lockleaf.wire import jobs as wire

__all__ = ["ATTENDED", "HOLDING", "attend", "cancel", "enqueue", "get", "latest", "list_all", "shown", "unfinished"]

ATTENDED = ("search.index", "keys.rotate")
"""The kinds of jobs that are done within their user's requests: no queue knows them."""


async def enqueue(
    session: AsyncSession, *, user_id: UUID, kind: str, arguments: dict[str, Any] | None = None, now: datetime
) -> Job:
    """Have something done later, if and only if the session's transaction commits.

    Arguments:
        kind: a name under which a handler is registered (``main/background.py``).
        arguments: what the handler needs to know. They stand in the account's row, so they hold no content and no key.
        now: the server's time.
    """
    job = Job(
        user_id=user_id,
        job_id=uuid7(now),
        kind=kind,
        state="queued",
        done=0,
        total=0,
        attempts=0,
        arguments=arguments or {},
        created_at=now,
    )
    # The row first: a statement on the driver itself, were it the first one, would stand outside of the transaction
    # that the session believes to be in, and survive its rollback.
    await JobRepository(session, user_id).add(job)
    await queue.put(await driver(session), [(kind, user_id, job.job_id)])
    return job


async def latest(session: AsyncSession, user_id: UUID, kind: str) -> UUID | None:
    """Return the id of the account's newest job of a kind, ended or not."""
    return await JobRepository(session, user_id).latest(kind)


async def attend(
    session: AsyncSession,
    *,
    user_id: UUID,
    kind: str,
    done: int,
    total: int,
    ended: bool,
    last: UUID | None,
    now: datetime,
) -> wire.Job:
    """Note how far a job is that its user's own requests do, piece by piece: no worker ever has the keys for it.

    It is the account's job of the kind that is under way, or a new one. The caller holds what keeps two from beginning.

    Arguments:
        kind: one of `ATTENDED`.
        ended: whether nothing is left to do.
        last: the job to be shown instead of a new one, where none is under way.
        now: the server's time.
    """
    repository = JobRepository(session, user_id)
    job = await repository.unfinished(kind)
    if job is None and last is not None and (job := await repository.get(last)) is not None:
        return shown(job)
    if job is None:
        job = Job(
            user_id=user_id,
            job_id=uuid7(now),
            kind=kind,
            state="running",
            attempts=1,
            arguments={},
            created_at=now,
            started_at=now,
        )
        session.add(job)
    job.done, job.total = done, total
    if ended:
        job.state, job.finished_at = "succeeded", now
    await session.flush()
    return shown(job)


async def get(session: AsyncSession, user_id: UUID, job_id: UUID) -> Job:
    """Return a job of the account.

    Raises:
        JobNotFound: it has no job with this id.
    """
    job = await JobRepository(session, user_id).get(job_id)
    if job is None:
        raise JobNotFound
    return job


async def list_all(session: AsyncSession, user_id: UUID, paging: Paging) -> wire.Jobs:
    """Return a page of the account's jobs, newest first.

    Raises:
        InvalidCursor: the cursor is not of this account's jobs.
    """
    window = paging.window("jobs", user_id, UUID)
    page = await JobRepository(session, user_id).page(window)
    return wire.Jobs(items=tuple(shown(job) for job in page.items), **window.answer(page))


async def unfinished(session: AsyncSession, user_id: UUID, kind: str) -> Job | None:
    """Return the account's job of a kind that is queued or runs."""
    return await JobRepository(session, user_id).unfinished(kind)


async def cancel(session: AsyncSession, user_id: UUID, kind: str) -> int:
    """Give up the account's jobs of a kind; return how many there were.

    One that runs at this moment commits nothing any more once this transaction has.
    """
    return await JobRepository(session, user_id).cancel(kind)


def shown(job: Job) -> wire.Job:
    """Return a job as its user sees it."""
    state: Any = job.state
    return wire.Job(
        id=job.job_id,
        kind=job.kind,
        state=state,
        progress=wire.Progress(done=job.done, total=job.total),
        error_code=job.error_code,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


async def _delete(tx: Transaction, user_id: UUID) -> int:
    return await JobRepository(tx.session, user_id).delete_all()


HOLDING = Holding("local_only", _delete)
"""The queue's own rows stay: a worker that finds no row of ours for one has nothing to do."""

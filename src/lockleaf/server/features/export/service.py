"""The rules of archives: asking for one, and fetching it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.features.export.errors import ArchiveNotFound
from lockleaf.server.features.export.models import Archive
from lockleaf.server.features.export.repository import ArchiveRepository, read_part
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.wire.jobs import Job

__all__ = ["HOLDING", "KIND", "find", "read", "request"]

KIND = "account.export"


async def request(session: AsyncSession, user_id: UUID, *, now: datetime) -> Job:
    """Have an archive made, and return the job; the one that is at it if there is one.

    Raises:
        SessionRevoked: the account was deleted a moment ago.
    """
    await accounts.lock(session, user_id)  # who asks at the same moment gets the same job
    job = await jobs.unfinished(session, user_id, KIND)
    if job is None:
        job = await jobs.enqueue(session, user_id=user_id, kind=KIND, now=now)
    return jobs.shown(job)


async def find(session: AsyncSession, user_id: UUID, job_id: UUID, *, now: datetime) -> Archive:
    """Return an archive that can be fetched.

    Raises:
        ArchiveNotFound: the account has no archive of this job, or no longer.
    """
    archive = await ArchiveRepository(session, user_id).get(job_id)
    if archive is None or archive.expires_at <= now:
        raise ArchiveNotFound
    return archive


async def read(database: Database, archive: Archive) -> AsyncIterator[bytes]:
    """Yield the archive's bytes. Between two parts, however long their reader takes, no connection is held.

    Raises:
        ArchiveNotFound: it was deleted meanwhile.
    """
    sent = part = 0
    while sent < archive.size:
        async with database.read_driver() as connection:
            data = await read_part(connection, archive.user_id, archive.job_id, part)
        if data is None:
            raise ArchiveNotFound
        yield data
        sent += len(data)
        part += 1


async def _delete(tx: Transaction, user_id: UUID) -> int:
    # The job first: one that is at it commits nothing after this, or has committed and is found below.
    await jobs.cancel(tx.session, user_id, KIND)
    return await ArchiveRepository(tx.session, user_id).delete_all()


HOLDING = Holding("full_sync", _delete)
"""An archive holds copies of what a lowered tier deletes, so it goes with them."""

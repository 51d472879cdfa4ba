"""The hourly sync: a job for each account whose connections are due, and what such a job does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from lockleaf.server.features.integrations.errors import ProviderNotConfigured
from lockleaf.server.features.integrations.pulling import PostPuller
from lockleaf.server.features.integrations.repository import IntegrationRepository
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.jobs.attempt import Attempt

__all__ = ["KIND", "handle", "sync"]

KIND = "integrations.pull"
PAGES = 50
"""Pages of one connection that one job takes over; the next one goes on."""
BATCH = 200
_DUE_AFTER = timedelta(minutes=50)

_DUE = text("""
SELECT DISTINCT user_id FROM integrations
WHERE state = 'connected' AND user_id > :after AND (pulled_at IS NULL OR pulled_at < :before)
  AND (paused_until IS NULL OR paused_until < :now)
  AND NOT EXISTS (SELECT FROM accounts a WHERE a.user_id = integrations.user_id AND a.disabled_at IS NOT NULL)
ORDER BY user_id LIMIT :batch
""")


async def sync(database: Database, clock: Clock) -> None:
    """Queue a job for each account that has a connection which is due, and that its operator has not disabled."""
    now = clock()
    after = UUID(int=0)
    while True:
        async with database.transaction() as tx:
            wanted = {"after": after, "before": now - _DUE_AFTER, "now": now, "batch": BATCH}
            due = list((await tx.session.scalars(_DUE, wanted)).all())
            for user_id in due:
                if await jobs.unfinished(tx.session, user_id, KIND) is None:
                    await jobs.enqueue(tx.session, user_id=user_id, kind=KIND, now=now)
        if len(due) < BATCH:
            return
        after = due[-1]


async def handle(attempt: Attempt) -> None:
    """Take over what is new at each connection of an account.

    One that fails does not keep the others waiting; what the first failure was is what the job ends with.
    """
    clock, puller = attempt.parts[Clock], attempt.parts[PostPuller]
    async with attempt.parts[Database].read_driver() as connection:
        found = [
            each for each in await IntegrationRepository(connection, attempt.user_id).all() if each.state == "connected"
        ]
    failure: DomainError | None = None
    for done, stored in enumerate(found):
        await attempt.progress(done, len(found))
        if stored.paused_until is not None and stored.paused_until > clock():
            continue
        try:
            await puller.pull(stored, pages=PAGES)
        except ProviderNotConfigured:
            continue
        except DomainError as error:
            failure = failure or error
    await attempt.progress(len(found), len(found))
    if failure is not None:
        raise failure

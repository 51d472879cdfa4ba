"""The one place where background work is put together: what does each kind of job, and what is due by the clock."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.analytics import archive as metrics
from lockleaf.server.features.export.jobs import handler, sweep
from lockleaf.server.features.export.service import KIND
from lockleaf.server.features.inbox import archive as inbox
from lockleaf.server.features.jobs import archive as jobs
from lockleaf.server.features.media import archive as media
from lockleaf.server.features.media import upkeep as media_upkeep
from lockleaf.server.features.search import archive as search
from lockleaf.server.identity.accounts import archive as accounts
from lockleaf.server.identity.auth import archive as auth
from lockleaf.server.identity.auth.upkeep import forget_expired
from lockleaf.server.identity.custody import archive as custody
from lockleaf.server.platform.context import Services
from lockleaf.server.platform.jobs.attempt import Handler
from lockleaf.server.platform.jobs.upkeep import forget, mend
from lockleaf.server.platform.jobs.worker import JobWorker, Schedule
from lockleaf.server.records import archive as records
from lockleaf.server.records.purge import purge

__all__ = ["HANDLERS", "SCHEDULES", "create_worker"]

FACTS = (*accounts.FACTS, *records.FACTS, *search.FACTS)
SECTIONS = (
    *records.SECTIONS,
    *inbox.SECTIONS,
    *accounts.SECTIONS,
    *auth.SECTIONS,
    *custody.SECTIONS,
    *jobs.SECTIONS,
    *metrics.SECTIONS,
    *media.SECTIONS,
)
"""What an archive of an account tells."""

HANDLERS: Mapping[str, Handler] = {KIND: handler(FACTS, SECTIONS)}
"""What does each kind of job. A kind that a worker does not know waits for one that does."""

SCHEDULES = (
    Schedule("records.purge", "17 3 * * *", purge),
    # Often: what expired is a key that an old token still fits.
    Schedule("auth.forget_expired", "*/5 * * * *", forget_expired),
    Schedule("export.sweep", "7 * * * *", sweep),
    Schedule("jobs.mend", "*/10 * * * *", mend),
    Schedule("jobs.forget", "47 4 * * *", forget),
    Schedule("media.remove_staged", "*/10 * * * *", media_upkeep.remove_staged),
    Schedule("media.forget_unfinished", "27 * * * *", media_upkeep.forget_unfinished),
    Schedule("media.purge", "37 3 * * *", media_upkeep.purge),
    Schedule("media.sweep_orphans", "7 4 * * *", media_upkeep.sweep_orphans),
)
"""What is due by the clock, in UTC. One that is missed while nobody works is done when somebody does."""


def create_worker(services: Services, database_url: str) -> JobWorker:
    """Return a worker for everything that is done in the background."""
    return JobWorker(services, database_url, handlers=HANDLERS, schedules=SCHEDULES)

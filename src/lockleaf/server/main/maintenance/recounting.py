"""Whether what is kept of how much accounts hold is what they hold, and putting it right where it is not."""

from __future__ import annotations

import asyncpg

from lockleaf.server.features.analytics.repository import USAGE as METRICS
from lockleaf.server.features.inbox.repository import USAGE as INBOX
from lockleaf.server.features.media.repository import USAGE as MEDIA
from lockleaf.server.features.search.service import USAGE as INDEX
from lockleaf.server.main.maintenance.findings import Finding, Surroundings, good, problem, skipped
from lockleaf.server.records import usage

__all__ = ["KINDS", "recount", "usage_is_kept"]

KINDS = (usage.OF_RECORDS, INDEX, MEDIA, METRICS, INBOX)


async def usage_is_kept(found: Surroundings) -> Finding:
    """Compare what is kept with a count of everything."""
    if found.connection is None or not await found.has("heads"):
        return skipped()
    wrong = await usage.differences(found.connection, KINDS)
    if not wrong:
        return good("what is kept of how much each account holds is what it holds")
    accounts = len({each.user_id for each in wrong})
    return problem(
        f"of {accounts:,} accounts something else is kept than they hold, so their quotas are wrong",
        "lockleaf admin recount",
    )


async def recount(connection: asyncpg.Connection) -> list[usage.Difference]:
    """Put right what differs, while people write; return what it was."""
    return await usage.repair(connection, KINDS)

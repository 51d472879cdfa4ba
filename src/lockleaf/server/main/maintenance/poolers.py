"""The check of what stands between the server and its database."""

from __future__ import annotations

import asyncpg

from lockleaf.server.main.maintenance.findings import Finding, Surroundings, good, problem, skipped, warning
from lockleaf.server.platform.db.pooler import connect_query, is_in_between, shares_sessions, unset_settings
from lockleaf.server.platform.db.unusable import BEHIND_A_POOLER

__all__ = ["pooler"]


async def pooler(found: Surroundings) -> Finding:
    """Say whether requests go by a pooler, and whether that one and the way around it are set up."""
    given = found.settings.database
    if found.connection is None:
        return skipped()
    if given.url is not None and await shares_sessions(given.url.get_secret_value()):
        return problem("DATABASE_URL leads to a pooler in transaction mode", BEHIND_A_POOLER)
    if given.pooler_url is None:
        if await is_in_between(found.connection):
            return warning(
                "DATABASE_URL leads to a pooler",
                "It must pool sessions, not transactions. One that pools transactions belongs in "
                "LOCKLEAF_DATABASE__POOLER_URL, and PostgreSQL itself in DATABASE_URL.",
            )
        return good("there is none; requests go to PostgreSQL itself")
    distributed = found.connection.distributed
    try:
        unset = await unset_settings(given, distributed=distributed)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return problem(
            "the pooler of LOCKLEAF_DATABASE__POOLER_URL cannot be used",
            "See that it runs, that it knows this database and this user, and what it logs.",
        )
    if unset:
        return warning(
            f"the pooler's sessions lack settings: {', '.join(unset)}",
            f"Give its entry of the database connect_query='{connect_query(given, distributed=distributed)}'",
        )
    return good("requests go by a pooler, whose sessions are set up")

"""What an operator's doctor finds: each check is a function that says how one thing is, and what to do about it.

`health.py` has the checks of the database, `poolers.py` that of a pooler before it, `place.py` those of the machine.
The list in `CHECKS` is the only one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import asyncpg

from lockleaf.server.main.maintenance import health, place, poolers
from lockleaf.server.main.maintenance.findings import Finding, Surroundings, problem
from lockleaf.server.main.maintenance.recounting import usage_is_kept

__all__ = ["CHECKS", "examine_server"]

PATIENCE_SECONDS = 60.0

Check = Callable[[Surroundings], Awaitable[Finding]]

CHECKS: Mapping[str, Check] = {
    "settings": place.settings,
    "secrets": place.secrets,
    "permissions": place.permissions,
    "disk": place.disk,
    "database": health.database,
    "pooler": poolers.pooler,
    "schema": health.schema,
    "clock": health.clock,
    "connections": health.connections,
    "locks": health.locks,
    "queue": health.queue,
    "store": place.store,
    "files": health.files,
    "backup": health.backup,
    "usage": usage_is_kept,
    "leftovers": health.leftovers,
}
"""Checks by name, in the order in which they are told."""


async def examine_server(found: Surroundings) -> list[tuple[str, Finding]]:
    """Do every check, one after the other; one that fails itself is a finding too."""
    return [(name, await _checked(check, found)) for name, check in CHECKS.items()]


async def _checked(check: Check, found: Surroundings) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check(found)
    except TimeoutError:
        return problem("it took longer than a minute to find out", "See whether disk and database are busy.")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # Its text may quote an address or a value.
        return problem(
            f"it could not be found out ({type(error).__name__})", "Repair what is named above first, and run it again."
        )

"""The SQL of lists of metrics: what they are, when and how large, without their ciphertexts."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from lockleaf.server.platform.db.keyset import fetch_page
from lockleaf.server.platform.paging import Page, Window

__all__ = ["any_at_all", "packs", "values"]

_VALUES = """
SELECT metric_id, metric_type, parameter_set, at,
  octet_length(ciphertext) + coalesce(octet_length(square), 0) AS size
FROM metrics WHERE user_id = $1
"""

_PACKS = """
SELECT parameter_set, layout, month, octet_length(ciphertext) AS size, additions
FROM metric_packs WHERE user_id = $1
"""

# Of all accounts, and so of all nodes, each of which looks for one row.
_ANY = ("SELECT true FROM metrics LIMIT 1", "SELECT true FROM metric_packs LIMIT 1")


async def values(
    connection: asyncpg.Connection, user_id: UUID, window: Window, *, metric_type: str | None
) -> Page[asyncpg.Record]:
    """Return a page of single values, by time and id."""
    if metric_type is None:
        return await fetch_page(connection, _VALUES, (user_id,), window, "at", "metric_id")
    of_type = _VALUES + "AND metric_type = $2"
    return await fetch_page(connection, of_type, (user_id, metric_type), window, "at", "metric_id")


async def packs(connection: asyncpg.Connection, user_id: UUID, window: Window) -> Page[asyncpg.Record]:
    """Return a page of accumulators, by parameter set, layout and month."""
    return await fetch_page(connection, _PACKS, (user_id,), window, "parameter_set", "layout", "month")


async def any_at_all(connection: asyncpg.Connection) -> bool:
    """Tell whether any account has metrics."""
    for statement in _ANY:
        if await connection.fetchval(statement):
            return True
    return False

"""What is asked of the search indexes of several accounts at once; all else is asked of one."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import asyncpg

__all__ = ["having_index"]

_HAVING = "SELECT user_id FROM search_indexes WHERE user_id = ANY ($1) AND enabled"


async def having_index(connection: asyncpg.Connection, user_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts for which an index was switched on."""
    return {row["user_id"] for row in await connection.fetch(_HAVING, list(user_ids))}

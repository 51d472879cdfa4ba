"""While a backup runs nothing is deleted from the object store: what its snapshot names is still to be copied."""

from __future__ import annotations

import asyncpg

__all__ = ["BACKUP_LOCK", "is_held"]

BACKUP_LOCK = 0x6C6F636B62616B75
"""The advisory lock that a backup holds as long as it runs; one at a time."""

# Both halves of the number as PostgreSQL shows them. Advisory locks are of one database, and so is this.
_HELD = """
SELECT EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = $1::bigint >> 32 AND objid::bigint = $1::bigint & 4294967295
)
"""


async def is_held(connection: asyncpg.Connection) -> bool:
    """Tell whether a backup runs.

    To be asked behind what was looked up to be deleted: a backup that begins later does not see what was forgotten by
    then, and names none of it.
    """
    held: bool = await connection.fetchval(_HELD, BACKUP_LOCK)
    return held

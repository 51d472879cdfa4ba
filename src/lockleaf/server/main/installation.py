"""What a database says of itself: whether it is for development, and so may be emptied by a command."""

from __future__ import annotations

from lockleaf.server.main.tables import metadata
from lockleaf.server.platform.db.connections import asyncpg_url, connect

__all__ = ["empty", "is_for_development", "mark_for_development"]

_MARK = """
INSERT INTO installation (name, value)
SELECT 'environment', 'development' WHERE NOT EXISTS (SELECT FROM accounts)
ON CONFLICT (name) DO NOTHING
"""
_IS_MARKED = "SELECT EXISTS (SELECT FROM installation WHERE name = 'environment' AND value = 'development')"
_QUEUE = ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics")


async def mark_for_development(url: str) -> None:
    """Mark the database at ``url``, unless somebody has an account in it: what is in use is never made disposable."""
    connection = await connect(asyncpg_url(url))
    try:
        await connection.execute(_MARK)
    finally:
        await connection.close()


async def is_for_development(url: str) -> bool:
    """Tell whether the database at ``url`` is marked."""
    connection = await connect(asyncpg_url(url))
    try:
        marked: bool = await connection.fetchval(_IS_MARKED)
        return marked
    finally:
        await connection.close()


async def empty(url: str) -> int:
    """Delete everything in the database at ``url`` but its mark, if it has one; return how many accounts there were.

    The mark is asked for in the same transaction.

    Raises:
        PermissionError: the database is not marked.
    """
    connection = await connect(asyncpg_url(url))
    try:
        async with connection.transaction():
            if not await connection.fetchval(_IS_MARKED):
                raise PermissionError
            accounts: int = await connection.fetchval("SELECT count(*) FROM accounts")
            tables = [*(name for name in metadata.tables if name != "installation"), *_QUEUE]
            await connection.execute(f"TRUNCATE {', '.join(tables)}")
            return accounts
    finally:
        await connection.close()

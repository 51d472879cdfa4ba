"""A connection pooler such as PgBouncer before the database: whether there is one, and what it has to be told.

One that gives each transaction another session loses what belongs to a session: LISTEN, advisory locks, prepared
statements, settings. Requests and jobs can do without, on connections made for it (`engine.py`); what listens or holds
locks goes to PostgreSQL itself.
"""

from __future__ import annotations

import asyncpg

from lockleaf.server.platform.db.engine import asyncpg_url, session_settings
from lockleaf.server.platform.settings import DatabaseSettings

__all__ = ["connect_query", "is_in_between", "shares_sessions", "unset_settings"]


def connect_query(settings: DatabaseSettings, *, distributed: bool = False) -> str:
    """Return the statements by which a pooler's sessions get the settings that requests need."""
    wanted = session_settings(settings, distributed=distributed)
    return "; ".join(f"SET {name} = {value}" for name, value in wanted.items())


async def is_in_between(connection: asyncpg.Connection) -> bool:
    """Tell whether a pooler stands before the server: it gives its clients made-up process ids, to cancel by."""
    backend: int = await connection.fetchval("SELECT pg_backend_pid()")
    return backend != int(connection.get_server_pid())


async def shares_sessions(url: str) -> bool:
    """Tell whether two connections to ``url`` were seen on one session, as in PgBouncer's transaction mode.

    False is no proof of the opposite where others use the pooler at that moment. A pooler that knows no more settings
    than its own refuses with `ProtocolViolationError`.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: it cannot be asked.
    """
    # With a setting, as the server's own connections come: a pooler may refuse them for it.
    own = {"jit": "off"}
    one = await asyncpg.connect(asyncpg_url(url), timeout=10, statement_cache_size=0, server_settings=own)
    try:
        if not await is_in_between(one):
            return False
        other = await asyncpg.connect(asyncpg_url(url), timeout=10, statement_cache_size=0)
        try:
            pids: list[int] = [await each.fetchval("SELECT pg_backend_pid()") for each in (one, other)]
        finally:
            await other.close()
        return pids[0] == pids[1]
    finally:
        await one.close()


async def unset_settings(settings: DatabaseSettings, *, distributed: bool = False) -> list[str]:
    """Return the settings that sessions behind the pooler should have, and do not have.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: it cannot be asked.
    """
    assert settings.pooler_url is not None
    wanted = session_settings(settings, distributed=distributed)
    url = asyncpg_url(settings.pooler_url.get_secret_value())
    connection = await asyncpg.connect(url, timeout=10, statement_cache_size=0)
    try:
        # In the unit that they are kept in, which is milliseconds for times.
        rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY ($1)", list(wanted))
    finally:
        await connection.close()
    present = {row["name"]: row["setting"] for row in rows}
    return [name for name, value in wanted.items() if present.get(name) != value]

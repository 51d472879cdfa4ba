"""Finishing a restore: a database that was put back is served only in new epochs.

The restore leaves a mark in the transaction that puts the database back, and takes it away when all accounts have their
new epoch. What was interrupted in between is finished by whoever starts a server on it.
"""

from __future__ import annotations

from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.records.restores import Declared, declare_restored

__all__ = ["MARK", "finish"]

MARK = "restored"
"""The fact of an installation that says that it was put back, and to when."""


async def finish(url: str) -> Declared | None:
    """Begin the new epochs of a database that was put back; None where that is done, or was not necessary.

    The database has the schema of this version.
    """
    connection = await connect(asyncpg_url(url), timeout=20)
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM installation WHERE name = $1)", MARK):
            return None
        declared = await declare_restored(url)
        await connection.execute("DELETE FROM installation WHERE name = $1", MARK)
        return declared
    finally:
        await connection.close()

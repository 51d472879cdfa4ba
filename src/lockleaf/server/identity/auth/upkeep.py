"""Forgetting sessions whose time is over, and the keys that were sealed for them."""

from __future__ import annotations

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.by_account import executed, in_batches, whose
from lockleaf.server.platform.db.engine import Database

__all__ = ["forget_expired"]

# Rows that were locked are found again by where they are (``ctid``).
_EXPIRED = """
DELETE FROM {table} WHERE user_id = $1 AND ctid = ANY (ARRAY(
  SELECT ctid FROM {table} WHERE user_id = $1 AND expires_at <= $3 LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
_STATEMENTS = [
    (whose(table, "expires_at <= $3", "expires_at"), _EXPIRED.format(table=table))
    for table in ("sessions", "session_keys")
]


async def forget_expired(clock: Clock, database: Database) -> None:
    """Delete the sessions that have expired, and the sealed keys of generations whose tokens have."""
    now = clock()
    for due, statement in _STATEMENTS:
        await in_batches(database, due, (now,), executed(statement, now))

"""Forgetting sessions whose time is over, and the keys that were sealed for them."""

from __future__ import annotations

from sqlalchemy import text

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database

__all__ = ["forget_expired"]

BATCH = 1000

# Rows that were locked are found again by where they are (``ctid``): a plan that looked them up by name might read a
# whole table for a few.
_EXPIRED = (
    text("""
DELETE FROM sessions WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM sessions WHERE expires_at <= :now ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
))
"""),
    text("""
DELETE FROM session_keys WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM session_keys WHERE expires_at <= :now ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
))
"""),
)


async def forget_expired(clock: Clock, database: Database) -> None:
    """Delete the sessions that have expired, and the sealed keys of generations whose tokens have."""
    now = clock()
    for statement in _EXPIRED:
        deleted = BATCH
        while deleted == BATCH:
            async with database.transaction() as tx:
                result = await tx.session.execute(statement, {"now": now, "batch": BATCH})
                deleted = result.rowcount  # type: ignore[attr-defined]

"""Forgetting questions that nobody answered, and factors that were begun and not confirmed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database

__all__ = ["forget_unanswered"]

BATCH = 1000
_BEGUN_FOR = timedelta(days=1)

_CHALLENGES = text("""
DELETE FROM factor_challenges WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM factor_challenges WHERE expires_at <= :until ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
))
""")
_BEGUN = text("""
DELETE FROM factors WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM factors WHERE confirmed_at IS NULL AND created_at <= :until
  ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED
))
""")


async def forget_unanswered(clock: Clock, database: Database) -> None:
    """Delete challenges whose time is over, and factors that were begun a day ago."""
    now = clock()
    for statement, until in ((_CHALLENGES, now), (_BEGUN, now - _BEGUN_FOR)):
        deleted = BATCH
        while deleted == BATCH:
            async with database.transaction() as tx:
                result = await tx.session.execute(statement, {"until": until, "batch": BATCH})
                deleted = result.rowcount  # type: ignore[attr-defined]

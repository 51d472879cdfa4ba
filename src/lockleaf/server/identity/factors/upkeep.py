"""Forgetting questions that nobody answered, and factors that were begun and not confirmed."""

from __future__ import annotations

from datetime import timedelta

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.by_account import executed, in_batches, whose
from lockleaf.server.platform.db.engine import Database

__all__ = ["forget_unanswered"]

_BEGUN_FOR = timedelta(days=1)

_UNANSWERED = whose("factor_challenges", "expires_at <= $3", "expires_at")
_CHALLENGES = """
DELETE FROM factor_challenges WHERE user_id = $1 AND ctid = ANY (ARRAY(
  SELECT ctid FROM factor_challenges WHERE user_id = $1 AND expires_at <= $3 LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
_UNCONFIRMED = whose("factors", "confirmed_at IS NULL AND created_at <= $3", "created_at")
_BEGUN = """
DELETE FROM factors WHERE user_id = $1 AND ctid = ANY (ARRAY(
  SELECT ctid FROM factors WHERE user_id = $1 AND confirmed_at IS NULL AND created_at <= $3
  LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""


async def forget_unanswered(clock: Clock, database: Database) -> None:
    """Delete challenges whose time is over, and factors that were begun a day ago."""
    now = clock()
    begun = now - _BEGUN_FOR
    await in_batches(database, _UNANSWERED, (now,), executed(_CHALLENGES, now))
    await in_batches(database, _UNCONFIRMED, (begun,), executed(_BEGUN, begun))

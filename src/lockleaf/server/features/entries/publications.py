"""What stands in an entry's history beside its revisions: that it was published, to whom its server helped it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import delete

from lockleaf.server.features.entries.models import EntryPublication
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding

__all__ = ["HOLDING", "Publication", "between", "note"]

_NOTE = """
INSERT INTO entry_publications (user_id, entry_id, publication_id, revision, published_at)
SELECT $1, $2::uuid, $3, r.revision, $4 FROM records r
WHERE r.user_id = $1 AND r.collection = 'entries' AND r.record_id = $5
ON CONFLICT DO NOTHING
"""
_BETWEEN = """
SELECT revision, published_at FROM entry_publications
WHERE user_id = $1 AND entry_id = $2 AND revision BETWEEN $3 AND $4 ORDER BY published_at
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """That an entry was published, as it stood in a revision."""

    revision: int
    at: datetime


async def note(
    connection: asyncpg.Connection, user_id: UUID, entry_id: UUID, publication_id: UUID, *, at: datetime
) -> None:
    """Note that an entry, as it is now, was published; the same publication is noted once."""
    await connection.execute(_NOTE, user_id, entry_id, publication_id, at, str(entry_id))


async def between(
    connection: asyncpg.Connection, user_id: UUID, entry_id: UUID, first: int, last: int
) -> Sequence[Publication]:
    """Return what was published of some revisions of an entry, in its order."""
    rows = await connection.fetch(_BETWEEN, user_id, entry_id, first, last)
    return [Publication(row["revision"], row["published_at"]) for row in rows]


async def _delete(tx: Transaction, user_id: UUID) -> int:
    done = await tx.session.execute(delete(EntryPublication).where(EntryPublication.user_id == user_id))
    return int(done.rowcount)  # type: ignore[attr-defined]


HOLDING = Holding("full_sync", _delete)

"""Reading the history: pages of changes in seq order, each from one snapshot of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.db.engine import driver
from lockleaf.wire.sync import MAX_BATCH_BYTES

__all__ = ["EpochRow", "Page", "read", "read_end"]


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch, and where it goes on from."""

    epoch: str
    from_seq: int
    from_head: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Changes in seq order, and the end of the history, as of one moment."""

    changes: list[dict[str, Any]]
    epoch: str
    seq: int
    head: bytes
    epochs: list[EpochRow]
    has_more: bool
    last_seq: int


# One statement, hence one snapshot: what it calls the latest revision is the latest at the very `seq` that it reports,
# without which an honest page could look like a dishonest one. A page ends at its limit of changes or, since payloads
# may be of 1 MiB, of bytes; `octet_length` reads the size of a stored value without reading the value.
_PAGE = """
SELECT h.epoch, h.seq AS end_seq, h.head,
  (SELECT array_agg(ROW(e.epoch, e.from_seq, e.from_head) ORDER BY e.from_seq, e.created_at) FROM epochs e
   WHERE e.user_id = h.user_id) AS epochs,
  p.*
FROM heads h LEFT JOIN LATERAL (
  SELECT * FROM (
    SELECT c.seq, c.collection, c.record_id, c.revision, c.parent, c.deleted, c.meta, c.payload_hash,
      r.payload, r.labels, r.source, r.occurred_text, r.device_id, r.client_updated_at, r.created_at, r.updated_at,
      sum(octet_length(r.payload)) OVER (ORDER BY c.seq) - coalesce(octet_length(r.payload), 0) AS bytes_before
    FROM (
      SELECT * FROM changes c WHERE c.user_id = $1 AND c.seq > $2 {narrowed} ORDER BY c.seq LIMIT $3
    ) c LEFT JOIN records r ON r.user_id = $1 AND r.seq = c.seq
  ) AS sized WHERE bytes_before IS NULL OR bytes_before < $4
) AS p ON true
WHERE h.user_id = $1
ORDER BY p.seq
"""
_WHOLE = _PAGE.format(narrowed="")
_ONE_COLLECTION = _PAGE.format(narrowed="AND c.collection = $5")

_END = """
SELECT h.seq, (SELECT count(*) FROM conflicts c WHERE c.user_id = $1 AND c.resolved_at IS NULL) AS conflicts
FROM heads h WHERE h.user_id = $1
"""

_LEAF = ("seq", "collection", "record_id", "revision", "parent", "meta", "payload_hash", "deleted")
_RECORD = (
    "seq",
    "collection",
    "record_id",
    "revision",
    "parent",
    "payload",
    "deleted",
    "labels",
    "source",
    "device_id",
    "client_updated_at",
    "created_at",
    "updated_at",
)


async def read(
    session: AsyncSession, user_id: UUID, *, after: int, limit: int, collection: str | None = None
) -> Page | None:
    """Return the changes behind ``after``, at most ``limit`` of them and 8 MiB of payloads (but at least one change).

    The latest revision of a record comes whole, a superseded one as the preimage of its leaf. None where the account
    has no store.
    """
    connection = await driver(session)
    if collection is None:
        rows = await connection.fetch(_WHOLE, user_id, after, limit, MAX_BATCH_BYTES)
    else:
        rows = await connection.fetch(_ONE_COLLECTION, user_id, after, limit, MAX_BATCH_BYTES, collection)
    if not rows:
        return None
    first = rows[0]
    changes = [_change(row) for row in rows] if first["seq"] is not None else []
    last_seq = changes[-1]["seq"] if changes else after
    # Narrowed to one collection, an empty page says that nothing of it follows; a page before that may be the last.
    more = last_seq < first["end_seq"] and (collection is None or bool(changes))
    return Page(
        changes=changes,
        epoch=first["epoch"],
        seq=first["end_seq"],
        head=first["head"],
        epochs=[EpochRow(*epoch) for epoch in first["epochs"] or ()],
        has_more=more,
        last_seq=last_seq,
    )


def _change(row: Any) -> dict[str, Any]:
    if row["payload"] is None:
        return {"superseded": True, **{name: row[name] for name in _LEAF}}
    change = {"superseded": False, **{name: row[name] for name in _RECORD}}
    if row["occurred_text"] is not None:
        change["occurred_at"] = row["occurred_text"]
    return change


async def read_end(session: AsyncSession, user_id: UUID) -> tuple[int, int]:
    """Return the seq at which the history ends, and how many conflicts are open; zeros without a store."""
    row = await (await driver(session)).fetchrow(_END, user_id)
    return (0, 0) if row is None else (row["seq"], row["conflicts"])

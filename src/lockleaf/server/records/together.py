"""Pushes of several accounts in one transaction: their heads locked in one order, one statement, one commit.

What is simple goes together: changes that follow the present revisions, or were applied before, or are refused for what
they are. All else is left to the way on which a push goes alone: one that meets another, one of an account whose store
is not there. One of an account whose head somebody holds is left until that head has been waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

import asyncpg

from lockleaf.server.records.batches import Accepted, Batch, write_together
from lockleaf.server.records.comparison import Comparison
from lockleaf.server.records.outcomes import Pushed
from lockleaf.server.records.policy import sync_policy
from lockleaf.server.records.quota import Quota
from lockleaf.server.records.repository import State
from lockleaf.wire.sync import Change

__all__ = ["Left", "Part", "push_together", "wait_for_head"]


class Left(Enum):
    """Why a push was not written with the others."""

    ALONE = "alone"
    """Some of it needs more than they do."""
    HELD = "held"
    """Somebody holds the head of its account, or there is none."""


@dataclass(frozen=True, slots=True)
class Part:
    """The changes of one push.

    Attributes:
        epoch: the one that the sender knows, if it says so.
    """

    user_id: UUID
    changes: Sequence[Change]
    epoch: str | None


@dataclass(slots=True)
class _Store:
    """The end of an account's history, as it moves from push to push, and the records in question."""

    epoch: str
    seq: int
    head: bytes
    key_id: int
    left: int | None
    states: dict[tuple[str, str], State] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    added: int = 0


# As the statement that opens one store, but that it waits for nobody: of a head that is held, or that moved while this
# statement began, it tells nothing.
_OPEN = """
WITH locked AS MATERIALIZED (
  SELECT user_id, epoch, seq, head, key_id, record_bytes + index_bytes + media_bytes + metric_bytes AS used
  FROM heads WHERE user_id = ANY ($4) ORDER BY user_id FOR UPDATE SKIP LOCKED
)
SELECT l.user_id, l.epoch, l.seq AS end_seq, l.head, l.key_id AS newest_key_id, l.used, a.quota_bytes,
  w.collection, w.record_id, r.revision, r.seq, r.payload_hash, r.created_at, r.key_id, octet_length(r.packed) AS size
FROM locked l
JOIN heads h ON h.user_id = l.user_id AND h.epoch = l.epoch AND h.seq = l.seq
JOIN accounts a ON a.user_id = l.user_id AND a.privacy_tier = 'full_sync'
JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS w(user_id, collection, record_id) ON w.user_id = l.user_id
LEFT JOIN LATERAL (
  SELECT * FROM records r
  WHERE r.user_id = l.user_id AND r.collection = w.collection AND r.record_id = w.record_id OFFSET 0
) r ON true
"""


# Who had to wait for the head sees it moved from where it was when the statement began.
_WAIT = """
WITH locked AS MATERIALIZED (SELECT epoch, seq FROM heads WHERE user_id = $1 FOR UPDATE)
SELECT (SELECT ROW(h.epoch, h.seq) FROM heads h WHERE h.user_id = $1) <> ROW(l.epoch, l.seq) FROM locked l
"""


async def wait_for_head(connection: asyncpg.Connection, user_id: UUID) -> bool:
    """Lock the end of an account's history until the transaction ends; tell whether somebody wrote it meanwhile."""
    return bool(await connection.fetchval(_WAIT, user_id))


async def push_together(
    connection: asyncpg.Connection, parts: Sequence[Part], quota: Quota, *, now: datetime, most_bytes: int
) -> list[Pushed | Left]:
    """Apply pushes, in order; return what became of each, or why it was left.

    Arguments:
        quota: how much each account may hold.
        now: the server's time.
        most_bytes: how long a payload may be; one that replaces a longer one may be as long as that.
    """
    stores = await _open(connection, parts, quota)
    pushed = [_compared(stores.get(part.user_id), part, now=now, most_bytes=most_bytes) for part in parts]
    batches = [
        Batch(user_id, each.accepted, each.head, each.key_id, each.added)
        for user_id, each in stores.items()
        if each.accepted
    ]
    if batches:
        await write_together(connection, batches, now=now)
    return pushed


def _compared(store: _Store | None, part: Part, *, now: datetime, most_bytes: int) -> Pushed | Left:
    if store is None:
        return Left.HELD
    if part.epoch not in (None, store.epoch):
        return Left.ALONE
    states = dict(store.states)
    comparison = Comparison(part.changes, store.seq, store.head, states, now, store.left, store.key_id, most_bytes)
    comparison.compare(sync_policy)
    if comparison.late:
        return Left.ALONE
    store.states, store.seq, store.head = states, comparison.seq, comparison.head
    store.accepted += comparison.accepted
    store.added += comparison.added
    store.left = comparison.quota
    return Pushed(
        comparison.outcomes, store.epoch, comparison.seq, comparison.head, now, moved=bool(comparison.accepted)
    )


async def _open(connection: asyncpg.Connection, parts: Sequence[Part], quota: Quota) -> dict[UUID, _Store]:
    keys = dict.fromkeys((part.user_id, each.collection, each.record_id) for part in parts for each in part.changes)
    columns = [list(column) for column in zip(*keys, strict=True)]
    stores: dict[UUID, _Store] = {}
    for row in await connection.fetch(_OPEN, *columns, sorted({part.user_id for part in parts})):
        store = stores.get(row["user_id"])
        if store is None:
            left = quota.left(given=row["quota_bytes"], used=row["used"])
            store = _Store(row["epoch"], row["end_seq"], row["head"], row["newest_key_id"], left)
            stores[row["user_id"]] = store
        if row["seq"] is not None:
            store.states[row["collection"], row["record_id"]] = State(
                row["revision"], row["seq"], row["payload_hash"], row["created_at"], row["key_id"], row["size"]
            )
    return stores

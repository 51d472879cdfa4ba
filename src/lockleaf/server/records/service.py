"""The rules of the store: what a change must follow, where it comes in the history, what becomes of it otherwise.

Everything here runs within one transaction that somebody else commits, and behind the lock of the account's head: what
was read stays true until the commit, and a reader of the feed can never see a number before a smaller one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.server.platform.tiers import TierRequired
from lockleaf.server.records.batches import Batch, write
from lockleaf.server.records.comparison import Comparison
from lockleaf.server.records.errors import EpochChanged
from lockleaf.server.records.outcomes import Pushed
from lockleaf.server.records.policy import RecordPolicy, sync_policy
from lockleaf.server.records.repository import RecordRepository, not_accepted
from lockleaf.server.records.store import (
    Emptied,
    End,
    delete_all,
    empty,
    lock,
    lock_end,
    open_store,
    require_seals,
    retire,
    statistics,
)
from lockleaf.wire.sync import MAX_PAYLOAD_BYTES, Change

__all__ = [
    "Emptied",
    "End",
    "delete_all",
    "empty",
    "lock",
    "lock_end",
    "not_accepted",
    "open_store",
    "push",
    "require_seals",
    "retire",
    "statistics",
]


async def push(
    connection: asyncpg.Connection,
    user_id: UUID,
    changes: Sequence[Change],
    *,
    now: datetime,
    atomic: bool = False,
    policy: Callable[[str], RecordPolicy] = sync_policy,
    epoch: str | None = None,
    quota: int | None = None,
    most_bytes: int = MAX_PAYLOAD_BYTES,
) -> Pushed:
    """Apply a batch of changes, in order, each if it follows the current revision of its record.

    Arguments:
        changes: at most 500; a later one may follow an earlier one of the same batch.
        now: the server's time.
        atomic: write nothing unless every change is applied or was before.
        policy: gives the rules of the endpoint that the changes come through, for each collection.
        epoch: the one that the sender knows, if it says so.
        quota: how many bytes may be added; None for any number. Each change that has none is rejected, and the others
            go on. Deletions need none.
        most_bytes: how long a payload may be; one that replaces a longer one may be as long as that.

    Raises:
        EpochChanged: the account has another one by now.
        TierRequired: the account's tier holds no records.
    """
    repository = RecordRepository(connection, user_id)
    store = await repository.open(_keys(changes))
    # Asked behind the lock: a tier that was lowered a moment ago must not find new records after its deletion.
    if store is None or store.tier != "full_sync":
        raise TierRequired(required="full_sync")
    if epoch is not None and epoch != store.epoch:
        raise EpochChanged(**await repository.epoch_facts(store.epoch))
    batch = Comparison(changes, store.seq, store.head, store.states, now, quota, store.key_id, most_bytes)
    batch.compare(policy)
    await batch.recognise_retries(repository)
    if atomic and any(outcome.status in ("conflict", "rejected") for outcome in batch.outcomes):
        batch.refuse()
    if batch.accepted:
        await write(connection, Batch(user_id, batch.accepted, batch.head, store.key_id, batch.added), now=now)
    kept = not batch.refused and await batch.keep_conflicts(repository)
    await batch.attach_current(repository)
    return Pushed(batch.outcomes, store.epoch, batch.seq, batch.head, now, moved=bool(batch.accepted) or kept)


def _keys(changes: Sequence[Change]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((change.collection, change.record_id) for change in changes))

"""The one path by which the diary's door writes: behind the lock of the history, and all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lockleaf.server.features.entries.errors import EntryNotFound
from lockleaf.server.features.search import indexer as search
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import LimitSettings
from lockleaf.server.records import service as records
from lockleaf.server.records.errors import refusal
from lockleaf.server.records.policy import RecordPolicy, bytes_needed, endpoint_policy
from lockleaf.server.records.quota import Quota
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Change, Record, pack_record

__all__ = ["COLLECTION", "Written", "held_entry", "write"]

COLLECTION = "entries"


async def held_entry(tx: Transaction, principal: Principal, entry_id: UUID) -> Record:
    """Return an entry as it stays until the transaction ends; a deleted one too.

    Raises:
        EntryNotFound: there is no such entry.
    """
    held = await records.hold(tx.connection, principal.user_id, COLLECTION, str(entry_id))
    if held is None:
        raise EntryNotFound
    return held


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a change to an entry.

    Attributes:
        record: the entry as it is now, if the change was made.
        repeats: the revision that it had made before, if it was sent again. Neither: it follows another revision.
    """

    record: Record | None = None
    repeats: int | None = None


async def write(
    tx: Transaction,
    clock: Clock,
    limits: LimitSettings,
    quota: Quota,
    metrics: Metrics,
    custodian: Custodian,
    principal: Principal,
    held: Record | None,
    changes: Sequence[Change],
    *,
    keys: OpenKeyring | None = None,
    content: Mapping[str, Any] | None = None,
    policy: Callable[[str], RecordPolicy] = endpoint_policy,
) -> Written:
    """Write a change to an entry, with the changes to its tags behind it, and wake the account's listeners.

    The search index follows.

    Arguments:
        held: the entry before, behind the lock of the history; None for a new one.
        policy: the rules of the payloads.
        keys, content: the open room and what the change seals, where the server sealed it.

    Raises:
        PayloadTooLarge: the entry is larger than a record may be.
        ChangeRejected, KeyRetired: the store does not take it.
        QuotaExceeded: there is no room for it.
    """
    now = clock()
    pushed = await records.push(
        tx.connection,
        principal.user_id,
        changes,
        now=now,
        atomic=len(changes) > 1,
        policy=policy,
        most_bytes=limits.record_bytes,
    )
    outcome = pushed.outcomes[0]
    metrics.changes.labels(outcome.status).inc()
    if outcome.status == "rejected":
        raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
    if outcome.status == "conflict":
        return Written()
    if outcome.status == "unchanged":
        return Written(repeats=outcome.revision)
    if pushed.moved:
        added = sum(map(bytes_needed, changes))
        await quota.require_after(tx.connection, principal.user_id, added)
        tx.wake(principal.user_id)
    contents = None if content is None else {changes[0].record_id: content}
    await search.follow(
        tx.connection, clock, custodian, principal, changes, pushed.outcomes, keys=keys, contents=contents
    )
    packed = pack_record(
        changes[0], seq=outcome.seq or 0, created_at=now if held is None else held.created_at, updated_at=now
    )
    return Written(record=Record.model_validate(unpack(packed)))

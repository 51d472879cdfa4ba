"""The one path by which the diary's door writes: behind the lock of the history, and all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from lockleaf.server.features.entries.errors import EntryNotFound
from lockleaf.server.identity.custody.keyrings import OpenedContent
from lockleaf.server.records.errors import refusal
from lockleaf.server.records.policy import RecordPolicy, endpoint_policy
from lockleaf.server.records.writer import AccountRecords, as_written
from lockleaf.wire.sync import Change, Record

__all__ = ["COLLECTION", "Written", "held_entry", "write"]

COLLECTION = "entries"


async def held_entry(store: AccountRecords, entry_id: UUID) -> Record:
    """Return an entry as it stays until the transaction ends; a deleted one too.

    Raises:
        EntryNotFound: there is no such entry.
    """
    held = await store.current(COLLECTION, str(entry_id))
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
    store: AccountRecords,
    held: Record | None,
    changes: Sequence[Change],
    *,
    opened: OpenedContent | None = None,
    policy: Callable[[str], RecordPolicy] = endpoint_policy,
) -> Written:
    """Write a change to an entry, with the changes to its tags behind it.

    Arguments:
        held: the entry before, behind the lock of the history; None for a new one.
        opened: the open keys and what the change seals, where the server sealed it.
        policy: the rules of the payloads.

    Raises:
        PayloadTooLarge: the entry is larger than a record may be.
        ChangeRejected, KeyRetired: the store does not take it.
        QuotaExceeded: there is no room for it.
    """
    pushed = await store.put(changes, atomic=len(changes) > 1, policy=policy, opened=opened)
    outcome = pushed.outcomes[0]
    if outcome.status == "rejected":
        raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
    if outcome.status == "conflict":
        return Written()
    if outcome.status == "unchanged":
        return Written(repeats=outcome.revision)
    return Written(record=as_written(changes[0], outcome, pushed.at, held))

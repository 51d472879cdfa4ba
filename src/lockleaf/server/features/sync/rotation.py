"""Sealing again, after a rotation, what a retired key sealed: in a uce account, in slices, each within a request.

It is what a device does by `lockleaf.client.resealing`, for clients that have no keys; both may be at it at once. What
remains is told by the key ids of what is stored, so a slice that is cut short commits nothing and is lost to nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.server.features.content.plain import SEEN, labels_of
from lockleaf.server.features.sync.resealing import as_record
from lockleaf.server.features.tags.moving import move_all
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenedContent, OpenKeyring
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import resolution, retired
from lockleaf.server.records import service as records
from lockleaf.server.records.errors import PayloadTooLarge
from lockleaf.server.records.policy import endpoint_policy
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.sync import MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_PAYLOAD_BYTES, Change, Record, Resealed

__all__ = ["seal_again"]

KIND = "keys.rotate"
_ENTRIES = "entries"
_CONFLICTS_A_SLICE = 50

Sealed = tuple[Change, dict[str, Any]]
"""A change that seals a record again, and what it seals."""


async def seal_again(store: CallerRecords, settings: Settings) -> Resealed:
    """Seal again for as long as a slice may take, and return how far the whole is.

    Raises:
        CustodyRequired: the account is end-to-end encrypted: its devices do it.
        SessionRevoked: the session's key is gone.
        TierRequired: the account's tier holds no records.
    """
    connection, user_id = store.connection, store.user_id
    async with store.keyring(KIND) as keys:
        # The lock of the history is not held meanwhile: the user may be writing. Whatever moves on is sealed by that.
        sealed, whole = await _entries(store, settings, keys)
        await records.lock(connection, user_id)
        done = await move_all(store, keys)
        done += await _push(store, keys, sealed)
        conflicts, left = await _conflicts(store, keys)
    whole = whole and not left and not await _purge(connection, user_id)
    progress = await retired.progress(connection, user_id)
    job = await jobs.attend(
        store.tx.session,
        user_id=user_id,
        kind=KIND,
        done=progress.total - progress.left,
        total=progress.total,
        ended=whole,
        last=await jobs.latest(store.tx.session, user_id, KIND),
        now=store.clock(),
    )
    return Resealed(job=job, records=done, conflicts=conflicts)


async def _entries(store: AccountRecords, settings: Settings, keys: OpenKeyring) -> tuple[list[Sealed], bool]:
    """Return entries sealed again, and whether those are all: as many as there is time for, and as one push may hold.

    There are some in any case, if any are left.
    """
    # Writing takes about as long as sealing.
    until = time.monotonic() + settings.search.slice_seconds / 2
    sealed: list[Sealed] = []
    size = 0
    after = ""
    while found := await retired.current(store.connection, store.user_id, _ENTRIES, after=after):
        again = await asyncio.to_thread(_again, store, keys, found)
        sealed += again
        size += sum(len(change.payload) for change, _ in again)
        after = found[-1].record_id
        # All are held in memory until they are written, several times over, and so are those of other requests.
        if size >= MAX_BATCH_BYTES or time.monotonic() >= until:
            return sealed, False
    return sealed, True


def _again(store: AccountRecords, keys: OpenKeyring, found: Sequence[Record]) -> list[Sealed]:
    sealed = []
    for record in found:
        try:
            content = keys.open(record)
            sealed.append((_change(store, keys, record, content, Base.of(record)), content))
        except (ContentUnreadable, PayloadTooLarge):
            continue  # nobody can seal it again: it stays as it is
    return sealed


def _change(store: AccountRecords, keys: OpenKeyring, record: Record, content: dict[str, Any], base: Base) -> Change:
    """Return the change that seals ``content`` behind a revision; its writer and the time of writing stay."""
    new = {name: value for name, value in content.items() if name != SEEN}
    device, written_at = content.get("device"), content.get("written_at")
    # What is sealed of both is the writer's own word, and may be longer than what a change bears in the open.
    own = {
        "device": device if isinstance(device, str) else record.device_id,
        "written_at": _instant(written_at) or record.client_updated_at,
    }
    return store.change(
        record.collection,
        record.record_id,
        base,
        lambda **bound: keys.seal(content=new, **{**bound, **own}),
        labels=labels_of(keys, new) if record.labels else (),
        source=record.source,
        occurred_at=record.occurred_at,
        deleted=record.deleted,
        device=record.device_id,
        written_at=record.client_updated_at,
    )


def _instant(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


async def _push(store: AccountRecords, keys: OpenKeyring, sealed: Sequence[Sealed]) -> int:
    """Write what was sealed again, where nobody was faster; return how much that is. The search index follows."""
    done = 0
    for first in range(0, len(sealed), MAX_BATCH_CHANGES):
        batch = sealed[first : first + MAX_BATCH_CHANGES]
        changes = [change for change, _ in batch]
        contents = {change.record_id: content for change, content in batch}
        pushed = await store.put(
            changes, within_quota=False, most_bytes=MAX_PAYLOAD_BYTES, opened=OpenedContent(keys, contents)
        )
        done += sum(outcome.status == "applied" for outcome in pushed.outcomes)
    return done


async def _conflicts(store: AccountRecords, keys: OpenKeyring) -> tuple[int, bool]:
    """Keep open conflicts again under the newest key; return how many, and whether there are more.

    As a device does it, the version is kept anew as what follows the same revision, and the one before is resolved with
    what the record holds.
    """
    waiting = await retired.open_conflicts(store.connection, store.user_id, limit=_CONFLICTS_A_SLICE + 1)
    done = 0
    for conflict_id in waiting[:_CONFLICTS_A_SLICE]:
        open_conflict = await resolution.take(store.tx.session, store.user_id, conflict_id)
        kept = open_conflict.conflict
        try:
            record = as_record(kept)
            change = _change(store, keys, record, keys.open(record), Base(kept.base_revision, kept.parent))
        except (ContentUnreadable, PayloadTooLarge):
            continue
        again = change.model_copy(update={"on_conflict": "keep"})
        await store.put([again], within_quota=False, most_bytes=MAX_PAYLOAD_BYTES)
        await resolution.close(store, open_conflict, "remote", [], policy=endpoint_policy)
        done += 1
    return done, done > 0 and len(waiting) > _CONFLICTS_A_SLICE


async def _purge(connection: asyncpg.Connection, user_id: UUID) -> bool:
    """Drop a portion of what retired keys still open; return whether there is more."""
    return (await retired.purge_retired(connection, user_id)).has_more

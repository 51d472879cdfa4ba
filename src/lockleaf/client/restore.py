"""A server that went back to an older state, or gave up what it held (PROTOCOL section 5, Epochs).

Its history is walked once from the start and compared with the one verified here; only then is anything forgotten. What
the server lost becomes an edit that is sent again: nothing is deleted by a restore, nor by a tier that was lowered.
"""

from __future__ import annotations

import asyncio

from lockleaf.client.errors import HistoryForked, ServerEmptied, ServerRestored
from lockleaf.client.opening import OPENED
from lockleaf.client.pull import fetch_page
from lockleaf.client.store import LocalStore
from lockleaf.client.store.history import RememberedCheckpoint
from lockleaf.client.store.records import LOST_BASE, StoredRecord
from lockleaf.client.transport import Transport
from lockleaf.client.verify import Chain
from lockleaf.crypto.history import ZERO
from lockleaf.wire.sync import Epoch, Feed

__all__ = ["reconcile"]

_HERE = "before the restore"
"""Stands for this device among remembered checkpoints."""


async def reconcile(store: LocalStore, transport: Transport, *, accept: bool) -> bool:
    """Make the store ready to pull a restored or emptied server's history from its start.

    Args:
        accept: go on although the server lacks changes that it had confirmed.

    Returns:
        Whether the server had given up all it held, and what is here is sent again.

    Raises:
        HistoryForked: the history up to the new epoch is not the one that was verified here.
        ServerRestored: changes are missing on the server, and the user has not been asked.
        ServerEmptied: all of them are, and the tier was not changed on this device.
    """
    first = await fetch_page(transport, None)
    common = await asyncio.to_thread(_common, store, first.epochs)
    await _compare(store, transport, first, common)
    return await asyncio.to_thread(_prepare, store, first, common, accept)


def _common(store: LocalStore, offered: tuple[Epoch, ...]) -> int:
    """Return the sequence number up to which the offered epochs can be the ones known here."""
    known, position = store.history.epochs(), store.history.position()
    if not offered or position is None:
        raise HistoryForked("the server does not name its epochs")
    names = {item.epoch for item in offered}
    for item in offered:
        if item in known:
            continue
        if item.epoch in {other.epoch for other in known}:
            raise HistoryForked("the server's epochs contradict each other")
    cut_off = [item.from_seq for item in known if item.epoch not in names]
    fresh = [item.from_seq for item in offered if item not in known]
    if not fresh:
        raise HistoryForked("the server went back to an older state and names no new epoch")
    first_fresh = fresh[0]
    if offered[0] in known:
        return min([first_fresh, position.seq, *cut_off])
    # The leaves of all known epochs are gone. What the new one goes on from must still be what was seen here.
    heads = store.history.heads_at(first_fresh)
    if first_fresh == position.seq:
        # An epoch that ended without a leaf left nothing to go on from: the new one begins where that one did.
        heads |= {item.from_head for item in known if item.from_seq == first_fresh}
    if first_fresh <= position.seq and offered[0].from_head not in heads:
        raise HistoryForked(f"the server's new epoch does not follow what was written up to {first_fresh}")
    return min(first_fresh, position.seq)


async def _compare(store: LocalStore, transport: Transport, feed: Feed, common: int) -> None:
    """Walk the offered history up to ``common``: at every point known here it must be the same."""
    chain = Chain()
    while True:
        page = chain.extend(feed)
        for epoch, seq, head in page.heads:
            known = store.history.head_at(epoch, seq)
            if known is not None and known != head:
                raise HistoryForked(f"the restored history differs at or before {seq}")
        if page.complete or page.position.seq > common:
            return
        feed = await fetch_page(transport, feed.cursor)


def _prepare(store: LocalStore, feed: Feed, common: int, accept: bool) -> bool:
    with store.transaction():
        emptied = _is_emptied(store, feed)
        lost = store.records.beyond(common, feed.epochs[0].from_seq)
        if lost and not (accept or (emptied and store.history.expects_emptied())):
            error = ServerEmptied if emptied else ServerRestored
            raise error(feed.epochs[-1].epoch, common, tuple(record.key for record in lost))
        if emptied:
            # The server has no list of them any more; it must not look as if another device had decided.
            store.conflicts.detach()
            store.inbox.detach()
        reached = [
            RememberedCheckpoint(_HERE, item.epoch, common, head)
            for item in feed.epochs
            if (head := store.history.head_at(item.epoch, common)) is not None
        ]
        _send_again(store, lost)
        store.history.rewind(common)
        store.history.remember_checkpoints(reached[-1:])
        store.records.forget_leaves()
        return emptied and bool(lost)


def _is_emptied(store: LocalStore, feed: Feed) -> bool:
    """Tell whether all known epochs are gone with their leaves, at or behind the end of what was seen here."""
    history = store.history
    position = history.position()
    reached = max(0 if position is None else position.seq, *history.acknowledged(), 0)
    return feed.epochs[0] not in history.epochs() and feed.epochs[0].from_seq >= reached


def _send_again(store: LocalStore, lost: list[StoredRecord]) -> None:
    waiting = store.outbox.of_records(record.key for record in lost)
    for record in lost:
        if record.collection not in OPENED or (record.doc is None and not record.deleted):
            # Sealed by another program, or never delivered here: there is nothing to send.
            continue
        for change in waiting.get(record.key, []):
            if change.kind == "edit":
                store.outbox.absorb(change)
        record.pending = True
        record.generation += 1
        record.base, record.base_deleted = None, False
        record.base_revision, record.base_hash = LOST_BASE, ZERO
        store.records.put(record)

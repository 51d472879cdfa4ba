"""A server whose epochs are not those that this device confirmed (PROTOCOL section 5, Epochs).

It was put back to an older state, or gave up what it held, or says so. Its history is walked once and compared with the
one verified here; the user is asked; only then is anything forgotten. What the server lost becomes an edit that is sent
again: nothing is deleted by a restore, nor by a tier that was lowered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lockleaf.client.errors import HistoryForked, ServerEmptied, ServerRestored
from lockleaf.client.errors.claims import Claim, RememberedCheckpoint
from lockleaf.client.history.signers import signer_of
from lockleaf.client.history.statements import Offer, StatementBook, Transition, offer_of
from lockleaf.client.history.verification import Chain
from lockleaf.client.records.opened_changes import OPENED
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import LOST_BASE, StoredRecord
from lockleaf.client.store.verified_history import Position, Remembered
from lockleaf.client.sync.pull import fetch_page
from lockleaf.client.sync.syncing_device import SyncingDevice
from lockleaf.crypto.history import ZERO
from lockleaf.crypto.identity import checkpoint_message
from lockleaf.wire.epochs import Epoch
from lockleaf.wire.sync import Checkpoint, Checkpoints, Feed

__all__ = ["Reconciler", "check_remembered"]

_HERE = "before the restore"
"""Stands for this device among remembered checkpoints."""


@dataclass(slots=True)
class _Plan:
    """What a server shows, compared with what is here."""

    feed: Feed
    offer: Offer
    common: int
    uncovered: tuple[Transition, ...]
    contradicted: bool
    emptied: bool
    missing: list[StoredRecord]
    goes_on: bool


class Reconciler(SyncingDevice):
    """Makes a store ready to go on with a server whose epochs changed."""

    async def reconcile(self, book: StatementBook, *, accept: bool) -> bool:
        """Go on with the server's epochs, if a device of the account confirmed them or the user does so now.

        Args:
            book: what devices signed about epochs; what is accepted is added to it.
            accept: the user agrees.

        Returns:
            Whether the server had given up all it held, and what is here is sent again.

        Raises:
            HistoryForked: the history up to the new epoch is not the one that was verified here.
            ServerRestored: the change of epoch is confirmed by nobody, or changes are missing on the server.
            ServerEmptied: all of them are, and the tier was not lowered on this device.
        """
        first = await fetch_page(self.transport, None)
        plan = await asyncio.to_thread(self._plan, first, book)
        if not plan.goes_on and self.store.history.position() is not None:
            await self._compare(first, plan.common)
        own = plan.emptied and self._ended_here(plan, book)
        ask = bool(plan.uncovered) or plan.contradicted or (bool(plan.missing) and not own)
        if ask and not accept:
            error = ServerEmptied if plan.emptied else ServerRestored
            raise error(await self._claim(plan), tuple(record.key for record in plan.missing))
        await asyncio.to_thread(self._carry_out, plan, book)
        return plan.emptied and bool(plan.missing)

    async def recall(self, book: StatementBook, *, accept: bool) -> None:
        """Hold a server against what an earlier store of this device had verified, before anything is taken over.

        Args:
            accept: the user agrees that the server lacks it; then it is remembered no more.

        Raises:
            HistoryForked: the server's history contradicts itself.
            ServerRestored: the server's history does not hold what was verified.
        """
        remembered = await asyncio.to_thread(self.store.history.remembered)
        if remembered is None:
            return
        first = await fetch_page(self.transport, None)
        claim = await asyncio.to_thread(self._recalled, first, remembered, book)
        if claim is None:
            if await self._passes(first, remembered.position):
                return
            end = remembered.position.seq
            claim = Claim(epoch=first.epoch, from_seq=0, ends_at=first.seq, verified=end, declared=False)
        if not accept:
            raise ServerRestored(replace(claim, checkpoints=await self._hidden(first)), ())
        await asyncio.to_thread(self.store.history.remember, None)

    async def _passes(self, feed: Feed, end: Position) -> bool:
        """Walk the shown history as far as ``end``, and tell whether it passes through it."""
        chain = Chain()
        while True:
            page = await asyncio.to_thread(chain.extend, feed)
            if page.complete or page.position.seq > end.seq:
                return chain.judge(end.epoch, end.seq, end.head) is not False
            feed = await fetch_page(self.transport, feed.cursor)

    def _recalled(self, feed: Feed, remembered: Remembered, book: StatementBook) -> Claim | None:
        """Return what to ask about, None where the server's history can be the one that is remembered, or goes on."""
        end, offered = remembered.position, feed.epochs
        if not offered:
            raise HistoryForked("the server does not name its epochs")
        known = remembered.epochs or _through(end.epoch, offered)
        try:
            offer = offer_of(known, offered)
        except HistoryForked:
            offer = None
        covered = offer is not None and not book.uncovered(offer.transitions, offered)
        goes_on = offer is not None and not offer.left and offer.kept == len(known)
        ends_at = feed.seq if offer is None or offer.common is None or offer.kept == len(offered) else offer.common
        if goes_on and covered and ends_at >= end.seq:
            return None
        changed = offer.transitions if offer is not None else ()
        return Claim(
            epoch=feed.epoch,
            from_seq=changed[0].seq if changed else offered[-1].from_seq,
            ends_at=feed.seq,
            verified=end.seq,
            confirmed=covered,
            declared=offer is not None and bool(offer.transitions),
        )

    # ---- what is shown, and what is here ----

    def _plan(self, feed: Feed, book: StatementBook) -> _Plan:
        history = self.store.history
        known, position, offered = history.epochs(), history.position(), feed.epochs
        if not offered or offered[-1].epoch != feed.epoch:
            raise HistoryForked("the server does not name its epochs")
        offer = offer_of(known, offered)
        if offered[-1].from_seq > feed.seq:
            raise HistoryForked(f"the server's history ends at {feed.seq}, before its last epoch begins")
        uncovered = book.uncovered(offer.transitions, offered)
        contradicted = bool(book.contradictions(offered))
        if position is None:
            return _Plan(feed, offer, 0, uncovered, contradicted, False, [], goes_on=True)
        self._require_left_where_it_was(offer)
        reached = max(position.seq, *history.acknowledged(), 0)
        common = position.seq if offer.common is None else min(position.seq, offer.common)
        emptied = offer.held >= max(offer.kept, 1)
        goes_on = not offer.left and not emptied and (offer.common is None or reached <= offer.common)
        missing = [] if goes_on else self.store.records.beyond(common, offered[offer.held].from_seq)
        return _Plan(feed, offer, common, uncovered, contradicted, emptied, missing, goes_on)

    def _require_left_where_it_was(self, offer: Offer) -> None:
        """What a new epoch goes on from must be what was seen here, where that place was seen."""
        history = self.store.history
        for transition in offer.transitions:
            names = [transition.old_epoch] if transition.old_epoch is not None else []
            if offer.left and transition is offer.transitions[-1]:
                names = [each.epoch for each in history.epochs()[: offer.kept]][-1:]
            for name in names:
                head = history.head_at(name, transition.seq)
                if head is not None and head != transition.head:
                    raise HistoryForked(
                        f"the server's new epoch does not follow what was written up to {transition.seq}"
                    )

    async def _compare(self, feed: Feed, common: int) -> None:
        """Walk the offered history up to ``common``: at every point known here it must be the same."""
        chain = Chain()
        while True:
            page = chain.extend(feed)
            for epoch, seq, head in page.heads:
                known = self.store.history.head_at(epoch, seq)
                if known is not None and known != head:
                    raise HistoryForked(f"the restored history differs at or before {seq}")
            if page.complete or page.position.seq > common:
                return
            feed = await fetch_page(self.transport, feed.cursor)

    def _ended_here(self, plan: _Plan, book: StatementBook) -> bool:
        """Tell whether it was this device that lowered the tier: then its user knows."""
        present = plan.feed.epochs[plan.offer.held].epoch
        return any(
            (each.kind, each.new_epoch, each.device_id) == ("end", present, self.device_id) for each in book.known
        )

    async def _claim(self, plan: _Plan) -> Claim:
        """What the server says beside what this device and the others' checkpoints had verified."""
        position, offered = self.store.history.position(), plan.feed.epochs
        known = tuple((each.device_id, each.seq, None) for each in self.store.history.checkpoints())
        changed = plan.uncovered or plan.offer.transitions
        return Claim(
            epoch=plan.feed.epoch,
            from_seq=changed[0].seq if changed else offered[-1].from_seq,
            ends_at=plan.feed.seq,
            verified=None if position is None else position.seq,
            last_sync=self.store.history.last_sync(),
            checkpoints=(*known, *await self._hidden(plan.feed)),
            confirmed=not plan.uncovered and not plan.contradicted,
        )

    async def _hidden(self, feed: Feed) -> tuple[tuple[str, int, str | None], ...]:
        """What other devices signed, and the server does not show: device, place and time of each."""
        answer = await self.transport.request("GET", "/sync/checkpoints", answer=Checkpoints)
        ends = {epoch.epoch: later.from_seq for epoch, later in pairwise(feed.epochs)}
        ends[feed.epochs[-1].epoch] = feed.seq
        if not all(map(self._is_signed, answer.items)):
            raise HistoryForked("the server gave a checkpoint that no device of yours has signed")
        return tuple(
            (each.device_id, each.seq, each.time)
            for each in answer.items
            if each.device_id != self.device_id and each.seq > ends.get(each.epoch, -1)
        )

    def _is_signed(self, item: Checkpoint) -> bool:
        fields = (item.epoch, item.seq, item.head, item.device_id, item.time)
        message = checkpoint_message(self.user_id, *fields)
        return signer_of(self.store.keyring, message, item.signature) is not None

    # ---- what is done about it ----

    def _carry_out(self, plan: _Plan, book: StatementBook) -> None:
        offered, history = plan.feed.epochs, self.store.history
        fresh = book.fresh(offered)
        made = book.signed(plan.uncovered, offered, device_id=self.device_id, now=self.now)
        with self.store.transaction():
            history.keep_statements({book.id_of(each): each for each in (*fresh, *made)})
            history.forget_cursor()
            if not plan.goes_on:
                self._go_back(plan)
        book.learn((*fresh, *made))

    def _go_back(self, plan: _Plan) -> None:
        """Have the history walked anew from its start, and what it lacks sent again."""
        history, offered = self.store.history, plan.feed.epochs
        # The server may not have them any more; it must not look as if another device had decided.
        self.store.conflicts.detach(decided=plan.emptied)
        self.store.inbox.detach(decided=plan.emptied)
        reached = [
            RememberedCheckpoint(_HERE, item.epoch, plan.common, head)
            for item in offered[plan.offer.held :]
            if (head := history.head_at(item.epoch, plan.common)) is not None
        ]
        self._send_again(plan.missing)
        # They name the end that their writer saw, which may lie in an epoch that was left.
        self.store.outbox.absorb_edits()
        self.store.outbox.doubt_closed()
        self.store.accepted.add_present()
        history.rewind(plan.common)
        history.remember_checkpoints(reached[-1:])
        self.store.records.forget_leaves()

    def _send_again(self, lost: Sequence[StoredRecord]) -> None:
        for record in lost:
            if record.collection not in OPENED or (record.doc is None and not record.deleted):
                # Sealed by another program, or never delivered here: there is nothing to send.
                continue
            record.pending = True
            record.generation += 1
            record.base, record.base_deleted = None, False
            record.base_revision, record.base_hash = LOST_BASE, ZERO
            self.store.records.put(record)


def check_remembered(store: LocalStore, chain: Chain) -> None:
    """Check that the verified history is the one that an earlier store of this device had verified; then forget that.

    Raises:
        HistoryForked: it is another.
    """
    remembered = store.history.remembered()
    if remembered is None:
        return
    end = remembered.position
    if chain.judge(end.epoch, end.seq, end.head) is False:
        raise HistoryForked(f"an earlier journal on this device has seen a different history, up to {end.seq}")
    store.history.remember(None)


def _through(name: str, offered: Sequence[Epoch]) -> tuple[Epoch, ...]:
    """The epochs as they must have been where only the last one's name is known, as from a link code.

    What the server says of the earlier ones is proven by the head that is known: it was made of them.
    """
    names = [epoch.epoch for epoch in offered]
    if name in names:
        return tuple(offered[: names.index(name) + 1])
    return (Epoch(epoch=name, from_seq=0, from_head=ZERO),)

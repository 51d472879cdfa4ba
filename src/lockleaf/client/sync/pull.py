"""Pulling: the feed is fetched, verified, opened and taken over, page by page.

A page and the new end of the verified history are kept in one transaction, so a client that is killed goes on behind
the last page that it kept. The next page is fetched while the present one is worked on in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lockleaf.client.errors import EpochChanged, InvalidAnswer, InvalidCursor, SyncAlreadyRunning
from lockleaf.client.history.changes import EpochsChanged, VerifiedPage
from lockleaf.client.history.statements import StatementBook
from lockleaf.client.history.verification import Chain
from lockleaf.client.records.opened_changes import open_change
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.store import LocalStore
from lockleaf.client.store.accepted_payloads import AcceptedPayloads
from lockleaf.client.store.records import Leaf, StoredRecord
from lockleaf.client.store.verified_history import Position
from lockleaf.client.sync.applying import Applying, Counts
from lockleaf.client.transport.http import Transport
from lockleaf.wire.epochs import Epoch, Statement
from lockleaf.wire.sync import Feed

__all__ = ["PAGE", "Puller", "fetch_page"]

PAGE = 500


async def fetch_page(transport: Transport, cursor: str | None) -> Feed:
    """Return the page of the feed behind ``cursor``, the first one without.

    Raises:
        EpochsChanged: the cursor is of an epoch that the server has left.
    """
    params: dict[str, str | int] = {"limit": PAGE}
    if cursor is not None:
        params["after"] = cursor
    try:
        return await transport.request("GET", "/sync/changes", answer=Feed, params=params, msgpack=True)
    except EpochChanged:
        raise EpochsChanged from None


class Puller:
    """Brings the store to the end of the server's history.

    Args:
        now: gives the present time as RFC 3339 text.
    """

    def __init__(
        self, store: LocalStore, transport: Transport, sealer: Sealer, *, device_id: str, now: Callable[[], str]
    ) -> None:
        self._store = store
        self._transport = transport
        self._sealer = sealer
        self._applying = Applying(store, sealer, device_id=device_id, now=now)
        self._leaves: dict[tuple[str, str], Leaf] = {}
        self._epochs: tuple[Epoch, ...] = ()
        self.book = StatementBook(sealer.user_id, store.keyring)
        self.chain = Chain()

    @property
    def counts(self) -> Counts:
        """What this sync took over so far."""
        return self._applying.counts

    def begin(self) -> None:
        """Take up the verified history from the store."""
        history = self._store.history
        self._applying.through = history.restored_through()
        self.book = StatementBook(self._sealer.user_id, self._store.keyring, history.statements().values())
        self.chain = Chain(
            position=history.position(),
            epochs=history.epochs(),
            head_at=history.head_at,
            leaf_of=self._leaf_of,
            bare=self._store.records.bare(),
            acknowledged=history.acknowledged(),
            retirements=[
                place
                for entry in self._store.keyring
                for place in (entry.begins_after, entry.retired_at)
                if place is not None
            ],
            book=self.book,
            passed_over=history.passed_over(),
        )

    async def pull(self, progress: ProgressCallback | None = None) -> None:
        """Take over every change up to the end of the history.

        Raises:
            HistoryForked, SealBroken, UnsealedChange: a page does not match what was verified; it was not taken over.
            EpochsChanged: it went back to an older state, or says so.
        """
        cursor = await asyncio.to_thread(self._store.history.cursor)
        again = False
        try:
            feed = await fetch_page(self._transport, cursor)
        except InvalidCursor:
            # The server does not know its own cursor any more, perhaps for new keys. The way from the start is longer.
            feed, again = await fetch_page(self._transport, None), True
        again = again or (cursor is None and self.chain.position is not None)
        start = self.chain.position.seq if self.chain.position is not None else 0
        while True:
            following: asyncio.Task[Feed] | None = None
            if feed.has_more and feed.changes:
                if feed.cursor == cursor:
                    raise InvalidAnswer
                cursor = feed.cursor
                following = asyncio.create_task(fetch_page(self._transport, cursor))
            try:
                page = await asyncio.to_thread(self._take_over, self._unverified(feed) if again else feed)
            except BaseException:
                if following is not None:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                raise
            if progress is not None and page is not None:
                progress(Progress("pull", page.position.seq - start, max(feed.seq, page.position.seq) - start))
            if following is None:
                return
            feed = await following

    def _unverified(self, feed: Feed) -> Feed | None:
        """The part of a page behind the verified end, None if there is none; the head proves that it follows."""
        position = self.chain.position
        if position is None:
            return feed
        rest = tuple(change for change in feed.changes if change.seq > position.seq)
        return None if feed.has_more and not rest else feed.model_copy(update={"changes": rest})

    def to_post(self) -> list[Statement]:
        """Return the statements that this device keeps, and that the server lacks as far as it shows."""
        shown = {self.book.id_of(each) for epoch in self._epochs for each in epoch.statements}
        names, present = {epoch.epoch for epoch in self._epochs}, self._epochs[-1].epoch if self._epochs else ""
        posted = self._store.history.posted_in()
        # One about an epoch that the server does not list it cannot show: it is sent once an epoch.
        return [
            each
            for identity, each in self._store.history.statements().items()
            if identity not in shown and (each.new_epoch in names or posted.get(identity) != present)
        ]

    def _leaf_of(self, collection: str, record_id: str) -> Leaf | None:
        return self._leaves.get((collection, record_id))

    def preload(self, keys: set[tuple[str, str]]) -> None:
        """Read the last leaves of ``keys`` in one go, for the chain to find."""
        self._leaves = self._store.records.leaves(keys)

    def _take_over(self, feed: Feed | None) -> VerifiedPage | None:
        if feed is None:
            return None
        start = self.chain.position
        self.preload({(change.collection, change.record_id) for change in feed.changes})
        page = self.chain.extend(feed)
        keyring = self._store.keyring
        opened = {change.seq: open_change(self._sealer, keyring, self.chain, change) for change in page.changes}
        with self._store.transaction():
            self.require_place(start)
            keys = {change.key for change in page.changes}
            rows = self._store.records.get_many(keys)
            waiting = self._store.outbox.of_records(keys) if self._store.outbox.count() else {}
            superseded: list[bytes] = []
            for change in page.changes:
                row = rows.setdefault(change.key, StoredRecord(*change.key))
                superseded += AcceptedPayloads.of((row,))
                self._applying.apply(change, opened.get(change.seq), row, waiting.get(change.key, []), page.position)
            self._store.records.put_many(rows.values())
            self._store.accepted.add(superseded)
            self._store.history.advance(page.position, cursor=feed.cursor, epochs=page.epochs, heads=page.heads)
            fresh = self.book.fresh(feed.epochs) if feed.epochs != self._epochs else []
            self._store.history.keep_statements({self.book.id_of(each): each for each in fresh})
            if page.complete:
                self._store.records.settle_orphans()
        self.book.learn(fresh)
        self._epochs = feed.epochs
        self.chain.forget_kept()
        return page

    def require_place(self, position: Position | None) -> None:
        """Make sure that the store is where this sync left it.

        A sync that was cancelled may have a thread that still works, and must not go back behind the one after it.

        Raises:
            SyncAlreadyRunning: another sync moved it.
        """
        if self._store.history.position() != position:
            raise SyncAlreadyRunning

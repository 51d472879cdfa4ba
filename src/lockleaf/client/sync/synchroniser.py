"""One synchronisation: check the keys, pull, merge, push, and compare notes with the other devices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from lockleaf.client.errors import HistoryForked, IntegrityError, InvalidAnswer, TooManyStatements
from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.client.history.changes import EpochsChanged
from lockleaf.client.media.transfers import MediaReport
from lockleaf.client.metrics.sums import EncryptedSums, MetricsReport
from lockleaf.client.records import labels
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.records.resealing import Resealing
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.search.keeping_up import KeepingUp
from lockleaf.client.store import LocalStore
from lockleaf.client.sync.checkpoints import CheckpointExchange
from lockleaf.client.sync.conflict_sync import ConflictSync, StaleConflict
from lockleaf.client.sync.epoch_changes import Reconciler, check_remembered
from lockleaf.client.sync.inbox_sync import InboxSync
from lockleaf.client.sync.pull import Puller
from lockleaf.client.sync.push import Pusher, Rejection
from lockleaf.client.transport.http import Transport
from lockleaf.wire.epochs import MAX_STATEMENTS, Statements
from lockleaf.wire.sync import Purged

__all__ = ["Rejection", "SyncReport", "Synchroniser"]

_ROUNDS = 50
_OFF = MetricsReport()
_NONE = MediaReport()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, and where it came to.

    ``pulled``, ``pushed`` and ``merged`` count entries; ``conflicts`` are open now; ``pending`` are edits that still
    wait (refused ones included); ``inbox`` items wait for a decision; ``emptied``: the server had given up what it
    held, as it does when the tier is lowered, and what is here was sent again; ``metrics``: what became of the
    encrypted sums; ``media``: what became of attachments that waited; ``stale`` is what the server listed as open
    conflicts although it was not; ``duration`` is in seconds.
    """

    pulled: int
    pushed: int
    merged: int
    conflicts: int
    pending: int
    rejected: tuple[Rejection, ...]
    epoch: str
    seq: int
    head: bytes
    duration: float
    inbox: int = 0
    emptied: bool = False
    metrics: MetricsReport = _OFF
    media: MediaReport = _NONE
    stale: tuple[StaleConflict, ...] = ()


class Synchroniser:
    """Synchronises one profile.

    Args:
        user_id: the account's UUID as lower-case text.
        device_id: this device's id.
        share_dates: whether the server may know the date and source of entries.
        hide_labels: whether the account's choice to send no labels counts, as it does where the server cannot read.
        server_decides: see `ConflictSync`.
        check_keys: compares what the server says of the account's keys with what this device remembers; called first.
        clock: gives the present time, with a zone.
        sums: keeps the account's encrypted sums; None leaves them alone.
        indexing: keeps the server's index of words; None leaves it alone.
    """

    def __init__(
        self,
        store: LocalStore,
        transport: Transport,
        *,
        user_id: str,
        device_id: str,
        check_keys: Callable[[], Awaitable[object]],
        share_dates: bool = False,
        hide_labels: bool = True,
        server_decides: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sums: EncryptedSums | None = None,
        indexing: Indexer | None = None,
    ) -> None:
        self._store = store
        self._transport = transport
        self._device_id = device_id
        self._check_keys = check_keys
        self._sealer = Sealer(user_id, device_id=device_id, share_dates=share_dates)
        self._hide_labels = hide_labels
        self._server_decides = server_decides
        self._clock = clock
        self._sums = sums
        self._indexing = indexing
        self._emptied = False

    async def run(self, progress: ProgressCallback | None = None, *, accept_restore: bool = False) -> SyncReport:
        """Synchronise once. It may be killed at any point: run again, it goes on where it was.

        Args:
            progress: called with stages ``pull``, ``push`` and, after a rotation, ``reseal``, counted in changes, and
                ``index``, in entries; at last ``words``, in entries that the index of this device lacked.
            accept_restore: go on with a server that was restored from an older state, and send what it lost.

        Raises:
            SyncAlreadyRunning: another process syncs this profile.
            IntegrityError: its subclass says how the server contradicts what this device verified.
            ServerRestored: it was restored and lacks confirmed changes.
            TransportError, ApiError: it cannot be reached, or refuses.
            LocalStoreError: this device's store refuses.
        """
        keeping_up = await asyncio.to_thread(KeepingUp, self._store)
        with self._store.only_sync():
            try:
                report = await self._run(progress, accept_restore)
            except IntegrityError as error:
                await asyncio.to_thread(self._store.history.set_doubt, type(error).__name__)
                raise
        await keeping_up.finish(progress)
        return report

    async def _run(self, progress: ProgressCallback | None, accept_restore: bool) -> SyncReport:
        started = time.perf_counter()
        self._emptied = False
        await self._check_keys()
        if self._sums is not None:
            await self._sums.look()
            self._sealer.census = await asyncio.to_thread(self._sums.present)
        if self._indexing is not None:
            await self._indexing.look()
        puller = Puller(self._store, self._transport, self._sealer, device_id=self._device_id, now=self._now)
        resealing = Resealing(self._store, self._sealer, self._now)
        pusher = Pusher(
            self._store,
            self._transport,
            self._sealer,
            puller,
            device_id=self._device_id,
            now=self._now,
            resealing=resealing,
            indexing=self._indexing,
        )
        checkpoints = self._checkpoints()
        conflict_sync = ConflictSync(
            self._store, self._transport, self._sealer, now=self._now, server_decides=self._server_decides
        )
        for _ in range(_ROUNDS):
            await self._pull(puller, checkpoints, progress, accept_restore)
            await self._post_statements(puller)
            if self._sums is not None:
                self._sealer.census = await asyncio.to_thread(self._sums.arrive, puller.chain.position)
            if self._hide_labels:
                self._sealer.labels = await asyncio.to_thread(labels.is_on, self._store)
                await asyncio.to_thread(labels.carry_out, self._store, on=self._sealer.labels)
            if not await pusher.push(progress):
                break
        await checkpoints.confer(puller.chain)
        if await conflict_sync.settle():
            await pusher.push(progress)
            await conflict_sync.settle()
        if await asyncio.to_thread(resealing.is_due):
            await self._purge_retired(resealing)
        await InboxSync(self._store, self._transport).settle()
        position = puller.chain.position
        if position is None:
            raise InvalidAnswer
        if self._indexing is not None:
            await self._indexing.settle(progress)
        metrics = await self._sums.settle() if self._sums is not None else _OFF
        pending, conflicts, inbox = await asyncio.to_thread(self._end)
        return SyncReport(
            pulled=puller.counts.pulled,
            pushed=pusher.outcome.pushed + puller.counts.confirmed,
            merged=puller.counts.merged,
            conflicts=conflicts,
            pending=pending,
            rejected=tuple(pusher.outcome.rejected),
            epoch=position.epoch,
            seq=position.seq,
            head=position.head,
            duration=time.perf_counter() - started,
            inbox=inbox,
            emptied=self._emptied,
            metrics=metrics,
            stale=conflict_sync.stale,
        )

    async def _purge_retired(self, resealing: Resealing) -> None:
        """Have the server drop what retired keys still open there, once everything else is sealed again."""
        if not await asyncio.to_thread(resealing.is_done):
            return
        for _ in range(_ROUNDS * _ROUNDS):
            purged = await self._transport.request("POST", "/sync/purge", answer=Purged)
            if not purged.has_more:
                await asyncio.to_thread(self._store.history.set_sealed_again, resealing.key_id)
                return

    async def catch_up(self) -> None:
        """Fetch and verify what is new at the server, and send nothing.

        Raises:
            SyncAlreadyRunning, IntegrityError, TransportError, ApiError, LocalStoreError: as for `run`.
        """
        with self._store.only_sync():
            await self._check_keys()
            puller = Puller(self._store, self._transport, self._sealer, device_id=self._device_id, now=self._now)
            await self._pull(puller, self._checkpoints(), None, False)

    @property
    def _device(self) -> tuple[LocalStore, Transport, str, str, Callable[[], str]]:
        return self._store, self._transport, self._sealer.user_id, self._device_id, self._now

    def _checkpoints(self) -> CheckpointExchange:
        return CheckpointExchange(*self._device)

    async def _pull(
        self, puller: Puller, checkpoints: CheckpointExchange, progress: ProgressCallback | None, accept_restore: bool
    ) -> None:
        remembered = await asyncio.to_thread(self._begin, puller)
        reconciler = Reconciler(*self._device)
        if puller.chain.position is None:
            await reconciler.recall(puller.book, accept=accept_restore)
        try:
            await puller.pull(progress)
        except EpochsChanged:
            try:
                self._emptied |= await reconciler.reconcile(puller.book, accept=accept_restore)
                remembered = await asyncio.to_thread(self._begin, puller)
                await puller.pull(progress)
            except EpochsChanged:
                raise HistoryForked("the server changes its epochs while they are read") from None
        await asyncio.to_thread(check_remembered, self._store, puller.chain)
        await asyncio.to_thread(checkpoints.check_remembered, puller.chain, remembered)

    async def _post_statements(self, puller: Puller) -> None:
        """Send what devices signed about epochs and the server lacks."""
        lacking = await asyncio.to_thread(puller.to_post)
        position = puller.chain.position
        if not lacking or position is None:
            return
        for start in range(0, len(lacking), MAX_STATEMENTS):
            portion = tuple(lacking[start : start + MAX_STATEMENTS])
            with suppress(TooManyStatements):
                await self._transport.command("POST", "/sync/epochs/statements", body=Statements(statements=portion))
            await asyncio.to_thread(
                self._store.history.note_posted, [puller.book.id_of(each) for each in portion], position.epoch
            )

    def _end(self) -> tuple[int, int, int]:
        """Note that the sync is over; return how many edits, open conflicts and inbox items wait."""
        self._store.history.set_last_sync(self._now())
        self._store.history.set_doubt(None)
        return (
            self._store.records.pending_count(),
            len(self._store.conflicts.in_state("open")),
            self._store.inbox.count(),
        )

    def _begin(self, puller: Puller) -> list[RememberedCheckpoint]:
        puller.begin()
        return self._store.history.checkpoints()

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Pushing: edits are sealed, kept sealed, and only then sent; the server's answers settle them.

A client that is killed at any point sends the same sealed bytes again, which the server recognises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lockleaf.client.errors import (
    ApiError,
    ConnectionBroken,
    EpochChanged,
    HistoryForked,
    InvalidAnswer,
    KeysChangedElsewhere,
    TooLargeForProxy,
)
from lockleaf.client.history.changes import VerifiedChange
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.records.resealing import Resealing
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.search.indexer import Indexer
from lockleaf.client.store import LocalStore
from lockleaf.client.store.accepted_payloads import AcceptedPayloads
from lockleaf.client.store.open_conflicts import conflict_id_of
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.client.store.verified_history import Acknowledgement, Position
from lockleaf.client.sync.applying import acknowledge
from lockleaf.client.sync.pull import Puller
from lockleaf.client.sync.sealing import Sealing, Waiting
from lockleaf.client.transport.batch_size import TOO_LARGE, BatchSize
from lockleaf.client.transport.http import Transport
from lockleaf.crypto.history import meta
from lockleaf.wire.problems import ErrorCode
from lockleaf.wire.sync import MAX_BATCH_CHANGES, ChangeResult, Push, PushResult

__all__ = ["Pusher", "Rejection"]

_BATCH_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rejection:
    """An edit that was refused, and the code with which it was. It is kept here.

    ``too_large_for_proxy`` and ``body_too_large`` mean its size alone: it is sent again with the next sync, as is one
    that the server finds ``payload_too_large``.
    """

    record_id: str
    code: str
    collection: str = ENTRIES
    size: int | None = None
    """Bytes of the request, or of the sealed edit, that was refused for its size."""
    limit: int | None = None
    """Bytes that a sealed edit may have, where the server says so."""


@dataclass(slots=True)
class _Outcome:
    pushed: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class Pusher:
    """Sends what is pending.

    Args:
        puller: whose chain the acknowledged changes extend.
        now: gives the present time as RFC 3339 text.
        resealing: seals again what a retired key sealed.
        indexing: gives the digests of words that go with changes, where the server keeps an index.
    """

    def __init__(
        self,
        store: LocalStore,
        transport: Transport,
        sealer: Sealer,
        puller: Puller,
        *,
        device_id: str,
        now: Callable[[], str],
        resealing: Resealing,
        indexing: Indexer | None = None,
    ) -> None:
        self._resealing = resealing
        self._store = store
        self._transport = transport
        self._sealing = Sealing(store, sealer, device_id=device_id, now=now, refuse=self._refuse_unsealed)
        self._puller = puller
        self._device_id = device_id
        self._indexing = indexing
        self._refused: set[tuple[str, str]] = set()
        self._conflicting: set[bytes] = set()
        self._announced: str | None = None
        self._ended: str | None = None
        self._size = BatchSize(_BATCH_BYTES)
        self._too_large: set[bytes] = set()
        self._broken: ConnectionBroken | None = None
        self._passed = False
        self.outcome = _Outcome()

    async def push(self, progress: ProgressCallback | None = None) -> bool:
        """Send every pending edit once.

        Returns:
            Whether another round is needed: something came between, was refused as too old, or was edited meanwhile.

        Raises:
            ConnectionBroken: the one large edit that waits broke each connection.
            HistoryForked: the server refuses an edit as too old, and shows nothing newer; or it answered for an epoch
                that its history does not have, or as if one had ended that its history still has.
        """
        self._check_announced()
        in_step = True
        done = again = 0
        place = 0
        key = stale = ("", "")
        await asyncio.to_thread(self._resealing.prepare, self._puller.chain.position)
        total = await asyncio.to_thread(self._count)
        while True:
            batch = await asyncio.to_thread(self._batch, place)
            if not batch:
                last = await asyncio.to_thread(self._sealing.seal_portion, self._verified, key, self._refused)
                if last is not None:
                    key = last
                    continue
                if await asyncio.to_thread(self._sealing.seal_conflicts, self._verified):
                    continue
                older = await asyncio.to_thread(self._resealing.seal_portion, stale, self._puller.chain.position)
                if older is not None:
                    stale = older
                    continue
                self._require_passed()
                # What was edited while its earlier form was on the way goes into another round.
                return not in_step or await asyncio.to_thread(self._left)
            try:
                result = await self._send(batch)
            except TOO_LARGE as error:
                self._size.shrink(error, sum(each.size for each in batch))
                if len(batch) == 1:
                    place = batch[0].place
                    self._set_aside(batch[0], error)
                continue
            if result is None:
                return True
            self._passed = True
            place = batch[-1].place
            sent = [each.outgoing for each in batch]
            in_step = await asyncio.to_thread(self._settle, sent, result) and in_step
            resealed = sum(change.resealed for change in sent)
            done, again = done + len(sent) - resealed, again + resealed
            if progress is not None and resealed:
                progress(Progress("reseal", again, max(self._resealing.total, again)))
            elif progress is not None:
                progress(Progress("push", done, max(total, done)))

    @property
    def _verified(self) -> Position:
        """The end of the verified history, which there is after a pull."""
        position = self._puller.chain.position
        if position is None:
            raise InvalidAnswer
        return position

    def _check_announced(self) -> None:
        position = self._puller.chain.position
        if self._announced is not None and position is not None and position.epoch != self._announced:
            raise HistoryForked("the server confirms changes in an epoch that it does not show")
        if self._ended is not None and position is not None and position.epoch == self._ended:
            raise HistoryForked("the server refuses changes for an epoch that it does not show")
        self._announced = self._ended = None

    async def _send(self, batch: Sequence[Waiting]) -> PushResult | None:
        """Send changes as made in the epoch that was verified; None if it has ended, which the pull after it takes up.

        Without that, what was sealed on top of a lost history would be stored before anybody looked at what was lost.
        """
        position = self._puller.chain.position
        epoch = None if position is None else position.epoch
        body = Push(changes=tuple(each.change(self._device_id) for each in batch), epoch=epoch)
        try:
            result = await self._transport.request("POST", "/sync/push", body=body, answer=PushResult, msgpack=True)
        except EpochChanged:
            self._ended = epoch
            return None
        if len(result.results) != len(batch):
            raise InvalidAnswer
        return result

    def _set_aside(self, waiting: Waiting, error: ApiError | ConnectionBroken | TooLargeForProxy) -> None:
        """Leave a change that is too large by itself for the next sync, so that the others pass."""
        code = "body_too_large" if isinstance(error, ApiError) else "too_large_for_proxy"
        change = waiting.outgoing
        self._too_large.add(change.payload_hash)
        self._broken = error if isinstance(error, ConnectionBroken) else self._broken
        self.outcome.rejected.append(Rejection(change.record_id, code, change.collection, waiting.size))

    def _require_passed(self) -> None:
        """Make sure that size is why a connection broke: that something smaller went through.

        Raises:
            ConnectionBroken: nothing did, so that the line is as likely a cause.
        """
        if self._broken is not None and not self._passed:
            raise self._broken

    def _left(self) -> bool:
        """Tell whether an edit waits that was neither sent nor refused in this sync."""
        records = self._store.records.to_seal(len(self._refused) + 1)
        return any(record.key not in self._refused for record in records)

    def _count(self) -> int:
        return self._store.records.pending_count()

    def _batch(self, place: int) -> list[Waiting]:
        """The next waiting changes behind ``place``, within what the server takes at once."""
        batch: list[Waiting] = []
        size = 0
        for at, change in self._store.outbox.waiting(MAX_BATCH_CHANGES, after=place):
            if change.payload_hash in self._too_large:
                continue
            # Worked out anew from the same content for every attempt, and no part of what the server compares.
            tokens = self._indexing.tokens(change) if self._indexing is not None else None
            waiting = Waiting(at, change, tokens)
            size += waiting.size
            if batch and size > self._size.bytes:
                break
            batch.append(waiting)
        return batch

    def _settle(self, sent: Sequence[Outgoing], result: PushResult) -> bool:
        """Take over the answers; tell whether the verified history could go on by them alone."""
        chain, start = self._puller.chain, self._verified
        confirmed: list[tuple[Outgoing, Acknowledgement]] = []
        if any(answer.code == ErrorCode.KEY_RETIRED for answer in result.results):
            # A rotation that this device has not heard of. What was confirmed is found again by its payload hash.
            raise KeysChangedElsewhere
        with self._store.transaction():
            self._puller.require_place(start)
            for change, answer in zip(sent, result.results, strict=True):
                if answer.status in ("applied", "unchanged"):
                    confirmed.append((change, _acknowledgement(change, answer, start, result.epoch)))
                elif answer.status == "conflict":
                    self._refuse_as_old(change, answer)
                else:
                    self._reject(change, answer)
            if result.epoch != start.epoch:
                # A restored server. The pull that follows finds out; until then nothing is confirmed.
                self._announced = result.epoch
                return False
            self._store.history.acknowledge(item for _, item in confirmed)
            chain.acknowledged.update({item.seq: item for _, item in confirmed})
            return self._go_on(confirmed, result) and len(confirmed) == len(sent)

    def _go_on(self, confirmed: list[tuple[Outgoing, Acknowledgement]], result: PushResult) -> bool:
        """Extend the verified history by the confirmed changes, if nothing else came between."""
        confirmed.sort(key=lambda pair: pair[1].seq)
        changes = [
            VerifiedChange(
                item.seq,
                change.collection,
                change.record_id,
                item.revision,
                change.parent,
                meta(change.labels, change.source, change.occurred_at),
                change.payload_hash,
                change.deleted,
                None,
                result.epoch,
            )
            for change, item in confirmed
        ]
        self._puller.preload({change.key for change in changes})
        end = Position(result.epoch, result.seq, result.head)
        heads = self._puller.chain.extend_own(changes, end)
        if heads is None:
            return False
        rows = self._store.records.get_many(change.key for change in changes)
        self._store.accepted.add(AcceptedPayloads.of(rows.values()))
        for change, item in confirmed:
            row = rows[change.key]
            row.revision, row.seq, row.payload_hash, row.bare = item.revision, item.seq, item.payload_hash, False
            acknowledge(self._store, row, change)
            if change.kind == "conflict":
                self._store.conflicts.set_state(conflict_id_of(change.payload_hash), "closed")
        self._store.records.put_many(rows.values())
        self._store.outbox.remove(change.payload_hash for change, _ in confirmed)
        self._store.history.advance(end, cursor=result.cursor, epochs=(), heads=heads)
        self.outcome.pushed += sum(change.collection == ENTRIES and not change.resealed for change, _ in confirmed)
        return True

    def _refuse_unsealed(self, record: StoredRecord) -> None:
        self._refused.add(record.key)
        self.outcome.rejected.append(Rejection(record.record_id, ErrorCode.PAYLOAD_TOO_LARGE, record.collection))

    def _refuse_as_old(self, change: Outgoing, answer: ChangeResult) -> None:
        if change.kind == "conflict":
            if answer.conflict_id is None:
                raise InvalidAnswer
            self._store.conflicts.set_server_id(conflict_id_of(change.payload_hash), answer.conflict_id)
            self._store.outbox.remove((change.payload_hash,))
            return
        if change.payload_hash in self._conflicting:
            raise HistoryForked(f"the server refuses record {change.record_id} for a newer revision and shows none")
        self._conflicting.add(change.payload_hash)

    def _reject(self, change: Outgoing, answer: ChangeResult) -> None:
        if change.resealed:
            # Nobody's edit is refused. It stays sealed as it is, and the next sync tries again.
            self._store.outbox.remove((change.payload_hash,))
            return
        code = answer.code or "rejected"
        size = len(change.payload) if code == ErrorCode.PAYLOAD_TOO_LARGE else None
        rejection = Rejection(change.record_id, code, change.collection, size, answer.limit_bytes)
        self.outcome.rejected.append(rejection)
        self._refused.add(change.key)
        # The server refused for good: the edit is sealed anew next time, perhaps after its user changed it.
        if change.kind == "edit":
            self._store.outbox.remove((change.payload_hash,))
            self._store.records.set_rejected(change.key, code)


def _acknowledgement(change: Outgoing, answer: ChangeResult, start: Position, epoch: str) -> Acknowledgement:
    if answer.seq is None or answer.revision != change.base_revision + 1:
        raise InvalidAnswer
    if epoch == start.epoch and answer.seq <= start.seq:
        # Had it been there, the verified history would have shown it and it would not have been sent.
        raise HistoryForked(f"the server says that change {answer.seq} is this device's, and showed another")
    return Acknowledgement(answer.seq, change.collection, change.record_id, answer.revision, change.payload_hash)

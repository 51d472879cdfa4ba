"""The one way by which an account's records are written, whichever endpoint asks: its rules, and who follows.

A change takes its base and its parent from the record that it follows, as it was read behind the lock of the account's
history. What must happen with every change happens here: what is to be written with it, the store's rules, the quota,
the account's live streams after the commit, and those who follow what is written, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import asyncpg

from lockleaf.crypto.history import ZERO, payload_hash
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.paging import Page
from lockleaf.server.records import diary, service
from lockleaf.server.records.diary import CurrentRecord, Wanted
from lockleaf.server.records.errors import PayloadTooLarge, refusal
from lockleaf.server.records.outcomes import Outcome, Pushed
from lockleaf.server.records.policy import RecordPolicy, bytes_needed, endpoint_policy, sync_policy
from lockleaf.server.records.quota import Quota
from lockleaf.server.records.repository import RecordRepository
from lockleaf.server.records.tagging import Present
from lockleaf.wire.sync import Change, Record

__all__ = ["AccountRecords", "Addition", "Author", "Base", "Observer", "Rules", "Selective", "Written", "tell"]


class Author(Protocol):
    """Who writes: an account, and the device that stands for it."""

    @property
    def user_id(self) -> UUID:
        """The account."""

    @property
    def device(self) -> str:
        """What a record names as its writer."""


class Seal(Protocol):
    """Makes the payload of a change, bound to everything that the change carries in the open."""

    def __call__(
        self,
        *,
        collection: str,
        record_id: str,
        base_revision: int,
        parent: bytes,
        labels: Sequence[bytes],
        source: str | None,
        occurred_at: str | None,
        deleted: bool,
        device: str,
        written_at: datetime,
    ) -> bytes:
        """Return the payload."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a change follows: a revision, and the hash of its payload."""

    revision: int
    payload_hash: bytes

    @classmethod
    def of(cls, current: Base | Present | Record | None) -> Base:
        """Return what a change to a record follows: 0 and zeros for a new one."""
        if current is None:
            return cls(0, ZERO)
        return cls(
            current.revision, payload_hash(current.payload) if isinstance(current, Record) else current.payload_hash
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, for those who follow it.

    Attributes:
        changes, outcomes: as pushed and as answered, in order; of any collection.
        opened: what the writer has open already, for followers who know it: keys, and contents by the record's id.
    """

    tx: Transaction
    author: Author
    changes: Sequence[Change]
    outcomes: Sequence[Outcome]
    opened: object | None = None


Observer = Callable[[Written], Awaitable[None]]
"""Follows what is written, in the transaction that writes it and behind the lock of the account's history.

One that is `Selective` follows some accounts alone.
"""


Addition = Callable[["AccountRecords", Change, object | None], Awaitable[Sequence[Change]]]
"""Returns what is to be written with a change that the server makes: called in the transaction, before it is written.

It is told what the writer has open already, as for `Written`.
"""


@runtime_checkable
class Selective(Protocol):
    """An observer that can tell, of many end-to-end encrypted accounts at once, which of them it follows."""

    async def follows(self, connection: asyncpg.Connection, user_ids: Collection[UUID]) -> Collection[UUID]:
        """Return those of the accounts whose changes it is to be told."""


async def tell(rules: Rules, written: Sequence[Written]) -> None:
    """Tell those who follow what was written in one transaction."""
    for observer in rules.observers:
        followed: Collection[UUID] | None = None
        selective: object = observer
        if len(written) > 1 and isinstance(selective, Selective):
            ids = {each.author.user_id for each in written}
            followed = await selective.follows(written[0].tx.connection, ids)
        for each in written:
            if followed is None or each.author.user_id in followed:
                await observer(each)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the records of every account on this server.

    Attributes:
        record_bytes: how long a payload may be.
        quota: how much an account may hold.
        observers: who follows, in order.
        additions: who adds to what the server writes.
    """

    record_bytes: int
    quota: Quota
    observers: tuple[Observer, ...] = ()
    additions: tuple[Addition, ...] = ()


class AccountRecords:
    """The records of one account, in one transaction.

    Args:
        tx: in which everything happens.
        account: whose records, and who writes.
        clock: gives the present time.
        rules: of this server.
    """

    def __init__(self, tx: Transaction, account: Author, clock: Clock, rules: Rules) -> None:
        self.tx = tx
        self.account = account
        self.clock = clock
        self._rules = rules

    @property
    def connection(self) -> asyncpg.Connection:
        """Of the transaction."""
        return self.tx.connection

    @property
    def user_id(self) -> UUID:
        """Of the account."""
        return self.account.user_id

    async def current(self, collection: str, record_id: str) -> Record | None:
        """Lock the account's history, and return a record as it stays until the transaction ends; deleted ones too.

        Raises:
            TierRequired: the account's tier holds no records.
        """
        return await diary.hold(self.connection, self.user_id, collection, record_id)

    def change(
        self,
        collection: str,
        record_id: str,
        base: Base | Present | Record | None,
        payload: bytes | Seal,
        *,
        labels: tuple[bytes, ...] = (),
        source: str | None = None,
        occurred_at: str | None = None,
        deleted: bool = False,
        device: str | None = None,
        written_at: datetime | None = None,
        **further: Any,
    ) -> Change:
        """Return the change that follows ``base``.

        Arguments:
            payload: the bytes, or what seals them for just this place in the history.
            device, written_at: who writes, and when; the account's present device and now by default.
            further: other fields of the change, which no seal is bound to.

        Raises:
            PayloadTooLarge: what is to be sealed is longer than a record may be.
        """
        follows = Base.of(base)
        bound: dict[str, Any] = {
            "collection": collection,
            "record_id": record_id,
            "base_revision": follows.revision,
            "parent": follows.payload_hash,
            "labels": labels,
            "source": source,
            "occurred_at": occurred_at,
            "deleted": deleted,
        }
        by = self.account.device if device is None else device
        at = self.clock() if written_at is None else written_at
        sealed = payload if isinstance(payload, bytes) else payload(**bound, device=by, written_at=at)
        return Change(**bound, payload=sealed, device_id=by, client_updated_at=at, **further)

    async def put(
        self,
        changes: Sequence[Change],
        *,
        policy: Callable[[str], RecordPolicy] = endpoint_policy,
        atomic: bool = False,
        within_quota: bool = True,
        most_bytes: int | None = None,
        opened: object | None = None,
    ) -> Pushed:
        """Write changes that the server made, or that came one by one.

        Arguments:
            policy: the rules of the payloads.
            atomic: all of them or none.
            within_quota: False where a change only replaces what it follows.
            most_bytes: how long a payload may be, if not as long as this server takes.
            opened: as for `Written`.

        Raises:
            TierRequired: the account's tier holds no records.
            QuotaExceeded: the account would hold more than it may.
        """
        limit = self._rules.record_bytes if most_bytes is None else most_bytes
        pushed = await self._push(changes, atomic=atomic, policy=policy, most_bytes=limit)
        if within_quota and pushed.moved:
            added = sum(
                bytes_needed(change)
                for change, outcome in zip(changes, pushed.outcomes, strict=True)
                if outcome.status in ("applied", "conflict")
            )
            await self._rules.quota.require_after(self.connection, self.user_id, added)
        await self._tell(changes, pushed.outcomes, moved=pushed.moved, opened=opened)
        return pushed

    async def put_all(self, changes: Sequence[Change], **options: Any) -> Pushed:
        """Write changes of which the store takes every one.

        Raises:
            PayloadTooLarge, ChangeRejected, KeyRetired, SealRequired: it does not take one of them.
        """
        pushed = await self.put(changes, atomic=True, **options)
        for outcome in pushed.outcomes:
            if outcome.status != "applied":
                raise refusal(outcome.code, limit_bytes=outcome.limit_bytes)
        return pushed

    async def completed(self, change: Change, opened: object | None) -> list[Change]:
        """Return a change, and behind it what is to be written with it; ``opened`` is as for `Written`.

        The caller holds the lock of the account's history.
        """
        return [change, *[each for add in self._rules.additions for each in await add(self, change, opened)]]

    async def put_one(self, change: Change, *, opened: object | None = None, **options: Any) -> Record:
        """Write the change that follows a record behind the lock, and what goes with it; return what it made.

        Raises:
            PayloadTooLarge, ChangeRejected, KeyRetired, SealRequired: the store does not take one of them.
        """
        changes = await self.completed(change, opened)
        return (await self.put_all(changes, opened=opened, **options)).outcomes[0].record()

    async def delete(self, current: Record, payload: bytes | Seal = b"", **options: Any) -> Record:
        """Delete the ``current`` record, and return its tombstone, which says its date and source as far as it does.

        Raises:
            SealRequired: the account has a keyring, and the ``payload`` is no sealed tombstone.
        """
        tombstone = self.change(current.collection, current.record_id, current, payload,
            source=current.source, occurred_at=current.occurred_at, deleted=True,
        )  # fmt: skip
        return await self.put_one(tombstone, **options)

    async def deleted_content(self, current: Record) -> Record | None:
        """Return the revision by which a deleted record is restored; None where it was purged."""
        return await diary.last_content(self.connection, self.user_id, current.collection, current.record_id)

    async def revision(self, collection: str, record_id: str, number: int) -> Record | None:
        """Return one revision of a record, the present one or an earlier one that is kept."""
        return await diary.read_revision(self.connection, self.user_id, collection, record_id, number)

    async def page(self, wanted: Wanted, *, limit: int) -> Page[CurrentRecord]:
        """Return a page of the entries that are ``wanted``, as they stand in this transaction."""
        return await diary.list_by_date(self.connection, self.user_id, wanted, limit=limit, with_last=False)

    async def push(self, changes: Sequence[Change], *, atomic: bool, epoch: str | None) -> Pushed:
        """Write what a device sends: each change for itself, as far as the quota goes.

        Raises:
            TierRequired: the account's tier holds no records.
            EpochChanged: the changes were made in an epoch that has ended.
        """
        quota = await self._rules.quota.bytes_left(self.connection, self.user_id)
        pushed = await self._push(
            changes, atomic=atomic, policy=sync_policy, epoch=epoch, quota=quota, most_bytes=self._rules.record_bytes
        )
        await self._tell(changes, pushed.outcomes, moved=pushed.moved)
        return pushed

    async def _push(self, changes: Sequence[Change], **options: Any) -> Pushed:
        return await service.push(self.connection, self.user_id, changes, now=self.clock(), **options)

    async def _tell(
        self, changes: Sequence[Change], outcomes: Sequence[Outcome], *, moved: bool, opened: object | None = None
    ) -> None:
        if moved:
            self.tx.wake(self.user_id)
        await tell(self._rules, [Written(self.tx, self.account, changes, outcomes, opened)])

    async def keep(self, change: Change) -> UUID:
        """Keep a refused change as an open conflict; the same payload is the same conflict, however often it comes.

        Raises:
            PayloadTooLarge: there is more of it than a record may hold.
            QuotaExceeded: the account would hold more than it may.
        """
        if len(change.payload) > self._rules.record_bytes:
            raise PayloadTooLarge(limit_bytes=self._rules.record_bytes)
        repository = RecordRepository(self.connection, self.user_id)
        [conflict_id], _ = await repository.keep_conflicts([change], now=self.clock())
        await self._rules.quota.require_after(self.connection, self.user_id, len(change.payload))
        await self._tell([change], [Outcome("conflict", conflict_id=str(conflict_id))], moved=True)
        return conflict_id

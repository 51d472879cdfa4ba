"""Pushes that arrive while others are being written, written together: one transaction for as many as there are.

Nothing waits for company. The first push begins at once; those that come before its commit are the next group, whoever
they are of, and so on. So a push waits for one commit at most before its own begins, and the more there are, the less
each costs. What does not go through with the group goes alone, as does every push of a group that failed.

An account whose head another process holds is written apart, so that nobody else waits for it: one transaction waits
for the head, and takes along all pushes of that account that have come by the time it has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import structlog

from lockleaf.server.identity.principal import Asking, Principal, admitted, who, who_of_several
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.together import settle
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.records.outcomes import Pushed
from lockleaf.server.records.together import Left, Part, push_together, wait_for_head
from lockleaf.server.records.writer import AccountRecords, Rules, Written, tell
from lockleaf.wire.sync import Push

__all__ = ["Gathering"]

MOST_CHANGES = 8
MOST_BYTES = 64 * 1024
"""Of one push that goes with others: a larger one would have them wait for it."""
MOST_OF_A_GROUP = 64
MOST_APART = 1000
"""Accounts of which is remembered, while nothing of theirs waits, that another process writes them too."""

log = structlog.get_logger("lockleaf.sync")


@dataclass(frozen=True, slots=True)
class _Waiting:
    asking: Asking
    body: Push
    done: asyncio.Future[Pushed | None]
    """What became of it; None where it is left to go alone."""


@dataclass(slots=True)
class _Apart:
    """Pushes of an account whose head another process held, and what writes them."""

    waiting: list[_Waiting] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None

    def take(self) -> list[_Waiting]:
        """Return the pushes of the next transaction, which wait no longer."""
        group = self.waiting[:MOST_OF_A_GROUP]
        del self.waiting[:MOST_OF_A_GROUP]
        return group


_Result = Pushed | Left | Exception
"""What became of a push: an exception is raised to who asked."""


class Gathering:
    """Writes what devices push, in one process.

    Args:
        database: where.
        clock: gives the present time.
        rules: of the store.
    """

    def __init__(self, database: Database, clock: Clock, rules: Rules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._apart: dict[UUID, _Apart] = {}

    async def push(self, asking: Asking, body: Push) -> Pushed:
        """Apply a push, and return what became of it once it is committed.

        Raises:
            SessionRevoked, AccountDisabled, InsufficientScope, TierRequired: it is not theirs to push.
            EpochChanged: the changes were made in an epoch that has ended.
        """
        if self._goes_along(asking, body):
            waiting = _Waiting(asking, body, asyncio.get_running_loop().create_future())
            if asking.user_id in self._apart:
                self._write_apart(waiting)
            else:
                self._waiting.append(waiting)
                if self._writing is None:
                    self._writing = asyncio.create_task(self._write_all())
            pushed = await waiting.done
            if pushed is not None:
                return pushed
        return await self._push_alone(asking, body)

    def _goes_along(self, asking: Asking, body: Push) -> bool:
        """Whether a push is small, nothing of it has to be opened for its account alone, and one node has all accounts.

        Of several, each would take part in the commit of every group, and one that does not answer would hold up all.
        """
        return (
            not self._database.distributed
            and not asking.has_key
            and not body.atomic
            and 0 < len(body.changes) <= MOST_CHANGES
            and sum(len(change.payload) for change in body.changes) <= MOST_BYTES
        )

    async def _push_alone(self, asking: Asking, body: Push) -> Pushed:
        async with self._database.read_driver() as connection:
            principal = admitted(await who(connection, asking), "sync", write=True)
        async with self._database.transaction() as tx:
            records = AccountRecords(tx, principal, self._clock, self._rules)
            return await records.push(body.changes, atomic=body.atomic, epoch=body.epoch)

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group = self._waiting[:MOST_OF_A_GROUP]
                del self._waiting[:MOST_OF_A_GROUP]
                await self._write(group)
        finally:
            self._writing = None

    async def _write(self, group: Sequence[_Waiting]) -> None:
        """Write a group, and tell each of it what became of its push, or have it wait for its account's head."""
        try:
            async with self._database.transaction() as tx:
                results = await self._written(tx, group)
        except Exception as error:
            results = _alone(group, error)
        except BaseException:
            _give_up(group)
            raise
        for each, result in zip(group, results, strict=True):
            if result is Left.HELD:
                self._write_apart(each)
            else:
                _tell(each, result)

    def _write_apart(self, each: _Waiting) -> None:
        user_id = each.asking.user_id
        apart = self._apart.setdefault(user_id, _Apart())
        apart.waiting.append(each)
        if apart.writing is None:
            apart.writing = asyncio.create_task(self._write_all_of(user_id, apart))

    async def _write_all_of(self, user_id: UUID, apart: _Apart) -> None:
        """Write what waits for the head of one account, which stays apart as long as another process writes it too."""
        contended = False
        try:
            while apart.waiting:
                contended = await self._write_behind(user_id, apart)
        finally:
            apart.writing = None
            if not contended or len(self._apart) > MOST_APART:
                self._apart.pop(user_id, None)

    async def _write_behind(self, user_id: UUID, apart: _Apart) -> bool:
        """Wait for the head of an account, and write what has come by then; tell whether the head had to be waited for.

        The group is taken when the head is there, and not before: what comes while another process writes goes along.
        """
        group: list[_Waiting] = []
        contended = False
        try:
            async with self._database.transaction() as tx:
                contended = await wait_for_head(tx.connection, user_id)
                group = apart.take()
                results = await self._written(tx, group)
        except Exception as error:
            if not group and isinstance(error, asyncpg.LockNotAvailableError):
                # Alone each would wait as long again, and on a connection of its own.
                group = apart.take()
                results = [error] * len(group)
            else:
                group = group or apart.take()
                results = _alone(group, error)
        except BaseException:
            _give_up([*group, *apart.waiting])
            raise
        for each, result in zip(group, results, strict=True):
            _tell(each, result)
        return contended

    async def _written(self, tx: Transaction, group: Sequence[_Waiting]) -> list[_Result]:
        results: list[_Result] = [Left.ALONE] * len(group)
        found = await who_of_several(tx.connection, [each.asking for each in group])
        pushing: list[tuple[int, Principal]] = []
        for position, principal in enumerate(found):
            try:
                if isinstance(principal, DomainError):
                    raise principal
                pushing.append((position, admitted(principal, "sync", write=True)))
            except DomainError as error:
                results[position] = error
        parts = [Part(each.user_id, group[at].body.changes, group[at].body.epoch) for at, each in pushing]
        if parts:
            rules, now = self._rules, self._clock()
            pushed = await push_together(tx.connection, parts, rules.quota, now=now, most_bytes=rules.record_bytes)
            written = []
            for (position, principal), became in zip(pushing, pushed, strict=True):
                results[position] = became
                if isinstance(became, Pushed):
                    written.append(Written(tx, principal, group[position].body.changes, became.outcomes))
                    if became.moved:
                        tx.wake(principal.user_id)
            if written:
                await tell(self._rules, written)
        return results


def _alone(group: Sequence[_Waiting], error: Exception) -> list[_Result]:
    # Whatever it was: alone, each of them meets it or does not. What was committed nevertheless is recognised.
    log.warning("pushes go alone", count=len(group), cause=type(error).__name__)
    return [Left.ALONE] * len(group)


def _give_up(group: Sequence[_Waiting]) -> None:
    for each in group:
        each.done.cancel()


def _tell(each: _Waiting, result: _Result) -> None:
    settle(each.done, result if isinstance(result, (Pushed, Exception)) else None)

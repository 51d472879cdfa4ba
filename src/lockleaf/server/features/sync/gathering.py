"""Pushes that arrive while others are being written, written together: one transaction for as many as there are.

Nothing waits for company. The first push begins at once; those that come before its commit are the next group, whoever
they are of, and so on. So a push waits for one commit at most before its own begins, and the more there are, the less
each costs. What does not go through with the group goes alone, as does every push of a group that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from lockleaf.server.identity.principal import Asking, Principal, admitted, who, who_of_several
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.records.outcomes import Pushed
from lockleaf.server.records.together import Part, push_together
from lockleaf.server.records.writer import AccountRecords, Rules, Written, tell
from lockleaf.wire.sync import Push

__all__ = ["Gathering"]

MOST_CHANGES = 8
MOST_BYTES = 64 * 1024
"""Of one push that goes with others: a larger one would have them wait for it."""
MOST_OF_A_GROUP = 64

log = structlog.get_logger("lockleaf.sync")


@dataclass(frozen=True, slots=True)
class _Waiting:
    asking: Asking
    body: Push
    done: asyncio.Future[Pushed | None]
    """What became of it; None where it is left to go alone."""


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

    async def push(self, asking: Asking, body: Push) -> Pushed:
        """Apply a push, and return what became of it once it is committed.

        Raises:
            SessionRevoked, AccountDisabled, InsufficientScope, TierRequired: it is not theirs to push.
            EpochChanged: the changes were made in an epoch that has ended.
        """
        if self._goes_along(asking, body):
            waiting = _Waiting(asking, body, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            if self._writing is None:
                self._writing = asyncio.create_task(self._write_all())
            pushed = await waiting.done
            if pushed is not None:
                return pushed
        return await self._push_alone(asking, body)

    def _goes_along(self, asking: Asking, body: Push) -> bool:
        """Whether a push is small, and nothing of it has to be opened for its account alone."""
        return (
            not asking.has_key
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
        """Write a group, and tell each of it what became of its push."""
        results: Sequence[Pushed | DomainError | None]
        try:
            results = await self._committed(group)
        except Exception as error:
            # Whatever it was: alone, each of them meets it or does not. What was committed nevertheless is recognised.
            log.warning("pushes go alone", count=len(group), cause=type(error).__name__)
            results = [None] * len(group)
        except BaseException:
            for each in group:
                each.done.cancel()
            raise
        for each, result in zip(group, results, strict=True):
            if each.done.done():  # whoever asked is gone
                continue
            if isinstance(result, DomainError):
                each.done.set_exception(result)
            else:
                each.done.set_result(result)

    async def _committed(self, group: Sequence[_Waiting]) -> list[Pushed | DomainError | None]:
        results: list[Pushed | DomainError | None] = [None] * len(group)
        async with self._database.transaction() as tx:
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
                    if became is not None:
                        written.append(Written(tx, principal, group[position].body.changes, became.outcomes))
                        if became.moved:
                            tx.wake(principal.user_id)
                if written:
                    await tell(self._rules, written)
        return results

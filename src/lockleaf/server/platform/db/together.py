"""Questions that arrive while others are being answered, put to the database in one statement.

Nothing waits for company. What comes in one turn of the event loop is asked at its end; what comes before the answer
is the next statement, and so on. So a question waits for one answer at most before its own is asked for, and not for a
slow one; no answer is older than its question; and the more questions there are, the less each costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import asyncpg
import structlog

from lockleaf.server.platform.db.engine import Database

__all__ = ["ALONE", "Alone", "Together", "settle"]

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 64
"""Questions of one statement."""
SLOW_SECONDS = 0.02
"""After so long an answer is waited for no more by those who want to ask: its statement waits for a lock, or for a
connection that is gone, of which nobody may hear for minutes.
"""
PATIENCE = 4
"""How many times as long for each that is late: a slow database is not asked by ever more statements."""

log = structlog.get_logger("lockleaf.database")


class Alone:
    """In place of an answer: the question is to be asked by itself."""


ALONE = Alone()


class _Waiting(NamedTuple, Generic[Q, A]):
    question: Q
    answer: asyncio.Future[A | Alone]


class Together(Generic[Q, A]):
    """Asks questions of one kind, in one process.

    Of a database of several nodes each is asked by itself: one statement is one account's there.

    Args:
        database: where.
        alone: asks one question.
        together: asks several; gives for each, in their order, its answer, what is raised to who asked, or `ALONE`.
    """

    def __init__(
        self,
        database: Database,
        *,
        alone: Callable[[asyncpg.Connection, Q], Awaitable[A]],
        together: Callable[[asyncpg.Connection, Sequence[Q]], Awaitable[Sequence[A | Exception | Alone]]],
    ) -> None:
        self._database = database
        self._alone = alone
        self._together = together
        self._waiting: list[_Waiting[Q, A]] = []
        self._prompt: object | None = None
        """The statement on its way whose answer is not late yet."""
        self._late = 0
        """How many are on their way whose answers are."""
        self._timer: asyncio.TimerHandle | None = None
        """Looks, where somebody waits, whether the prompt one is late."""
        self._since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """Return the answer to a question, or raise what it is answered with."""
        if self._database.distributed:
            return await self._ask_alone(question)
        waiting: _Waiting[Q, A] = _Waiting(question, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._prompt is None:
            self._begin()
        else:
            self._watch()
        answer = await waiting.answer
        return await self._ask_alone(question) if isinstance(answer, Alone) else answer

    async def _ask_alone(self, question: Q) -> A:
        async with self._database.read_driver() as connection:
            return await self._alone(connection, question)

    # ---- statements on their way ----

    @property
    def _patience(self) -> float:
        return float(SLOW_SECONDS * PATIENCE**self._late)

    def _begin(self) -> None:
        """Ask what waits at the end of this turn of the loop, with what has come by then."""
        self._prompt = statement = object()
        self._since = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._ask_together(statement))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, statement: object) -> None:
        if statement is self._prompt:
            self._prompt = None
        else:
            self._late -= 1
        self._go_on()

    def _watch(self) -> None:
        """See to it that those who wait do not wait for long behind the prompt statement."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._prompt is None or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        left = self._since + self._patience - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
            return
        self._prompt = None
        self._late += 1
        self._go_on()

    def _go_on(self) -> None:
        """Ask what has come meanwhile."""
        if self._waiting and self._prompt is None:
            self._begin()

    async def _ask_together(self, statement: object) -> None:
        """Ask, and tell each of those who still wait."""
        present = [each for each in self._waiting if not each.answer.done()]
        group, self._waiting = present[:MOST], present[MOST:]
        if self._waiting:
            self._watch()
        try:
            answers = await self._answers([each.question for each in group])
        except BaseException:
            for each in group:
                each.answer.cancel()
            raise
        finally:
            self._end(statement)
        for each, answer in zip(group, answers, strict=True):
            settle(each.answer, answer)

    async def _answers(self, questions: Sequence[Q]) -> Sequence[A | Exception | Alone]:
        try:
            match questions:
                case []:
                    return []
                case [question]:
                    return [await self._ask_alone(question)]
                case _:
                    async with self._database.read_driver() as connection:
                        return await self._together(connection, questions)
        except Exception as error:
            if len(questions) == 1:
                return [error]
            # Whatever it was: by itself, each of them meets it or does not.
            log.warning("questions are asked one by one", count=len(questions), cause=type(error).__name__)
            return [ALONE] * len(questions)


def settle(waiting: asyncio.Future[A], answer: A | Exception) -> None:
    """Give who waits for an answer that answer, or raise it there; nothing where whoever waited is gone."""
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)

"""Questions that come together are asked together: each has its own answer, none at the cost of another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.features.entries.reads import EntryReads
from lockleaf.server.features.sync.polls import Polls
from lockleaf.server.identity.callers import Callers
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.together import ALONE, Alone, Together
from lockleaf.server.platform.parts import Parts
from tests.support.accounts import Owner, change, following, register, sealed

T = TypeVar("T", bound=Together[Any, Any])

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))"
"""How many statements wait for what one connection holds."""


# ---- what asks ----


class Squares(Together[int, int]):
    """Has PostgreSQL multiply; keeps how many were asked together, and fails or waits where it is told to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, alone=self.one, together=self.several)
        self.sizes: list[int] = []
        self.fails: set[int] = set()
        self.lock: int | None = None

    async def one(self, connection: asyncpg.Connection, number: int) -> int:
        """Multiply one; -1 waits for the lock."""
        if number == -1:
            await connection.execute("SELECT pg_advisory_lock($1), pg_advisory_unlock($1)", self.lock)
        divisor = int(number not in self.fails)
        found: int = await connection.fetchval("SELECT $1::bigint * $1 / $2::bigint", number, divisor)
        return found

    async def several(self, connection: asyncpg.Connection, numbers: Sequence[int]) -> list[int | Exception | Alone]:
        """Multiply several. Multiples of ten are left, those of seven are refused; -1 waits for the lock."""
        self.sizes.append(len(numbers))
        if -1 in numbers:
            await connection.execute("SELECT pg_advisory_lock($1), pg_advisory_unlock($1)", self.lock)
        rows = await connection.fetch(
            "SELECT n * n / (n <> ALL ($2::bigint[]))::int AS square"
            " FROM unnest($1::bigint[]) WITH ORDINALITY AS asked(n, position) ORDER BY position",
            numbers,
            list(self.fails),
        )
        return [
            ALONE if n % 10 == 0 else LookupError(n) if n % 7 == 0 else row["square"]
            for n, row in zip(numbers, rows, strict=True)
        ]


@pytest.fixture
def squares(app: FastAPI) -> Squares:
    return Squares(app.state.parts[Database])


async def answers_to(asked: Together[int, int], numbers: Sequence[int]) -> list[Any]:
    return await asyncio.gather(*map(asked.ask, numbers), return_exceptions=True)


async def test_what_comes_while_others_are_answered_is_one_statement(squares: Squares) -> None:
    numbers = [n for n in range(1, 190) if n % 7 and n % 10]
    assert await answers_to(squares, numbers) == [n * n for n in numbers]
    assert max(squares.sizes) == 64
    assert len(squares.sizes) < 8
    # All are answered, and the next one begins anew.
    assert await squares.ask(5) == 25


async def test_each_has_its_own_answer(squares: Squares) -> None:
    found = await answers_to(squares, range(1, 60))
    for number, answer in list(enumerate(found, start=1))[4:]:
        if number % 10 == 0 or number % 7:
            assert answer == number * number
        else:
            assert isinstance(answer, LookupError)


async def test_one_that_fails_fails_alone(squares: Squares) -> None:
    squares.fails = {33}
    numbers = [n for n in range(1, 50) if n % 7]
    found = dict(zip(numbers, await answers_to(squares, numbers), strict=True))
    assert isinstance(found.pop(33), asyncpg.DivisionByZeroError)
    assert found == {n: n * n for n in numbers if n != 33}


async def test_who_gives_up_takes_nobody_along(squares: Squares) -> None:
    numbers = [n for n in range(1, 30) if n % 7 and n % 10]
    asking = [asyncio.create_task(squares.ask(n)) for n in numbers]
    await asyncio.sleep(0)  # all have asked, and the first two are on their way
    gone = [*asking[:2], *asking[5:8]]
    for each in gone:
        each.cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    for number, task, answer in zip(numbers, asking, found, strict=True):
        assert isinstance(answer, asyncio.CancelledError) if task in gone else answer == number * number
    assert await squares.ask(6) == 36


async def test_one_that_waits_keeps_nobody_waiting(squares: Squares, database_url: str) -> None:
    squares.lock = 4711
    holder = await asyncpg.connect(database_url)
    try:
        await holder.execute("SELECT pg_advisory_lock(4711)")
        slow = asyncio.create_task(squares.ask(-1))
        while not await holder.fetchval(WAITING, holder.get_server_pid()):
            await asyncio.sleep(0.01)
        numbers = [n for n in range(1, 90) if n % 7 and n % 10]
        assert await answers_to(squares, numbers) == [n * n for n in numbers]
        assert not slow.done()
    finally:
        await holder.close()
    assert await slow == 1


async def test_several_that_wait_keep_nobody_waiting_whoever_of_them_gives_up(
    squares: Squares, database_url: str
) -> None:
    squares.lock = 4712
    holder = await asyncpg.connect(database_url)

    async def until_they_wait(count: int) -> None:
        while await holder.fetchval(WAITING, holder.get_server_pid()) != count:
            await asyncio.sleep(0.01)

    try:
        await holder.execute("SELECT pg_advisory_lock(4712)")
        gone = [asyncio.create_task(squares.ask(-1))]
        await until_they_wait(1)
        gone.append(asyncio.create_task(squares.ask(-1)))
        await until_they_wait(2)
        behind = [asyncio.create_task(squares.ask(n)) for n in (5, 6, -1, 8)]
        await asyncio.sleep(0)
        behind[1].cancel()
        await until_they_wait(3)
        assert squares.sizes == [3]
        assert await squares.ask(9) == 81
        for each in gone:
            each.cancel()
        await asyncio.wait(gone)
        assert await squares.ask(11) == 121
        assert [each.done() for each in behind] == [False, True, False, False]
    finally:
        await holder.close()
    assert [await behind[n] for n in (0, 2, 3)] == [25, 1, 64]
    # Nothing is left of what was late: what comes now is one statement after the other again.
    sizes = len(squares.sizes)
    assert await answers_to(squares, range(1, 7)) == [n * n for n in range(1, 7)]
    assert squares.sizes[sizes:] == [6]


async def test_of_several_nodes_each_is_asked_by_itself(own_app: FastAPI) -> None:
    database = own_app.state.parts[Database]
    squares = Squares(database)
    await squares.ask(1)  # a connection tells what kind of database it is
    database.distributed = True
    assert await answers_to(squares, range(50)) == [n * n for n in range(50)]
    assert squares.sizes == []


# ---- what the server asks so ----


def counted(parts: Parts, kind: type[T]) -> list[int]:
    """Return where the sizes of what one part asks together are kept."""
    sizes: list[int] = []

    class Counted(kind):  # type: ignore[misc, valid-type]
        def __init__(self, database: Database) -> None:
            super().__init__(database)
            together = self._together

            async def counting(connection: asyncpg.Connection, questions: Sequence[Any]) -> Any:
                sizes.append(len(questions))
                return await together(connection, questions)

            self._together = counting

    parts.add(kind, Counted(parts[Database]))
    return sizes


@pytest.fixture
async def people(http: httpx.AsyncClient) -> list[Owner]:
    return [await register(http) for _ in range(4)]


@pytest.fixture
async def refused(http: httpx.AsyncClient) -> list[Owner]:
    """One who signed out, one whose server holds no records, one whose session is for something else."""
    gone, low, narrow = await register(http), await register(http, privacy_tier="local_only"), await register(http)
    await gone.request("POST", "/auth/logout")
    limited = await http.post(
        "/auth/login", json={"email": narrow.email, "password": narrow.password, "scope": "vault"}
    )
    return [gone, low, Owner(http, narrow.email, narrow.password, limited.json())]


REFUSALS = [(401, "session_revoked"), (403, "tier_required"), (403, "insufficient_scope")]


def refusals(answers: Sequence[httpx.Response]) -> list[tuple[int, str]]:
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


async def test_polls_of_a_moment_are_one_statement_and_each_is_told_its_own(
    replaceable: Parts, people: list[Owner], refused: list[Owner]
) -> None:
    cursors = {}
    for each in people:
        await each.push(*(change() for _ in range(len(cursors) + 1)))
        cursors[each.email] = (await each.feed())["cursor"]
    late = people[-1]
    alone = {each.email: await each.feed(cursors[each.email]) for each in people}
    assert all(page["changes"] == [] and page["epochs"] for page in alone.values())
    written = change()
    await late.push(written)
    sizes = counted(replaceable, Polls)

    async def poll(owner: Owner) -> Any:
        return await owner.feed(cursors[owner.email])

    pages, told = await asyncio.gather(
        asyncio.gather(*(poll(each) for each in people * 5)),
        asyncio.gather(*(each.request("GET", "/sync/changes") for each in refused)),
    )
    assert max(sizes) > len(people)
    assert len(sizes) < 20
    for owner, page in zip(people * 5, pages, strict=True):
        if owner is late:
            assert [each["record_id"] for each in page["changes"]] == [written["record_id"]]
        else:
            assert page == alone[owner.email]
    assert refusals(told) == REFUSALS


async def test_reads_of_a_moment_are_one_statement_and_each_is_given_its_own(
    replaceable: Parts, people: list[Owner], refused: list[Owner]
) -> None:
    small, large, deleted = change(), change(payload=sealed(200_000)), change()
    owner, other = people[:2]
    await owner.push(small, large, deleted)
    await owner.push(following(deleted, payload=b"", deleted=True))
    theirs = change()
    await other.push(theirs)
    wanted = [
        (owner, small, 200),
        (owner, large, 200),
        (owner, deleted, 200),
        (owner, theirs, 404),
        (other, theirs, 200),
        (other, small, 404),
    ]
    alone = [(await each.request("GET", f"/entries/{entry['record_id']}")).json() for each, entry, _ in wanted]
    sizes = counted(replaceable, EntryReads)
    answers, told = await asyncio.gather(
        asyncio.gather(*(each.request("GET", f"/entries/{entry['record_id']}") for each, entry, _ in wanted * 3)),
        asyncio.gather(*(each.request("GET", f"/entries/{small['record_id']}") for each in refused)),
    )
    assert max(sizes) > 2
    assert len(sizes) < 18
    for answer, (_, _, status), body in zip(answers, wanted * 3, alone * 3, strict=True):
        assert answer.status_code == status
        if status == 200:
            assert answer.json() == body
    assert refusals(told) == REFUSALS


async def test_who_signs_out_is_out_at_once_among_others_that_ask(replaceable: Parts, people: list[Owner]) -> None:
    sizes = counted(replaceable, Callers)
    leaving, *others = people
    finished = asyncio.Event()

    async def keep_asking(owner: Owner) -> list[int]:
        statuses = []
        while not finished.is_set():
            statuses.append((await owner.request("GET", "/auth/me")).status_code)
        return statuses

    async def ask_and_leave() -> list[int]:
        before = [(await leaving.request("GET", "/auth/me")).status_code for _ in range(5)]
        assert (await leaving.request("POST", "/auth/logout")).status_code == 204
        after = [(await leaving.request("GET", "/auth/me")).status_code for _ in range(5)]
        finished.set()
        return before + after

    told, *all_others = await asyncio.gather(ask_and_leave(), *(keep_asking(each) for each in others * 4))
    assert told == [200] * 5 + [401] * 5
    assert all(set(statuses) == {200} for statuses in all_others)
    assert max(sizes) > 1

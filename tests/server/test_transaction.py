"""One request is one transaction, and its commit comes before its answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, driver
from lockleaf.server.platform.db.transaction import CommitThenRefuse
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.http.dependencies import Read, Tx
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.jobs.attempt import Attempt
from lockleaf.server.records.errors import RevisionConflict
from tests.support.account_holders import Person
from tests.support.job_workers import PATIENCE_SECONDS, working

FAILS_AT_COMMIT = """
CREATE TABLE {name} (value int PRIMARY KEY);
CREATE FUNCTION {name}_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.value < 0 THEN RAISE EXCEPTION 'refused at commit'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER {name}_at_commit AFTER INSERT ON {name} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION {name}_check();
"""


class Table:
    """A table of the test's own that refuses negative numbers at the commit, and not before."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.name = f"at_commit_{secrets.token_hex(4)}"
        self.connection = connection

    async def values(self) -> list[int]:
        """What is committed."""
        return [row["value"] for row in await self.connection.fetch(f"SELECT value FROM {self.name} ORDER BY value")]


@pytest.fixture
async def table(database_url: str) -> AsyncIterator[Table]:
    connection = await asyncpg.connect(database_url)
    try:
        table = Table(connection)
        await connection.execute(FAILS_AT_COMMIT.format(name=table.name))
        yield table
        await connection.execute(f"DROP TABLE {table.name}; DROP FUNCTION {table.name}_check()")
    finally:
        await connection.close()


@pytest.fixture
def called() -> list[int]:
    """What was called after a commit."""
    return []


@pytest.fixture
async def api(own_app: FastAPI, table: Table, called: list[int]) -> AsyncIterator[httpx.AsyncClient]:
    """The real application with routes that write into the table in each way that its own routes do."""
    app = own_app
    insert = f"INSERT INTO {table.name} VALUES ($1)"

    @app.post("/by-statement/{value}")
    async def by_statement(value: int, tx: Tx) -> dict[str, int]:
        tx.after_commit(lambda: called.append(value))
        await tx.session.execute(text(f"INSERT INTO {table.name} VALUES (:value)"), {"value": value})
        return {"value": value}

    @app.post("/by-driver/{value}")
    async def by_driver(value: int, tx: Tx) -> dict[str, int]:
        # As the very first statement: nothing else has begun the transaction.
        await tx.connection.execute(insert, value)
        return {"value": value}

    @app.post("/refused/{value}")
    async def refused(value: int, tx: Tx) -> None:
        tx.after_commit(lambda: called.append(value))
        await tx.connection.execute(insert, value)
        raise RevisionConflict(current_revision=1)

    @app.post("/failing/{value}")
    async def failing(value: int, tx: Tx) -> None:
        await tx.session.execute(text("SELECT 1"))
        await tx.connection.execute(insert, value)
        raise ZeroDivisionError

    @app.post("/by-reader/{value}")
    async def by_reader(value: int, session: Read) -> None:
        await (await driver(session)).execute(insert, value)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lockleaf.test") as client:
        yield client


@pytest.mark.parametrize("route", ["by-statement", "by-driver"])
async def test_what_a_route_wrote_is_committed_when_its_answer_comes(
    api: httpx.AsyncClient, table: Table, route: str
) -> None:
    answer = await api.post(f"/{route}/1")
    assert (answer.status_code, answer.json()) == (200, {"value": 1})
    assert await table.values() == [1]


@pytest.mark.parametrize("route", ["by-statement", "by-driver"])
async def test_a_commit_that_fails_is_answered_as_a_failure(api: httpx.AsyncClient, table: Table, route: str) -> None:
    answer = await api.post(f"/{route}/-1")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "refused at commit" not in answer.text
    assert await table.values() == []


async def test_statements_through_the_driver_go_with_the_transaction_even_as_its_first(
    api: httpx.AsyncClient, table: Table
) -> None:
    answer = await api.post("/refused/1")
    assert (answer.status_code, answer.json()["code"]) == (409, "revision_conflict")
    assert (await api.post("/failing/2")).status_code == 500
    assert await table.values() == []
    assert (await api.post("/by-driver/3")).status_code == 200  # the connections are good for the next request
    assert await table.values() == [3]


async def test_what_waits_for_the_commit_is_called_after_one_and_only_then(
    api: httpx.AsyncClient, table: Table, called: list[int]
) -> None:
    await api.post("/by-statement/-1")
    await api.post("/refused/2")
    assert called == []
    await api.post("/by-statement/3")
    assert called == [3]


async def test_a_reading_session_cannot_write(api: httpx.AsyncClient, table: Table) -> None:
    assert (await api.post("/by-reader/1")).status_code == 500
    assert await table.values() == []


async def test_both_ways_of_making_statements_see_one_transaction(app: FastAPI, table: Table) -> None:
    count = text(f"SELECT count(*) FROM {table.name}")
    with pytest.raises(ZeroDivisionError):
        async with app.state.parts[Database].transaction() as tx:
            await tx.connection.execute(f"INSERT INTO {table.name} VALUES (1)")
            assert await tx.session.scalar(count) == 1
            await tx.session.execute(text(f"INSERT INTO {table.name} VALUES (2)"))
            assert len(await tx.connection.fetch(f"SELECT FROM {table.name}")) == 2
            raise ZeroDivisionError
    assert await table.values() == []


async def test_a_refusal_can_leave_what_was_written(own_app: FastAPI, table: Table) -> None:
    app = own_app

    @app.post("/kept")
    async def kept(tx: Tx) -> None:
        await tx.connection.execute(f"INSERT INTO {table.name} VALUES (1)")
        raise CommitThenRefuse(RevisionConflict(current_revision=1))

    @app.post("/kept-in-vain")
    async def kept_in_vain(tx: Tx) -> None:
        await tx.connection.execute(f"INSERT INTO {table.name} VALUES (-1)")
        raise CommitThenRefuse(RevisionConflict(current_revision=1))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lockleaf.test") as client:
        answer = await client.post("/kept")
        assert (answer.status_code, answer.json()["code"]) == (409, "revision_conflict")
        assert (await client.post("/kept-in-vain")).status_code == 500
    assert await table.values() == [1]


async def test_an_account_is_woken_by_whatever_committed(app: FastAPI, database_url: str) -> None:
    """A request, a job, or anything else that opens a transaction: none has to remember what waits for its commit."""
    parts = app.state.parts
    by_anything, by_job = uuid4(), uuid4()

    async def handler(attempt: Attempt) -> None:
        async with attempt.transaction() as tx:
            tx.wake(by_job)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await parts[EventHub].listening.wait()
        with parts[EventHub].subscription(by_anything) as woken:
            async with parts[Database].transaction() as tx:
                tx.wake(by_anything)
                assert not woken.is_set()
            await woken.wait()
        with parts[EventHub].subscription(by_job) as woken:
            async with parts[Database].transaction() as tx:
                await jobs.enqueue(tx.session, user_id=by_job, kind="tests.wakes", now=parts[Clock]())
            async with working(parts, database_url, {"tests.wakes": handler}):
                await woken.wait()


async def test_nobody_is_woken_by_what_was_rolled_back(app: FastAPI) -> None:
    parts = app.state.parts
    rolled_back, committed = uuid4(), uuid4()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await parts[EventHub].listening.wait()
        with parts[EventHub].subscription(rolled_back) as unmoved, parts[EventHub].subscription(committed) as woken:
            with pytest.raises(ZeroDivisionError):
                async with parts[Database].transaction() as tx:
                    tx.wake(rolled_back)
                    raise ZeroDivisionError
            async with parts[Database].transaction() as tx:
                tx.wake(committed)
            await woken.wait()  # notifications come in their order
            assert not unmoved.is_set()


async def test_a_body_that_does_not_end_holds_no_connection(app: FastAPI, http: httpx.AsyncClient) -> None:
    person = await Person().sign_up(http)
    half, end = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"display_name": '
        half.set()
        await end.wait()
        yield b'"Ada"}'

    headers = {**person.headers, "Content-Type": "application/json"}
    request = asyncio.create_task(http.put("/users/me", content=slowly(), headers=headers))
    await half.wait()
    assert app.state.parts[Database].writing.pool.checkedout() == 0
    end.set()
    assert (await request).status_code == 200


async def test_nothing_is_asked_about_the_types_of_what_our_statements_take(app: FastAPI) -> None:
    arrays = "bool bytea bigint smallint int text real float8 varchar date timestamp timestamptz interval numeric uuid"
    columns = ", ".join(f"'{{}}'::{name}[]" for name in arrays.split())
    statement = f"SELECT {columns}, '[1]'::json, '[1]'::jsonb"
    sent: list[str] = []
    async with app.state.parts[Database].read_driver() as connection:
        connection.add_query_logger(lambda query: sent.append(query.query))
        assert list(await connection.fetchrow(statement)) == [[]] * len(arrays.split()) + [[1], [1]]
        await asyncio.sleep(0)
        assert sent == [statement]
        await connection.fetchval("SELECT '{}'::inet[]")
        await asyncio.sleep(0)
        assert any("pg_type" in each for each in sent)  # of others it is asked

"""One request is one transaction, and its commit comes before its answer."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.server.platform.db.engine import driver
from lockleaf.server.platform.http.dependencies import Read, Tx
from lockleaf.server.records.errors import RevisionConflict

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
async def api(app: FastAPI, table: Table, called: list[int]) -> AsyncIterator[httpx.AsyncClient]:
    """The real application with routes that write into the table in each way that its own routes do."""
    insert = f"INSERT INTO {table.name} VALUES ($1)"

    @app.post("/by-statement/{value}")
    async def by_statement(value: int, session: Tx) -> dict[str, int]:
        session.info.setdefault("after_commit", []).append(lambda: called.append(value))
        await session.execute(text(f"INSERT INTO {table.name} VALUES (:value)"), {"value": value})
        return {"value": value}

    @app.post("/by-driver/{value}")
    async def by_driver(value: int, session: Tx) -> dict[str, int]:
        # As the very first statement: nothing else has begun the transaction.
        await (await driver(session)).execute(insert, value)
        return {"value": value}

    @app.post("/refused/{value}")
    async def refused(value: int, session: Tx) -> None:
        session.info.setdefault("after_commit", []).append(lambda: called.append(value))
        await (await driver(session)).execute(insert, value)
        raise RevisionConflict(current_revision=1)

    @app.post("/failing/{value}")
    async def failing(value: int, session: Tx) -> None:
        await session.execute(text("SELECT 1"))
        await (await driver(session)).execute(insert, value)
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

"""A job is queued with the transaction that asks for it, by ids alone, in the tables that its library expects."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pgqueuer.adapters.persistence.schema_ddl import render_install
from pgqueuer.domain.settings import DBSettings

from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs import queue
from lockleaf.server.platform.jobs import service as jobs
from lockleaf.server.platform.jobs.errors import JobNotFound
from tests.support.account_holders import problem
from tests.support.accounts import Owner, register


@pytest.fixture
def database(app: FastAPI) -> Database:
    return app.state.parts[Database]


async def _queued(database: Database, job_id: UUID) -> list[asyncpg.Record]:
    async with database.read_driver() as connection:
        return await connection.fetch("SELECT * FROM pgqueuer WHERE dedupe_key = $1", str(job_id))


async def _enqueue(database: Database, user_id: UUID, kind: str = "tests.nothing", **arguments: object) -> UUID:
    async with database.transaction() as tx:
        job = await jobs.enqueue(tx.session, user_id=user_id, kind=kind, arguments=arguments, now=datetime.now(UTC))
    return job.job_id


def _user(owner: Owner) -> UUID:
    return UUID(owner.answer["id"])


async def test_the_migration_makes_what_the_installed_library_would(database: Database) -> None:
    async with database.read_driver() as connection:
        plan = await queue.queries(connection).plan_upgrade()
    assert plan.statements == ()
    assert plan.notes == ()


async def test_the_migration_keeps_the_librarys_own_words() -> None:
    from importlib import import_module

    migration = import_module("lockleaf.server.platform.db.migrations.versions.0003_the_queue")
    installed = render_install(queue.NAMES).partition("\n")[2]
    assert migration.QUEUE.split() == installed.split()


async def test_names_of_the_environment_do_not_move_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUER_PREFIX", "other_")
    monkeypatch.setenv("FUNCTION", "other")
    given = {name: getattr(queue.NAMES, name) for name in DBSettings.model_fields}
    assert DBSettings(**given) == queue.NAMES
    assert DBSettings() != queue.NAMES


async def test_a_job_is_queued_with_the_transaction_that_asks_for_it(database: Database) -> None:
    job_id = await _enqueue(database, uuid4())
    (row,) = await _queued(database, job_id)
    assert (row["entrypoint"], row["status"]) == ("tests.nothing", "queued")


async def test_a_job_of_a_transaction_that_is_rolled_back_is_not_queued(database: Database) -> None:
    # Nothing ran in the session before: a statement on the driver alone would have stood for itself.
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            job = await jobs.enqueue(tx.session, user_id=uuid4(), kind="tests.nothing", now=datetime.now(UTC))
            job_id, user_id = job.job_id, job.user_id
            raise ZeroDivisionError
    assert await _queued(database, job_id) == []
    async with database.reader() as read:
        with pytest.raises(JobNotFound):
            await jobs.get(read, user_id, job_id)


async def test_the_queue_knows_ids_and_nothing_else(database: Database) -> None:
    user_id = uuid4()
    job_id = await _enqueue(database, user_id, detail="what the handler has to know")
    (row,) = await _queued(database, job_id)
    assert row["payload"] == user_id.bytes + job_id.bytes
    assert row["headers"] in (None, "null")
    assert b"what the handler" not in repr(dict(row)).encode()


async def test_an_account_lists_its_jobs_newest_first_in_pages(http: httpx.AsyncClient, database: Database) -> None:
    owner, other = await register(http), await register(http)
    made = [str(await _enqueue(database, _user(owner), f"tests.{number}")) for number in range(5)]
    await _enqueue(database, _user(other))
    listed, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await owner.request("GET", "/jobs", params=params)).json()
        assert len(page["items"]) <= 2
        listed += [item["id"] for item in page["items"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert sorted(listed) == sorted(made)
    assert listed == sorted(listed, reverse=True)


async def test_a_job_tells_its_state_and_nothing_that_is_not_known_yet(
    http: httpx.AsyncClient, database: Database
) -> None:
    owner = await register(http)
    job_id = await _enqueue(database, _user(owner))
    answer = await owner.request("GET", f"/jobs/{job_id}")
    body = answer.json()
    assert datetime.fromisoformat(body.pop("created_at")) <= datetime.now(UTC)
    assert body == {
        "id": str(job_id),
        "kind": "tests.nothing",
        "state": "queued",
        "progress": {"done": 0, "total": 0},
    }


async def test_anothers_job_is_told_from_none_by_nothing(http: httpx.AsyncClient, database: Database) -> None:
    owner, other = await register(http), await register(http)
    theirs = await other.request("GET", f"/jobs/{await _enqueue(database, _user(owner))}")
    nobodys = await other.request("GET", f"/jobs/{uuid4()}")
    assert problem(theirs, 404, "not_found") == problem(nobodys, 404, "not_found")


async def test_a_cursor_of_another_account_is_refused(http: httpx.AsyncClient, database: Database) -> None:
    owner, other = await register(http), await register(http)
    for _ in range(2):
        await _enqueue(database, _user(owner))
    cursor = (await owner.request("GET", "/jobs", params={"limit": 1})).json()["next_cursor"]
    problem(await other.request("GET", "/jobs", params={"cursor": cursor}), 422, "invalid_cursor")


async def test_jobs_need_the_scope_of_the_account(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    login = {"email": owner.email, "password": owner.password, "scope": "sync"}
    token = (await http.post("/auth/login", json=login)).json()["access_token"]
    for path in ("/jobs", f"/jobs/{uuid4()}"):
        answer = await http.get(path, headers={"Authorization": f"Bearer {token}"})
        problem(answer, 403, "insufficient_scope")
        problem(await http.get(path), 401, "not_authenticated")

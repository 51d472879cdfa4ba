"""Deleting an account leaves nothing, even of what is being written at that moment."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
from fastapi import FastAPI

from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import service
from lockleaf.wire.sync import Change
from tests.support.accounts import change, register

TABLES = ("accounts", "email_directory", "sessions", "heads", "epochs", "changes", "records", "revisions", "conflicts")


async def test_what_is_written_while_the_account_is_deleted_goes_with_it(app: FastAPI, http: httpx.AsyncClient) -> None:
    owner = await register(http)
    user_id = UUID(owner.answer["id"])
    await owner.results(change(), change())
    parts = app.state.parts
    async with parts[Database].transaction() as writing:
        new = Change.model_validate(change())
        await service.push(writing.connection, user_id, [new], now=parts[Clock]())
        deleting = asyncio.create_task(owner.request("DELETE", "/users/me", json={"current_password": owner.password}))
        await _until_somebody_waits_for_a_lock(parts[Database])
    answer = await deleting
    assert answer.status_code in (200, 204), answer.text
    async with parts[Database].read_driver() as connection:
        left = {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", user_id)
            for table in TABLES
        }
    assert left == dict.fromkeys(TABLES, 0)


async def _until_somebody_waits_for_a_lock(database: Database) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20), database.read_driver() as connection:
        while not await connection.fetchval(waiting):
            await asyncio.sleep(0)

"""Declaring that the database was put back: every account goes on in a new epoch, once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from lockleaf.crypto.history import epoch_head
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import service as records
from lockleaf.server.records.restores import declare_restored
from lockleaf.wire.sync import Change
from tests.support.accounts import change, register


async def test_every_account_goes_on_from_where_its_history_ends(http: httpx.AsyncClient, database_url: str) -> None:
    owner, other = await register(http), await register(http)
    told = await owner.push(change(), change())
    began = await other.feed()
    done = await declare_restored(database_url)
    assert done.accounts >= 2
    page = await owner.feed()
    assert [(each["from_seq"], each["ended"]) for each in page["epochs"]] == [(0, False), (2, False)]
    present = page["epochs"][-1]
    assert (present["epoch"], present["from_head"]) == (page["epoch"], told["head"])
    assert page["head"] == epoch_head(page["epoch"], 2, told["head"])
    assert (len(page["changes"]), page["seq"]) == (2, 2)
    empty = await other.feed()
    assert empty["epochs"][-1]["from_head"] == began["head"]
    stale = await owner.request("GET", "/sync/changes", params={"after": told["cursor"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "epoch_changed")
    assert (await owner.push(change()))["results"] == [{"status": "applied", "seq": 3, "revision": 1}]


async def test_declaring_it_again_changes_only_what_was_written_to_since(
    http: httpx.AsyncClient, database_url: str
) -> None:
    owner, other = await register(http), await register(http)
    await owner.push(change())
    await declare_restored(database_url)
    once = [await each.feed() for each in (owner, other)]
    await owner.push(change())
    again = await declare_restored(database_url)
    assert again.unchanged >= 1
    assert (await other.feed())["epoch"] == once[1]["epoch"]
    assert (await owner.feed())["epoch"] != once[0]["epoch"]
    assert (await declare_restored(database_url)).accounts == 0


async def test_a_write_in_progress_is_in_the_history_that_the_new_epoch_goes_on_from(
    app: FastAPI, http: httpx.AsyncClient, database_url: str
) -> None:
    owner = await register(http)
    parts = app.state.parts
    async with parts[Database].transaction() as writing:
        new = Change.model_validate(change())
        await records.push(writing.connection, UUID(owner.answer["id"]), [new], now=parts[Clock]())
        declaring = asyncio.create_task(declare_restored(database_url))
        # Until it waits for the head that this transaction holds.
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%picked%'"
        # A connection of its own: within a transaction what is seen of others stays the same.
        watching = await asyncpg.connect(database_url)
        async with asyncio.timeout(120):
            while not await watching.fetchval(waiting):
                assert not declaring.done()
        await watching.close()
    await declaring
    page = await owner.feed()
    assert (page["seq"], page["epochs"][-1]["from_seq"], len(page["changes"])) == (1, 1, 1)

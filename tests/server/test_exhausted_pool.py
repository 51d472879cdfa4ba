"""A pool without a connection left: who needs one is asked to come back, and those who do not go on."""

from __future__ import annotations

import asyncio

import asyncpg

from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import problem, served
from tests.support.accounts import change, register

WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid))
"""


async def test_without_a_connection_left_requests_are_asked_to_come_back_and_find_one_then(
    settings: Settings, database_url: str
) -> None:
    few = settings.database.model_copy(update={"pool_size": 1, "pool_timeout_seconds": 0.2})
    async with served(settings.model_copy(update={"database": few})) as (_, http):
        owner = await register(http)
        holder = await asyncpg.connect(database_url)
        try:
            async with holder.transaction(), asyncio.timeout(60):
                await holder.execute("SELECT FROM heads WHERE user_id = $1 FOR UPDATE", owner.answer["id"])
                pushing = asyncio.create_task(owner.push(change()))
                while not await holder.fetchval(WAITING, holder.get_server_pid()):
                    await asyncio.sleep(0.01)
                # The one connection for writing waits with the push.
                preferences = [
                    owner.request("PUT", "/users/me/preferences", json={"daily_word_goal": goal}) for goal in range(5)
                ]
                for answer in await asyncio.gather(*preferences):
                    problem(answer, 503, "database_busy")
                    assert int(answer.headers["retry-after"]) > 0
                assert (await owner.request("GET", "/auth/me")).status_code == 200
                assert (await http.get("http://lockleaf.test/health")).status_code == 200
                assert not pushing.done()
        finally:
            await holder.close()
        assert (await pushing)["results"][0]["status"] == "applied"
        answer = await owner.request("PUT", "/users/me/preferences", json={"daily_word_goal": 7})
        assert (answer.status_code, answer.json()["daily_word_goal"]) == (200, 7)

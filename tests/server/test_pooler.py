"""PgBouncer in transaction mode between server and database: everything works by it, and its absence is told."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lockleaf.server.main.maintenance.findings import Surroundings
from lockleaf.server.main.maintenance.poolers import pooler as examine
from lockleaf.server.main.preparation import prepare
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.connections import connect
from lockleaf.server.platform.db.pooler import connect_query
from lockleaf.server.platform.db.unusable import DatabaseUnusable
from lockleaf.server.platform.settings import DatabaseSettings, Settings
from tests.conftest import migrated_database
from tests.support.accounts import change, following, register
from tests.support.database_link import DatabaseLink, database_link
from tests.support.feeds import Reader
from tests.support.front_proxies import Pooler, pgbouncer
from tests.support.process import running_server
from tests.support.uce_holders import Thin

AT_ONCE = 24
"""Requests at once, of which PgBouncer has four sessions for."""


@dataclass
class Pooled:
    """A database, the pooler before it, and how a server is told of both."""

    link: DatabaseLink
    pooler: Pooler
    environment: Mapping[str, str]

    def settings(self, **database: object) -> Settings:
        return Settings(
            database=DatabaseSettings(url=self.link.url, **database),
            secrets={"roots": (self.environment["LOCKLEAF_SECRETS__ROOTS"],)},
        )


@pytest.fixture
async def pooled(server_environment: dict[str, str], tmp_path: Path) -> AsyncIterator[Pooled]:
    url = await asyncio.to_thread(migrated_database, f"pooled_{secrets.token_hex(4)}")
    async with database_link(url) as link:
        with pgbouncer(link.url) as pooler:
            environment = {
                **server_environment,
                "DATABASE_URL": link.url,
                "LOCKLEAF_DATABASE__POOLER_URL": pooler.url,
                "LOCKLEAF_DATA_DIR": str(tmp_path / "data"),
                "LOCKLEAF_JOBS__IN_PROCESS": "true",
            }
            yield Pooled(link, pooler, environment)


async def _examined(settings: Settings) -> str:
    assert settings.database.url is not None
    connection = await connect(settings.database.url.get_secret_value())
    try:
        finding = await examine(Surroundings(settings, connection, Clock()()))
    finally:
        await connection.close()
    return f"{finding.level}: {finding.says}. {finding.do or ''}"


async def _until_ready(http: httpx.AsyncClient, ready: bool) -> httpx.Response:
    async with asyncio.timeout(60):
        while ((answer := await http.get("/ready")).status_code == 200) is not ready:
            await asyncio.sleep(0.05)
    return answer


async def test_everything_works_by_a_pooler_that_changes_sessions_and_is_there_again_when_that_is(
    pooled: Pooled, tmp_path: Path
) -> None:
    # The link of the database is served by this loop.
    starting = running_server(pooled.environment, log=tmp_path / "log")
    server = await asyncio.to_thread(starting.__enter__)
    try:
        async with (
            httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http,
            httpx.AsyncClient(base_url=server.url, timeout=60) as site,
        ):
            owner, other = await register(http), await register(http)
            async with http.stream("GET", "/sync/events", headers={"Authorization": f"Bearer {owner.token}"}) as stream:
                told = (json.loads(line[5:])["seq"] async for line in stream.aiter_lines() if line.startswith("data:"))
                assert await anext(told) == 0
                firsts = [change() for _ in range(AT_ONCE)]
                await asyncio.gather(
                    *[owner.results(each) for each in firsts], *[other.results(change()) for _ in firsts]
                )
                await asyncio.gather(*[owner.results(following(each)) for each in firsts])
                async with asyncio.timeout(60):
                    while await anext(told) < 2 * AT_ONCE:
                        pass
            assert len(await Reader(owner, limit=10).read_all()) == 2 * AT_ONCE

            thin = await Thin().sign_up(http)
            written = await http.post("/entries", json={"content": "a heron on the dyke"}, headers=thin.headers)
            assert written.status_code == 201, written.text
            found = await http.post("/search", json={"query": "herons"}, headers=thin.headers)
            assert [each["entry"]["content"] for each in found.json()["items"]] == ["a heron on the dyke"]
            job = (await http.post("/users/me/export", headers=thin.headers)).json()
            async with asyncio.timeout(60):
                while (state := (await http.get(f"/jobs/{job['id']}", headers=thin.headers)).json())[
                    "state"
                ] != "succeeded":
                    assert state["state"] in ("queued", "running"), state
                    await asyncio.sleep(0.05)

            pooled.pooler.kill()
            missing = await _until_ready(site, False)
            assert (missing.status_code, missing.json()["database"]["code"]) == (503, "database_unavailable")
            assert int(missing.headers["retry-after"]) > 0
            refused = await owner.request("GET", "/auth/me")
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            await asyncio.to_thread(pooled.pooler.start)
            await _until_ready(site, True)
            await owner.results(change())
            assert len(await Reader(owner).read_all()) == 2 * AT_ONCE + 1
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)


async def test_what_is_wrong_with_a_pooler_is_told_by_the_doctor_and_at_the_start(pooled: Pooled) -> None:
    assert pooled.pooler.connect_query == connect_query(DatabaseSettings())  # the page's is the one that is wanted
    well = await _examined(pooled.settings(pooler_url=pooled.pooler.url))
    assert well == "ok: requests go by a pooler, whose sessions are set up. "
    lacking = await _examined(pooled.settings(pooler_url=pooled.pooler.url, lock_timeout_seconds=3))
    assert lacking.startswith("warning: the pooler's sessions lack settings: lock_timeout. ")
    assert "SET lock_timeout = 3000" in lacking
    assert await _examined(pooled.settings()) == "ok: there is none; requests go to PostgreSQL itself. "
    with pytest.raises(DatabaseUnusable, match="LOCKLEAF_DATABASE__POOLER_URL"):
        await asyncio.to_thread(prepare, pooled.pooler.url, False, False)
    # One that takes settings, and drops them: live events and locks would fail without a word.
    with pgbouncer(pooled.link.url, "ignore_startup_parameters = jit\n") as silent:
        mistaken = Settings(database_url=silent.url, secrets=pooled.settings().secrets)
        assert (await _examined(mistaken)).startswith("problem: DATABASE_URL leads to a pooler in transaction mode.")
        with pytest.raises(DatabaseUnusable, match="LOCKLEAF_DATABASE__POOLER_URL"):
            await asyncio.to_thread(prepare, silent.url, False, False)
    pooled.pooler.kill()
    gone = await _examined(pooled.settings(pooler_url=pooled.pooler.url))
    assert gone.startswith("problem: the pooler of LOCKLEAF_DATABASE__POOLER_URL cannot be used.")


def test_a_pooler_without_the_way_around_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(ValueError, match="needs DATABASE_URL beside it"):
        Settings(database=DatabaseSettings(pooler_url="postgresql://pooler/lockleaf"))

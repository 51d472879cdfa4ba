"""Rates that all replicas count together, in a real Valkey: what a thief of it learns, and what its death does."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.server.platform.limits.rates import Rates
from lockleaf.server.platform.limits.shared import SharedStore
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.settings import MetricsSettings, RateSettings, Settings
from tests.support.account_holders import Person, new_email, served
from tests.support.valkeys import Valkey, running_valkey

HERE = "198.51.100.7"


@pytest.fixture(scope="module")
def kept_valkey() -> Iterator[Valkey]:
    with running_valkey() as running:
        yield running


@pytest.fixture
def valkey(kept_valkey: Valkey) -> Valkey:
    """One that is there and answers; a test may have killed it."""
    if not kept_valkey.runs:
        kept_valkey.start()
    return kept_valkey


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logging.configure(stream=stream)
    yield stream
    logging.configure()


def events(log: io.StringIO) -> list[str]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line["event"] for line in lines if line["logger"] == "lockleaf.rates"]


@asynccontextmanager
async def replica(settings: Settings, valkey: Valkey, **rates: Any) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    store = RateSettings(store=valkey.url, store_retry_seconds=0.05, **rates)
    more = {"rates": store, "metrics": MetricsSettings(open=True)}
    async with served(settings.model_copy(update=more), address=HERE) as serving:
        yield serving


async def guess(http: httpx.AsyncClient, email: str) -> int:
    answer = await http.post("/auth/login", json={"email": email, "password": "wrong secret"})
    return answer.status_code


async def is_degraded(http: httpx.AsyncClient) -> bool:
    answer = await http.get("http://lockleaf.test/ready")
    told = answer.json()
    assert (answer.status_code, told["ready"], told["rates"]["ok"]) == (200, True, True)
    return bool(told["rates"]["code"] == "degraded")


async def until_it_is_back(app: FastAPI) -> None:
    """Wait for the task that asks the store again."""
    store: SharedStore = app.state.parts[Rates]._shared
    assert store._healing is not None
    async with asyncio.timeout(20):
        await store._healing


async def test_replicas_count_together(settings: Settings, valkey: Valkey) -> None:
    email = new_email()
    async with (
        replica(settings, valkey, login_account="4/hour", shares=4) as (_, one),
        replica(settings, valkey, login_account="4/hour", shares=4) as (_, other),
    ):
        assert [await guess(http, email) for http in (one, other, one, other, one, other)] == [401] * 4 + [429] * 2


async def test_who_reads_the_store_learns_no_address_and_no_email(settings: Settings, valkey: Valkey) -> None:
    person = Person()
    async with replica(settings, valkey) as (_, http):
        await person.sign_up(http)
        assert await guess(http, person.email) == 401
        assert (await http.get("/auth/me", headers=person.headers)).status_code == 200
    stolen = valkey.dump()
    assert b"login_account" not in stolen
    for known in (HERE, person.email, person.email.partition("@")[0], str(person.id)):
        assert known.encode() not in stolen


async def test_a_store_that_dies_leaves_rates_in_memory_says_so_and_is_taken_back(
    settings: Settings, valkey: Valkey, log: io.StringIO
) -> None:
    email = new_email()
    async with replica(settings, valkey, login_account="2/hour") as (app, http):
        assert await guess(http, email) == 401
        assert not await is_degraded(http)
        valkey.kill()
        # As many again, and no more: they are counted, in this process.
        assert [await guess(http, email) for _ in range(3)] == [401, 401, 429]
        assert await is_degraded(http)
        figures = await http.get("http://lockleaf.test/metrics")
        assert "lockleaf_rates_degraded 1.0" in figures.text
        valkey.start()
        await until_it_is_back(app)
        assert not await is_degraded(http)
        assert [await guess(http, email) for _ in range(3)] == [401, 401, 429]
    assert events(log) == ["rates_degraded", "rates_restored"]


async def test_a_store_that_hangs_holds_no_request(settings: Settings, valkey: Valkey, log: io.StringIO) -> None:
    async with replica(settings, valkey, store_seconds=0.1) as (app, http):
        valkey.freeze()
        try:
            # Each waits for the store's time at most, and none after the first that found it lost.
            assert set(await asyncio.gather(*[guess(http, new_email()) for _ in range(12)])) == {401}
            assert await is_degraded(http)
        finally:
            valkey.thaw()
        await until_it_is_back(app)
        assert await guess(http, new_email()) == 401
    assert events(log) == ["rates_degraded", "rates_restored"]


async def test_a_server_starts_without_its_store(settings: Settings, valkey: Valkey) -> None:
    valkey.kill()
    async with replica(settings, valkey) as (app, http):
        async with asyncio.timeout(30):  # it listens for news a moment after its start
            while not (await http.get("http://lockleaf.test/ready")).json()["ready"]:
                await asyncio.sleep(0.01)
        assert await is_degraded(http)
        assert await guess(http, new_email()) == 401
        valkey.start()
        await until_it_is_back(app)
        assert not await is_degraded(http)


def test_a_store_of_an_unknown_kind_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="begins with one of") as refused:
        RateSettings(store="memcached://operator:hunter2@cache")
    assert "hunter2" not in str(refused.value)

"""A history that begins anew between what a device read and what it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest

from lockleaf.client.errors import HistoryForked, ServerRestored
from lockleaf.wire.codec import unpack
from tests.support.backups import Backup
from tests.support.journal_devices import TestAccount, new_account
from tests.support.networks import Network
from tests.support.process import RunningServer
from tests.support.scripted_server import OURS


class Interrupted(Network):
    """Lets something happen at the server before each push arrives there, ``times`` times."""

    def __init__(self, happen: Callable[[], Awaitable[None]], times: int = 1) -> None:
        super().__init__()
        self._happen, self._times = happen, times

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._times and request.url.path.endswith("/sync/push"):
            self._times -= 1
            await self._happen()
        return await super().handle_async_request(request)


@pytest.fixture
async def account(server: RunningServer) -> TestAccount:
    return await new_account(server.url)


@pytest.fixture
async def backup(account: TestAccount, database_url: str) -> AsyncIterator[Backup]:
    connection = await asyncpg.connect(database_url)
    try:
        yield Backup(connection, account.user_id)
    finally:
        await connection.close()


async def test_nothing_is_stored_on_a_restored_server_before_its_user_was_asked(
    account: TestAccount, tmp_path: Path, backup: Backup
) -> None:
    async with account.device(tmp_path / "one") as one:
        await one.journal.write(body="kept")
        await one.sync()
        await backup.take()
        lost = await one.journal.write(body="lost")
        await one.sync()
        await one.journal.write(body="written meanwhile")
    network = Interrupted(lambda: backup.restore("second"))
    async with account.device(tmp_path / "one", http_transport=network) as one:
        with pytest.raises(ServerRestored) as caught:
            await one.sync()
        assert [record_id for _, record_id in caught.value.missing] == [lost.id]
        assert network.count("POST", "/sync/push") == 1
        report = await one.sync(accept_restore=True)
        assert (report.seq, report.pending, report.epoch) == (3, 0, "second")
    async with account.device(tmp_path / "two") as two:
        await two.sync()
        assert sorted((await two.bodies()).values()) == ["kept", "lost", "written meanwhile"]


async def test_a_device_that_lost_nothing_goes_on_once_another_one_confirmed_the_new_epoch(
    account: TestAccount, tmp_path: Path, backup: Backup
) -> None:
    async with account.device(tmp_path / "one") as one:
        await one.journal.write(body="kept")
        await one.sync()
        await backup.take()
        await one.journal.write(body="written meanwhile")

    async def restored() -> None:
        await backup.restore("second")
        async with account.device(tmp_path / "two") as two:
            await two.sync(accept_restore=True)

    network = Interrupted(restored)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        report = await one.sync()
        assert (report.seq, report.pending, report.epoch) == (2, 0, "second")
        assert network.count("POST", "/sync/push") == 2
        pushed = [unpack(content)["epoch"] for _, path, content in network.sent if path.endswith("/sync/push")]
        assert pushed[1] == "second" != pushed[0]


class Refusing(Network):
    """Answers every push as if its epoch had ended, whatever the history says."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if not request.url.path.endswith("/sync/push"):
            return response
        await response.aclose()
        facts = {"type": "about:blank", "title": "t", "detail": "d", "status": 409, "code": "epoch_changed"}
        return httpx.Response(409, json=facts, headers={"content-type": "application/problem+json", **OURS})


async def test_a_server_that_refuses_an_epoch_and_shows_it_is_caught(account: TestAccount, tmp_path: Path) -> None:
    network = Refusing()
    async with account.device(tmp_path / "one", http_transport=network) as one:
        await one.journal.write(body="kept here")
        with pytest.raises(HistoryForked):
            await one.sync()
        assert network.count("POST", "/sync/push") == 1
        assert list((await one.bodies()).values()) == ["kept here"]

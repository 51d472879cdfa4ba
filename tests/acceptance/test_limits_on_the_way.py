"""A proxy that takes no large request: what fits passes, and what does not is named and kept."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest

from lockleaf.client.errors import ConnectionBroken
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from tests.support.journal_devices import TestAccount, new_account
from tests.support.networks import Network
from tests.support.process import RunningServer

PAGE = b"<html><h1>413 Request Entity Too Large</h1>nginx</html>"


class Limiting(Network):
    """Takes requests of ``limit`` bytes at most; others are answered with a page, or with a closed connection."""

    def __init__(self, limit: int, *, hangs_up: bool = False) -> None:
        super().__init__()
        self.limit = limit
        self.hangs_up = hangs_up
        self.turned_away = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if int(request.headers.get("content-length", 0)) <= self.limit:
            return await super().handle_async_request(request)
        self.turned_away += 1
        if self.hangs_up:
            raise httpx.WriteError("closed", request=request)
        return httpx.Response(413, content=PAGE, headers={"content-type": "text/html"})


@pytest.fixture
async def account(server: RunningServer) -> TestAccount:
    return await new_account(server.url)


async def arrived(account: TestAccount, folder: Path) -> list[str]:
    """What another device finds, sorted."""
    async with account.device(folder) as two:
        await two.sync()
        return sorted([entry.body for entry in await two.journal.list()])


def text(size: int, seed: int) -> str:
    """Text that no compression makes shorter."""
    return random.Random(seed).randbytes(size // 2).hex()


@pytest.mark.parametrize("hangs_up", [False, True])
async def test_entries_that_fit_alone_arrive_and_the_limit_is_learnt_once(
    hangs_up: bool, account: TestAccount, tmp_path: Path
) -> None:
    network = Limiting(300_000, hangs_up=hangs_up)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        bodies = ["small", *(text(200_000, seed) for seed in range(4))]
        for body in bodies:
            await one.journal.write(body=body)
        report = await one.sync()
        assert (report.pushed, report.pending, report.rejected) == (5, 0, ())
        # Each halving is refused once, not once an entry: a line that hangs up is tried a few times each.
        assert network.turned_away <= 3 * (one.transport.retry.attempts if hangs_up else 1)
    assert await arrived(account, tmp_path / "two") == sorted(bodies)


@pytest.mark.parametrize("hangs_up", [False, True])
async def test_an_entry_that_never_fits_is_named_and_lets_the_others_pass(
    hangs_up: bool, account: TestAccount, tmp_path: Path
) -> None:
    network = Limiting(150_000, hangs_up=hangs_up)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        large = await one.journal.write(body=text(400_000, 1))
        bodies = ["one", "two", text(100_000, 2)]
        for body in bodies:
            await one.journal.write(body=body)
        for number in range(2):
            report = await one.sync()
            (refusal,) = report.rejected
            assert (refusal.record_id, refusal.code) == (large.id, "too_large_for_proxy")
            assert refusal.size is not None
            assert refusal.size > 150_000
            assert report.pending == 1
            assert await arrived(account, tmp_path / f"two-{number}") == sorted(bodies)
            bodies.append(f"another {number}")
            await one.journal.write(body=bodies[-1])
        network.limit = 10_000_000
        report = await one.sync()
        assert (report.rejected, report.pending) == ((), 0)
    assert await arrived(account, tmp_path / "later") == sorted([*bodies, large.body])


async def test_an_entry_beyond_what_a_server_takes_is_kept_until_it_is_shorter(
    settings: Settings, account: TestAccount, tmp_path: Path
) -> None:
    most = 256 * 1024
    limited = create_app(
        settings.model_copy(update={"limits": settings.limits.model_copy(update={"record_bytes": most})})
    )
    async with (
        limited.router.lifespan_context(limited),
        account.device(tmp_path / "one", http_transport=httpx.ASGITransport(limited)) as one,
    ):
        large = await one.journal.write(body=text(2 * most, 1))
        await one.journal.write(body="small")
        for _ in range(2):
            report = await one.sync()
            (refusal,) = report.rejected
            assert (refusal.record_id, refusal.code, refusal.limit) == (large.id, "payload_too_large", most)
            assert refusal.size is not None
            assert refusal.size > 2 * most
            assert report.pending == 1
        assert await arrived(account, tmp_path / "two") == ["small"]
        await one.journal.edit(large.id, body="shorter")
        report = await one.sync()
        assert (report.rejected, report.pending) == ((), 0)
    assert await arrived(account, tmp_path / "later") == ["shorter", "small"]


async def test_a_line_on_which_nothing_passes_is_no_limit(account: TestAccount, tmp_path: Path) -> None:
    network = Limiting(150_000, hangs_up=True)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        await one.journal.write(body=text(400_000, 1))
        with pytest.raises(ConnectionBroken):
            await one.sync()

"""A crash of the database, of a worker or of the whole server loses and doubles nothing that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.accounts import Owner, change, following, register
from tests.support.feeds import Reader
from tests.support.process import RunningServer, start_server
from tests.support.processes import family, is_whole, job_workers, postmaster, wait_until_gone, workers

PUSHERS = 6
BATCHES = 30
"""Acknowledged batches between one crash and the next."""


class Traffic:
    """Concurrent pushers of two accounts, who retry what was not acknowledged, and note what was."""

    def __init__(self, owners: list[Owner]) -> None:
        self.owners = owners
        self.acknowledged: dict[str, list[tuple[int, str, int, bytes]]] = {owner.email: [] for owner in owners}
        self.failures: list[str] = []
        self._batches = 0
        self._moved = asyncio.Condition()
        self._finishing = False

    async def run_for(self, batches: int) -> None:
        """Wait until as many more batches are acknowledged."""
        goal = self._batches + batches
        async with self._moved:
            await self._moved.wait_for(lambda: self._batches >= goal)

    def finish(self) -> None:
        """Let the pushers end once what they have in hand is acknowledged."""
        self._finishing = True

    def start(self, group: asyncio.TaskGroup) -> None:
        """Let the pushers begin."""
        for number in range(PUSHERS):
            group.create_task(self._push(self.owners[number % len(self.owners)]))

    async def _push(self, owner: Owner) -> None:
        # One batch after another; each holds a new record and the next revision of the last one.
        last: dict[str, Any] | None = None
        while not self._finishing:
            new = change()
            batch = [new] if last is None else [following(last), new]
            results = await self._until_acknowledged(owner, batch)
            for sent, result in zip(batch, results, strict=True):
                assert result["status"] in ("applied", "unchanged"), result
                fact = (result["seq"], sent["record_id"], result["revision"], sha256(sent["payload"]).digest())
                self.acknowledged[owner.email].append(fact)
            last = new
            async with self._moved:
                self._batches += 1
                self._moved.notify_all()

    async def _until_acknowledged(self, owner: Owner, batch: list[dict[str, Any]]) -> Any:
        while True:
            try:
                return await owner.results(*batch)
            except httpx.TransportError as error:
                self.failures.append(type(error).__name__)
            except AssertionError as refused:
                assert "database_unavailable" in str(refused) or "database_busy" in str(refused), refused
                self.failures.append("database")
            await asyncio.sleep(0.05)  # what comes back is another process: nothing here can wait for it


@contextlib.contextmanager
def a_server(folder: Path) -> Iterator[RunningServer]:
    environment = {
        "LOCKLEAF_DATA_DIR": str(folder / "data"),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
    }
    server = start_server(environment, log=folder / "log", workers=2)
    try:
        yield server
    finally:
        server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()


def client(server: RunningServer) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=2 * PUSHERS)
    return httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60, limits=limits)


@contextlib.asynccontextmanager
async def traffic_on(server: RunningServer) -> AsyncIterator[Traffic]:
    async with client(server) as http:
        traffic = Traffic([await register(http), await register(http)])
        async with asyncio.TaskGroup() as group:
            traffic.start(group)
            yield traffic
        assert traffic.failures, "the crash was not noticed"
        await every_acknowledged_change_is_there_once(traffic)


async def every_acknowledged_change_is_there_once(traffic: Traffic) -> None:
    for owner in traffic.owners:
        leaves = await Reader(owner).read_all()  # contiguous, and the chain's head is the server's
        found = [(leaf.seq, leaf.record_id, leaf.revision, leaf.payload_hash) for leaf in leaves]
        assert found == sorted(traffic.acknowledged[owner.email])


def database(server: RunningServer) -> list[psutil.Process]:
    return [postmaster(server)]


def one_worker(server: RunningServer) -> list[psutil.Process]:
    return workers(server)[:1]


def everything_but_the_parent(server: RunningServer) -> list[psutil.Process]:
    return [*database(server), *workers(server), *job_workers(server)]


async def test_the_server_heals_by_itself_whichever_part_of_it_is_killed(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        async with traffic_on(server) as traffic:
            for victims in (database, one_worker, everything_but_the_parent):
                await traffic.run_for(BATCHES)
                async with asyncio.timeout(60):
                    while not is_whole(server, workers=2):
                        await asyncio.sleep(0.05)
                for victim in victims(server):
                    with contextlib.suppress(psutil.NoSuchProcess):  # a worker whose parent was the last victim
                        victim.kill()
            await traffic.run_for(BATCHES)
            traffic.finish()
        assert server.process.poll() is None


async def test_a_killed_server_leaves_no_process_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with a_server(tmp_path) as first:
        async with client(first) as http, contextlib.AsyncExitStack() as later:
            traffic = Traffic([await register(http), await register(http)])
            async with asyncio.TaskGroup() as group:
                traffic.start(group)
                await traffic.run_for(BATCHES)
                processes = family(first)
                assert {postmaster(first), *workers(first)} < set(processes)
                first.kill()
                await asyncio.to_thread(wait_until_gone, processes)
                second = later.enter_context(a_server(tmp_path))
                http_again = await later.enter_async_context(client(second))
                for owner in traffic.owners:
                    owner.http = http_again
                await traffic.run_for(BATCHES)
                traffic.finish()
            assert traffic.failures
            await every_acknowledged_change_is_there_once(traffic)

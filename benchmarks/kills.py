"""A server killed again and again under load, on its own database: what it acknowledged is there, once, each time.

``python -m benchmarks.kills 200`` kills it so often; ``make bench`` does so 20 times.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.report import Report
from tests.support.accounts import Owner, change, following, register
from tests.support.feeds import Reader
from tests.support.process import RunningServer, start_server

__all__ = ["KILLS", "run"]

KILLS = 20
PUSHERS = 4
BETWEEN = 20
"""Acknowledged pushes between a start and the next kill, together."""


class _Load:
    """Pushers of one account each, who send again what was not acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, set[tuple[str, int, bytes]]] = {}
        self.pushes = 0
        self.url = ""
        self.finishing = False
        self._moved = asyncio.Condition()

    async def go_on(self, pushes: int) -> None:
        goal = self.pushes + pushes
        async with self._moved:
            await self._moved.wait_for(lambda: self.pushes >= goal)

    async def push(self, owner: Owner) -> None:
        mine = self.acknowledged.setdefault(owner.email, set())
        last: dict[str, Any] | None = None
        while not self.finishing:
            new = change()
            batch = [new] if last is None else [following(last), new]
            results = await self._until_acknowledged(owner, batch)
            for sent, result in zip(batch, results, strict=True):
                assert result["status"] in ("applied", "unchanged"), result
                mine.add((sent["record_id"], result["revision"], sha256(sent["payload"]).digest()))
            last = new
            async with self._moved:
                self.pushes += 1
                self._moved.notify_all()

    async def _until_acknowledged(self, owner: Owner, batch: list[dict[str, Any]]) -> Any:
        while True:
            try:
                async with _client(self.url) as owner.http:
                    return await owner.results(*batch)
            except (httpx.TransportError, AssertionError):  # the server is gone, or its database not there yet
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as http:
        yield http


def _started(folder: Path) -> RunningServer:
    environment = {
        "LOCKLEAF_DATA_DIR": str(folder / "data"),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_TOKENS__ACCESS_MINUTES": "600",
    }
    return start_server(environment, log=folder / "log")


def _killed(server: RunningServer) -> None:
    """End everything of it at once: the parent and all that are in its session, PostgreSQL's guard with them."""
    server.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    assert server.process.stdout is not None
    server.process.stdout.close()


async def run(report: Report, kills: int = KILLS) -> None:
    """Kill a server ``kills`` times while it is written to, and count what it acknowledged.

    Raises:
        AssertionError: something acknowledged is not there, or is there twice.
    """
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as name:
        folder = Path(name)
        load, back = _Load(), []
        server = await asyncio.to_thread(_started, folder)
        load.url = server.url
        async with _client(server.url) as http:
            owners = [await register(http) for _ in range(PUSHERS)]
        async with asyncio.TaskGroup() as group:
            for owner in owners:
                group.create_task(load.push(owner))
            for _ in range(kills):
                await load.go_on(BETWEEN)
                _killed(server)
                began = time.perf_counter()
                server = await asyncio.to_thread(_started, folder)
                back.append(time.perf_counter() - began)
                load.url = server.url
            await load.go_on(BETWEEN)
            load.finishing = True
        found = 0
        async with _client(server.url) as http:
            for owner in owners:
                owner.http = http
                leaves = await Reader(owner).read_all()
                there = [(leaf.record_id, leaf.revision, leaf.payload_hash) for leaf in leaves]
                assert len(set(there)) == len(there)
                assert set(there) == load.acknowledged[owner.email]
                found += len(there)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()
        assert server.process.stdout is not None
        server.process.stdout.close()
    report.value(f"changes acknowledged while the server was killed {kills} times, all there once", found, "changes")
    report.value("from a kill until it answers again", median(back), "s")


if __name__ == "__main__":
    asyncio.run(run(Report("Kills"), int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))

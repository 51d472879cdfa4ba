"""Many write and many read one account at once: each reader sees every change exactly once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.accounts import Owner, change, following, register
from tests.support.feeds import Leaf, Reader
from tests.support.process import RunningServer, running_server

WRITERS = 8
READERS = 4
ROUNDS = 12


@pytest.fixture
def two_workers(server_environment: dict[str, str], tmp_path: Path) -> Iterator[RunningServer]:
    """A server whose two workers write one account in turns, each waiting for the other."""
    environment = {**server_environment, "LOCKLEAF_DATA_DIR": str(tmp_path)}
    with running_server(environment, log=tmp_path / "log", workers=2) as running:
        yield running


async def _write(owner: Owner, number: int) -> None:
    last = change(device_id=f"writer-{number}")
    await owner.results(last)
    for _ in range(ROUNDS):
        last = following(last)
        assert {result["status"] for result in await owner.results(last, change())} == {"applied"}


async def _read(reader: Reader, writing_ended: asyncio.Event) -> list[Leaf]:
    while True:
        at_end = writing_ended.is_set()
        if not await reader.poll() and at_end:
            return reader.leaves
        await asyncio.sleep(0)


async def test_each_reader_sees_each_change_once_in_order_and_without_a_gap(two_workers: RunningServer) -> None:
    limits = httpx.Limits(max_connections=WRITERS + READERS)
    async with httpx.AsyncClient(base_url=f"{two_workers.url}/api/v1", limits=limits, timeout=60) as http:
        owner = await register(http)
        writing_ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            # Pages of different sizes cut the feed at different places. A reader holds each page's seqs to be
            # contiguous, and its own chain to end in the head that the server names.
            reading = [
                group.create_task(_read(Reader(owner, limit=limit), writing_ended))
                for limit in (1, 3, 50, 500)[:READERS]
            ]
            async with asyncio.TaskGroup() as writers:
                for number in range(WRITERS):
                    writers.create_task(_write(owner, number))
            writing_ended.set()
        seen = [[leaf.seq for leaf in task.result()] for task in reading]
    assert seen == [list(range(1, WRITERS * (1 + 2 * ROUNDS) + 1))] * READERS
    assert len({tuple(task.result()) for task in reading}) == 1

"""What a quota and rates cost: a write to an account of 50,000 records, beside counting them; counting a request."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import jwt
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from benchmarks.load import Connection, request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer
from benchmarks.throughput import new_change, new_payload, register
from lockleaf.server.platform.limits.memory import Limit, SlidingWindows
from lockleaf.server.records import usage

__all__ = ["SETTINGS", "run"]

SETTINGS = {"LOCKLEAF_LIMITS__STORAGE_BYTES": str(10 * 1024**3)}
RECORDS = 50_000
BATCH = 500
WRITES = 100
HITS = 2_000
KEYS = 20_000

_COUNT = f"SELECT coalesce(sum(bytes), 0)::bigint FROM ({usage.OF_RECORDS.recount}) AS held WHERE user_id = $1"


async def _median(work, times: int) -> float:  # type: ignore[no-untyped-def]
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


async def run(server: BenchmarkServer, database_url: str, report: Report) -> None:
    """Fill an account, and write to it one by one with a quota; count its rows as each write had to before."""
    token = await register(server.url)
    user_id = UUID(jwt.decode(token, options={"verify_signature": False})["sub"])
    async with Connection("127.0.0.1", server.port) as client:

        async def push(many: int) -> None:
            body = {"changes": [new_change(new_payload()) for _ in range(many)]}
            await client.send(request_bytes("POST", "/api/v1/sync/push", token=token, body=body))

        small = await _median(lambda: push(1), WRITES)
        for _ in range(RECORDS // BATCH):
            await push(BATCH)
        large = await _median(lambda: push(1), WRITES)
    connection = await asyncpg.connect(database_url)
    counting = await _median(lambda: connection.fetchval(_COUNT, user_id), 20)
    kept = await _median(lambda: usage.kept(connection, user_id), WRITES)
    await connection.close()
    report.times(f"a write with a quota, {RECORDS:,} records", large, "ms", "the same, of none", small, at_most=1.5)
    report.times("reading what is kept of them", kept, "ms", "counting them", counting, at_most=0.05)
    await _count_requests(report)


async def _count_requests(report: Report) -> None:
    windows = SlidingWindows(Limit("benchmark-minute", 1_000_000, 60), 50_000)
    item, limiter = parse("1000000/minute"), SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(key: str) -> None:
        windows.hit(key)

    async def hit_theirs(key: str) -> None:
        await limiter.hit(item, key)

    ours, theirs = await _cost(hit), await _cost(hit_theirs)
    report.times(f"counting a request, {KEYS:,} addresses known", ours, "µs", "limits' own storage", theirs, at_most=1)


async def _cost(hit: Callable[[str], Awaitable[None]]) -> float:
    """Return how many microseconds it takes to count a request of one of many addresses."""
    for number in range(KEYS):
        await hit(f"address {number}")
        if not number % 1000:
            await asyncio.sleep(0)  # the storage of `limits` goes through its keys in tasks
    started = time.perf_counter()
    for number in range(HITS):
        await hit(f"address {number}")
        await asyncio.sleep(0)
    return (time.perf_counter() - started) / HITS * 1e6

"""A hundred people at once: how long each route takes while all of them are at it.

Each is an account of its own with a connection of its own, half of them in uce. They act about twice a second, as the
devices of some thousands of people do together. What nobody does twice a second (logging in, changing a password) is
done once by each, and what hardly anybody does at all by one in nine. Times are those that the client sees; the client
is a process on the same two cores.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from benchmarks.acts import EVERYDAY
from benchmarks.latencies import print_failures, print_latencies, quantile
from benchmarks.load import Connection, json_request_bytes
from benchmarks.people import MetricKeys, Times, User, connected
from benchmarks.report import Report
from benchmarks.seldom import LEFT_OUT, move, once
from benchmarks.servers import BenchmarkServer

__all__ = ["USERS", "run"]

USERS = 100
SECONDS = 60
MOVING = 9
"""One in so many moves: both custodies are among them, as it is odd."""


@asynccontextmanager
async def _users(port: int, times: Times, failures: dict[str, int]) -> AsyncIterator[list[User]]:
    metrics = MetricKeys()
    async with AsyncExitStack() as stack:
        yield [await connected(stack, port, times, failures, number, metrics) for number in range(USERS)]


async def _routes(port: int) -> set[str]:
    """Return every route of the server's OpenAPI document, without the prefix of the API."""
    async with Connection("127.0.0.1", port) as connection:
        answer = await connection.send(json_request_bytes("GET", "/api/v1/openapi.json"))
        paths = json.loads(bytes(answer))["paths"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in paths.items()
        for method in methods
        if method in {"get", "post", "put", "delete", "patch"}
    }


async def run(server: BenchmarkServer, report: Report) -> None:
    """Let a hundred people live on one server for a minute."""
    times: Times = defaultdict(list)
    failures: dict[str, int] = defaultdict(int)
    async with _users(server.port, times, failures) as users:
        for user in users:
            await user.sign_up()
        ends = time.perf_counter() + SECONDS

        async def live(user: User, number: int) -> None:
            turn: float | None = ends - SECONDS * (number + 1) / USERS
            await user.rest()
            while (now := time.perf_counter()) < ends:
                # What is refused is counted; what would have followed it is left.
                with suppress(KeyError, TypeError, IndexError):
                    if turn is not None and now >= turn:
                        turn = None
                        await once(user)
                        if number % MOVING == 0:
                            await move(user)
                    await random.choice(EVERYDAY)(user)
                await user.rest()

        started = time.perf_counter()
        await asyncio.gather(*(live(user, number) for number, user in enumerate(users)))
        lasted = time.perf_counter() - started
    worst = print_latencies(f"{USERS} people at once", times)
    print_failures(failures)
    routes = await _routes(server.port)
    for route in sorted(routes - times.keys()):
        print(f"  left out: {route} ({LEFT_OUT.get(route, 'FORGOTTEN')})")
    everything = [taken for each in times.values() for taken in each]
    report.value(f"{USERS} people: requests a second", len(everything) / lasted, "requests/s")
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        report.value(f"{USERS} people: {name} over all routes", quantile(everything, share), "ms")
    report.value(f"{USERS} people: routes in use, of {len(routes)}", float(len(routes & times.keys())), "routes")
    report.value(f"{USERS} people: p95 of the slowest of {len(times)} routes", worst, "ms", aim="under 200")
    report.value(f"{USERS} people: errors", float(sum(failures.values())), "requests", aim="under 1")

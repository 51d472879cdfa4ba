"""Two hundred devices that write, sync, search, attach and listen, for as long as is asked for.

    SOAK_SECONDS=3600 .venv/bin/python -m benchmarks.soak

Two devices to an account, every other account in uce. Each listens to its account's events all the time, on a
connection of its own, and acts about twice a second on another. What grows, leaks or slows down shows in the memory at
the beginning and the end, and in the two halves of the time. The client is a process on the same cores.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import psutil
import uvloop

from benchmarks import acts
from benchmarks.latencies import print_failures, print_latencies, quantile
from benchmarks.people import MetricKeys, Times, User, connected
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, lockleaf_server

__all__ = ["DEVICES", "SECONDS", "run"]

DEVICES = 200
SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))

_ACTS: tuple[Callable[[User], Awaitable[None]], ...] = (acts.diary, acts.sync, acts.sync, acts.search, acts.attach)


class _Stream:
    """An account's live events, as a device listens to them: how many came."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self.heard = 0
        self.ended = 0

    async def listen(self) -> None:
        """Count events until it is cancelled; a stream that ends is opened again, as a device does."""
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(
                    f"GET /api/v1/sync/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                    f"Authorization: Bearer {self._token}\r\n\r\n".encode()
                )
                status = await reader.readline()
                if b" 200 " not in status:
                    raise RuntimeError(f"a stream was refused: {status!r}")
                while line := await reader.readline():
                    self.heard += line.startswith(b"data:")
            finally:
                writer.close()
            self.ended += 1


async def _devices(stack: AsyncExitStack, port: int, times: Times, failures: dict[str, int]) -> list[User]:
    """Return the devices, two of each account next to each other."""
    metrics, devices = MetricKeys(), []
    for number in range(DEVICES // 2):
        first, second = [await connected(stack, port, times, failures, number, metrics) for _ in range(2)]
        await first.sign_up()
        login = {"email": first.email, "password": first.secret, "device_name": "second"}
        second.tokens = await second.ask("POST", "/auth/login", login)
        second.email, second.words = first.email, first.words
        devices += [first, second]
    return devices


def _memory_mib(server: BenchmarkServer) -> tuple[float, float]:
    """Return the memory of the server's own processes and of its database's, each page counted once (PSS), in MiB."""
    own = database = 0.0
    root = psutil.Process(server.pid)
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.Error):
            pss = process.memory_full_info().pss / 2**20
            if process.name().startswith("postgres"):
                database += pss
            else:
                own += pss
    return own, database


async def _live(device: User, ends: float) -> None:
    await device.rest()
    while time.perf_counter() < ends:
        # What is refused is counted; what would have followed it is left.
        with suppress(KeyError, TypeError, IndexError):
            await random.choice(_ACTS)(device)
        await device.rest()


async def run(server: BenchmarkServer, report: Report) -> None:
    """Let the devices live on one server."""
    setup: Times = defaultdict(list)
    failures: dict[str, int] = defaultdict(int)
    halves: list[Times] = []
    async with AsyncExitStack() as stack:
        devices = await _devices(stack, server.port, setup, failures)
        streams = [_Stream(server.port, device.tokens["access_token"]) for device in devices]
        listening = [asyncio.create_task(stream.listen()) for stream in streams]
        begun = _memory_mib(server)
        started = time.perf_counter()
        for _ in range(2):
            times: Times = defaultdict(list)
            halves.append(times)
            for device in devices:
                device.times = times
            ends = time.perf_counter() + SECONDS / 2
            await asyncio.gather(*(_live(device, ends) for device in devices))
        lasted = time.perf_counter() - started
        ended = _memory_mib(server)
        broken = [task for task in listening if task.done()]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        for task in broken:
            failures[f"listening: {task.exception()!r}"] += 1
    print_latencies(f"{DEVICES} devices, the second half of {SECONDS:g} s", halves[1])
    print_failures(failures)
    first, second = ([taken for each in half.values() for taken in each] for half in halves)
    report.value("soak: requests a second", (len(first) + len(second)) / lasted, "requests/s")
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        latency = quantile(second, share)
        report.times(f"soak: {name}, second half", latency, "ms", "first half", quantile(first, share))
    report.value("soak: events heard", float(sum(stream.heard for stream in streams)), "events")
    report.value("soak: errors", float(sum(failures.values())), "requests", aim="under 1")
    for place, name in enumerate(("server", "database")):
        report.times(f"soak: memory of the {name} at the end", ended[place], "MiB", "at the start", begun[place])


def main() -> int:
    """Run it alone."""
    report = Report(f"{DEVICES} devices for {SECONDS:g} seconds")
    with lockleaf_server(workers=2) as server:
        uvloop.run(run(server, report))
    report.show()
    return 0


if __name__ == "__main__":
    sys.exit(main())

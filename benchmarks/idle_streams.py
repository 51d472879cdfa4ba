"""Live streams on which nothing happens, ten thousand at once: what each takes of a worker, and what they cost."""

from __future__ import annotations

import asyncio
import resource
import time
from uuid import uuid4

import httpx
import psutil

from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, memory_mib

__all__ = ["SETTINGS", "run"]

STREAMS = 10_000
OF_ONE_ACCOUNT = 500
AT_ONCE = 100
IDLE_SECONDS = 40
SETTINGS = {
    "LOCKLEAF_CONNECTIONS__MOST": str(STREAMS + 100),
    "LOCKLEAF_LIMITS__STREAMS_PER_ACCOUNT": str(OF_ONE_ACCOUNT),
}

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _registered(http: httpx.AsyncClient) -> str:
    who = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex, "privacy_tier": "full_sync"}
    answer = await http.post("/auth/register", json=who)
    token: str = answer.raise_for_status().json()["access_token"]
    return token


async def _opened(server: BenchmarkServer, token: str, gate: asyncio.Semaphore) -> Stream:
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=4096)
        head = f"GET /api/v1/sync/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"data: ")
        return reader, writer


def _processor_seconds(server: BenchmarkServer) -> float:
    """Return the processor's seconds of the server with its database so far."""
    family = psutil.Process(server.pid).children(recursive=True)
    return sum(sum(each.cpu_times()[:2]) for each in family)


async def run(server: BenchmarkServer, report: Report, streams: int = STREAMS) -> None:
    """Open streams, let them be idle, and write to one account while they are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held: list[Stream] = []
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60, trust_env=False) as http:
        tokens = [await _registered(http) for _ in range(streams // OF_ONE_ACCOUNT)]
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            held += await asyncio.gather(*[_opened(server, token, gate) for token in tokens])
            (before,) = memory_mib(server)
            rest = [token for token in tokens for _ in range(OF_ONE_ACCOUNT - 1)]
            started = time.perf_counter()
            held += await asyncio.gather(*[_opened(server, token, gate) for token in rest])
            report.value(f"open {len(rest):,} live streams", time.perf_counter() - started, "s")
            (after,) = memory_mib(server)
            report.value("memory of an idle live stream", (after - before) * 1024 / len(rest), "KiB")
            spent, started = _processor_seconds(server), time.perf_counter()
            await asyncio.sleep(IDLE_SECONDS)
            spent, passed = _processor_seconds(server) - spent, time.perf_counter() - started
            report.value(f"of a processor for {len(held):,} idle streams", 100 * spent / passed, "%")
            started = time.perf_counter()
            (await http.get("/auth/me", headers={"Authorization": f"Bearer {tokens[0]}"})).raise_for_status()
            report.value(f"a request among {len(held):,} streams", (time.perf_counter() - started) * 1000, "ms")
        finally:
            for _, writer in held:
                writer.transport.abort()

"""Logging in while 1,100 clients hold connections open for nothing, beside logging in when nobody does."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from uuid import uuid4

import httpx

from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer

__all__ = ["run"]

HELD = 1100
LOGINS = 20
KINDS = {
    "heads never finished": b"GET /health HTTP/1.1\r\nHost: here\r\nX-Slow: ",
    "bodies never finished": b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{",
    "connections idle after a request": b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n",
}


async def _logins(server: BenchmarkServer, who: dict[str, str]) -> float:
    """Return the median milliseconds of logging in, each on a connection of its own."""
    took = []
    for _ in range(LOGINS):
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60, trust_env=False) as http:
            started = time.perf_counter()
            (await http.post("/auth/login", json=who)).raise_for_status()
            took.append(time.perf_counter() - started)
    return median(took) * 1000


async def run(server: BenchmarkServer, report: Report) -> None:
    """Log in through ``server`` while its connections are held, and before."""
    who = {"email": f"{uuid4().hex}@example.org", "password": "an example of a password"}
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60, trust_env=False) as http:
        (await http.post("/auth/register", json=who)).raise_for_status()
    alone = await _logins(server, who)
    for kind, said in KINDS.items():
        held = []
        try:
            for _ in range(HELD):
                held.append(await asyncio.open_connection("127.0.0.1", server.port))
                held[-1][1].write(said)
            report.times(f"log in among {HELD:,} {kind}", await _logins(server, who), "ms", "alone", alone)
        finally:
            for _, writer in held:
                writer.close()

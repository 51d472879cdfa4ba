"""Memory of the server against the length of a journal: ten times the records must not be more memory."""

from __future__ import annotations

from benchmarks.load import Connection, request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, memory_mib
from benchmarks.throughput import BATCH, new_change, new_payload, register

__all__ = ["run"]

STEPS = (2_000, 20_000)


async def run(server: BenchmarkServer, report: Report) -> None:
    """Push ever more records into one account, and read all of them each time."""
    token = await register(server.url)
    pushed = 0
    async with Connection("127.0.0.1", server.port) as client:
        for step in STEPS:
            while pushed < step:
                changes = [new_change(new_payload()) for _ in range(BATCH)]
                await client.send(request_bytes("POST", "/api/v1/sync/push", token=token, body={"changes": changes}))
                pushed += BATCH
            cursor, more = None, True
            while more:
                after = f"&after={cursor}" if cursor else ""
                page = await client.call("GET", f"/api/v1/sync/changes?limit=500{after}", token=token)
                cursor, more = page["cursor"], page["has_more"]
            report.value(
                f"worker's memory after a journal of {step:,} records", memory_mib(server)[0], "MiB", aim="under 200"
            )

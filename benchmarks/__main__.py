"""``make bench``: all figures, on this machine, in one run. Exits 0 whether or not the aims are met: it measures."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
from pathlib import Path

import pytest
import uvloop

from benchmarks import (
    diary,
    exports,
    homomorphic,
    idle_streams,
    imports,
    journal,
    kills,
    lies,
    media,
    memory,
    metrics,
    networks,
    page,
    quota,
    rotation,
    search,
    slow_clients,
    soak,
    throughput,
    users,
)
from benchmarks.postgres import durable_postgres
from benchmarks.report import Report
from benchmarks.servers import empty_application, lockleaf_server
from lockleaf.server.platform.db.migrate import migrate


def main() -> None:
    """Measure, print, and write the figures where they are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    report = Report(f"Lockleaf on {platform.machine()}, Python {platform.python_version()}")
    for workers in (1, 2):
        print(f"Throughput over HTTP beside asyncpg alone, {workers} worker(s)")
        with durable_postgres() as database_url:
            asyncio.run(migrate(database_url))
            with lockleaf_server(workers=workers, database_url=database_url) as server, empty_application() as empty:
                uvloop.run(throughput.run(server, empty, database_url, report))
    print("A quota and rates, 1 worker")
    with durable_postgres() as database_url:
        asyncio.run(migrate(database_url))
        with lockleaf_server(workers=1, database_url=database_url, settings=quota.SETTINGS) as server:
            uvloop.run(quota.run(server, database_url, report))
    print("The diary, 1 worker")
    with durable_postgres() as database_url:
        asyncio.run(migrate(database_url))
        with lockleaf_server(workers=1, database_url=database_url) as server:
            uvloop.run(diary.run(server, report))
    for workers in (1, 2):
        print(f"{users.USERS} people at once, {workers} worker(s)")
        with durable_postgres() as database_url:
            asyncio.run(migrate(database_url))
            with lockleaf_server(workers=workers, database_url=database_url) as server:
                uvloop.run(users.run(server, report))
    print(f"{soak.DEVICES} devices for {soak.SECONDS:g} seconds, 2 workers")
    with lockleaf_server(workers=2) as server:
        uvloop.run(soak.run(server, report))
    print("Journals of other programs, without a server")
    imports.run(report)
    print("Encrypted metrics, without a server")
    homomorphic.run(report)
    print("Encrypted metrics through the server")
    with durable_postgres() as database_url:
        asyncio.run(migrate(database_url))
        metrics.run(database_url, report)
    print("Networks that fail, in this process")
    with durable_postgres() as database_url:
        asyncio.run(migrate(database_url))
        networks.run(database_url, report)
    print("Memory of a web worker")
    with lockleaf_server(workers=1) as server:
        uvloop.run(memory.run(server, report))
    print(f"{slow_clients.HELD:,} clients that hold connections open, 1 worker")
    with lockleaf_server(workers=1) as server:
        uvloop.run(slow_clients.run(server, report))
    print(f"{idle_streams.STREAMS:,} idle live streams, 1 worker")
    with lockleaf_server(workers=1, settings=idle_streams.SETTINGS) as server:
        uvloop.run(idle_streams.run(server, report))
    print(f"A server that is killed {kills.KILLS} times")
    uvloop.run(kills.run(report))
    if journal.DIARY.is_file():
        for workers in (1, 2):
            print(f"A real journal, {workers} worker(s)")
            with lockleaf_server(workers=workers) as server:
                journal.run(server, workers, report)
        print("A rotation of its keys, 1 worker")
        with lockleaf_server(workers=1) as server:
            rotation.run(server, report)
        print("Search in it, 1 worker")
        search.run(report)
        print("Exports of it in plain text")
        exports.run(report)
        print("The local page, in Chromium")
        try:
            page.run(report)
        except pytest.skip.Exception as reason:
            print(f"  left out: {reason}")
    else:
        print("A real journal: left out, since ../shared/data/pepys.jsonl.gz is not here")
    print(f"{lies.SESSIONS:,} sessions with a server that lies")
    with lockleaf_server(workers=1, settings={"LOCKLEAF_HASHING__MEMORY_KIB": "64"}) as server:
        lies.run(server, report)
    print("Attachments")
    media.run(report)
    report.show()
    if options.json:
        options.json.write_text(json.dumps(report.rows, indent=2) + "\n")


if __name__ == "__main__":
    main()

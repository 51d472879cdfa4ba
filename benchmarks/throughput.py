"""Items a second over HTTP, beside what asyncpg alone does with the same bytes on the same PostgreSQL in the same run.

The client has its share of the two cores too. What is compared is measured in turns, and the best of each counts: the
machine's own pace changes within a minute. Pushes are batches of 100 changes of 2 KiB, pulls are pages of 500;
single writes come from 32 clients at once, of 32 accounts and of one; polls ask for what is new where nothing is.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from benchmarks.load import Connection, json_request_bytes, request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer

PAYLOAD_BYTES = 2048
BATCH = 100
ITEMS = 10_000
CLIENTS = 32
ROUNDS = 3
SINGLE_WRITES = 3_200
POLLS = 4_000

_PLAIN = """
CREATE TABLE {name} (
  user_id uuid, record_id text COLLATE "C", seq bigint, payload bytea STORAGE EXTERNAL, created_at timestamptz,
  PRIMARY KEY (user_id, record_id)
) WITH (toast_tuple_target = 8160)
"""
_INSERT_MANY = (
    "INSERT INTO {name} SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bytea[]) AS b(record_id, seq, payload), "
    "(SELECT now()) AS at"
)


def new_payload() -> bytes:
    """Return random bytes with the frame of an envelope, 2 KiB."""
    return b"\x01\x01" + os.urandom(PAYLOAD_BYTES - 2)


def new_change(payload: bytes) -> dict[str, Any]:
    """Return a change that makes a new entry."""
    return {
        "collection": "entries",
        "record_id": str(uuid4()),
        "base_revision": 0,
        "parent": bytes(32),
        "payload": payload,
        "device_id": "benchmark",
        "client_updated_at": datetime.now(UTC),
        "labels": [bytes(16)],
    }


async def register(url: str) -> str:
    """Return the access token of a new account."""
    async with httpx.AsyncClient(base_url=url + "/api/v1") as http:
        answer = await http.post(
            "/auth/register",
            json={
                "email": f"{uuid4().hex}@example.org",
                "password": secrets.token_urlsafe(32),
                "privacy_tier": "full_sync",
            },
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def batches(server: BenchmarkServer, database_url: str, report: Report) -> None:
    """Push 10,000 items in batches of 100, pull them in pages of 500; and the same with asyncpg alone."""
    payloads = [new_payload() for _ in range(ITEMS)]
    chunks = [payloads[at : at + BATCH] for at in range(0, ITEMS, BATCH)]

    connection = await asyncpg.connect(database_url)
    table = f"plain_{uuid4().hex}"
    await connection.execute(_PLAIN.format(name=table))

    async def plain_write(user_id: UUID) -> None:
        for number, chunk in enumerate(chunks):
            ids = [str(uuid4()) for _ in chunk]
            seqs = list(range(number * BATCH, number * BATCH + len(chunk)))
            await connection.execute(_INSERT_MANY.format(name=table), user_id, ids, seqs, chunk)

    async def plain_read(user_id: UUID) -> None:
        rows = await connection.fetch(f"SELECT * FROM {table} WHERE user_id = $1", user_id)  # a name we made
        assert len(rows) == ITEMS

    async with Connection("127.0.0.1", server.port) as client:

        async def push(requests: list[bytes]) -> None:
            for request in requests:
                await client.send(request)

        async def pull(token: str) -> None:
            cursor, count, more = None, 0, True
            while more:
                after = f"&after={cursor}" if cursor else ""
                page = await client.call("GET", f"/api/v1/sync/changes?limit=500{after}", token=token)
                cursor, more = page["cursor"], page["has_more"]
                count += len(page["changes"])
            assert count == ITEMS

        written, pushed, read, pulled = [], [], [], []
        for _ in range(ROUNDS):
            user_id, token = uuid4(), await register(server.url)
            requests = [
                request_bytes("POST", "/api/v1/sync/push", token=token, body={"changes": list(map(new_change, chunk))})
                for chunk in chunks
            ]
            written.append(await _timed(partial(plain_write, user_id)))
            pushed.append(await _timed(partial(push, requests)))
            read.append(await _timed(partial(plain_read, user_id)))
            pulled.append(await _timed(partial(pull, token)))
        report.compare(
            "push, batches of 100", ITEMS / min(pushed), "items/s", "asyncpg", ITEMS / min(written), aim="1/4"
        )
        report.compare("pull, pages of 500", ITEMS / min(pulled), "items/s", "asyncpg", ITEMS / min(read), aim="1/3")
    await connection.execute(f"DROP TABLE {table}")
    await connection.close()


async def single_writes(server: BenchmarkServer, database_url: str, report: Report) -> None:
    """Write one change a request from 32 clients, of 32 accounts and of one; and one row a commit with asyncpg."""
    each = SINGLE_WRITES // CLIENTS
    table = f"plain_{uuid4().hex}"
    pool = [await asyncpg.connect(database_url) for _ in range(CLIENTS)]
    await pool[0].execute(_PLAIN.format(name=table))
    insert = f"INSERT INTO {table} VALUES ($1, $2, $3, $4, now())"  # a name we made
    payloads = [new_payload() for _ in range(each)]

    async def plain(connection: asyncpg.Connection, user_id: UUID) -> None:
        for seq, payload in enumerate(payloads):
            await connection.execute(insert, user_id, str(uuid4()), seq, payload)

    async def all_plain() -> None:
        await asyncio.gather(*(plain(connection, uuid4()) for connection in pool))

    tokens = [await register(server.url) for _ in range(CLIENTS)]
    alone = 0.0
    rates: dict[str, float] = defaultdict(float)
    tails: dict[str, float] = defaultdict(lambda: inf)
    for _ in range(ROUNDS):
        alone = max(alone, SINGLE_WRITES / await _timed(all_plain))
        for name, owners in (("32 accounts", tokens), ("1 account", tokens[:1] * CLIENTS)):
            work = [
                [
                    request_bytes("POST", "/api/v1/sync/push", token=t, body={"changes": [new_change(p)]})
                    for p in payloads
                ]
                for t in owners
            ]
            rate, tail = await _load(server.port, work)
            rates[name], tails[name] = max(rates[name], rate), min(tails[name], tail)
    for name, rate in rates.items():
        report.compare(f"single writes, {name}", rate, "commits/s", "asyncpg", alone, aim="1/5")
    many, one = rates
    report.compare("the same", rates[one], "commits/s", "32 accounts", rates[many], aim="1")
    report.times("p95 of a write, 1 account", tails[one] * 1000, "ms", many, tails[many] * 1000, at_most=2)
    await pool[0].execute(f"DROP TABLE {table}")
    for connection in pool:
        await connection.close()


async def _load(port: int, work: list[list[bytes]]) -> tuple[float, float]:
    """Send each client's requests one after another, all clients at once; return requests/s, and the p95 in seconds."""
    connections = [await Connection("127.0.0.1", port).__aenter__() for _ in work]
    times: list[float] = []

    async def client(connection: Connection, requests: list[bytes]) -> None:
        for request in requests:
            started = time.perf_counter()
            await connection.send(request)
            times.append(time.perf_counter() - started)

    async def everyone() -> None:
        await asyncio.gather(*(client(c, r) for c, r in zip(connections, work, strict=True)))

    seconds = await _timed(everyone)
    for connection in connections:
        await connection.__aexit__(None, None, None)
    return len(times) / seconds, sorted(times)[int(len(times) * 0.95)]


async def polls_and_reads(server: BenchmarkServer, empty: BenchmarkServer, report: Report) -> None:
    """Ask for what is new where nothing is, read an entry, and ask an empty route on a server of the same kind."""
    tokens = [await register(server.url) for _ in range(CLIENTS)]
    entries = [new_change(new_payload()) for _ in tokens]
    async with Connection("127.0.0.1", server.port) as client:
        for token, entry in zip(tokens, entries, strict=True):
            await client.call("POST", "/api/v1/sync/push", token=token, body={"changes": [entry]})
        pages = [await client.call("GET", "/api/v1/sync/changes", token=token) for token in tokens]
    polled = [
        request_bytes("GET", f"/api/v1/sync/changes?after={page['cursor']}", token=token)
        for page, token in zip(pages, tokens, strict=True)
    ]
    read = [
        json_request_bytes("GET", f"/api/v1/entries/{entry['record_id']}", token=token)
        for entry, token in zip(entries, tokens, strict=True)
    ]

    asked = {
        "empty route": (empty.port, [request_bytes("GET", "/empty")] * CLIENTS),
        "polls with nothing new": (server.port, polled),
        "reads of one entry": (server.port, read),
    }
    best: dict[str, float] = defaultdict(float)
    for _ in range(ROUNDS):
        for name, (port, requests) in asked.items():
            rate, _ = await _load(port, [[each] * (POLLS // CLIENTS) for each in requests])
            best[name] = max(best[name], rate)
    bare = best.pop("empty route")
    for (name, rate), aim in zip(best.items(), ("35/100", "3/10"), strict=True):
        report.compare(name, rate, "requests/s", "empty route", bare, aim=aim)


async def logins(server: BenchmarkServer, report: Report) -> None:
    """Log in as a client does after its own key derivation: one verifier hash on the server."""
    email, password = f"{uuid4().hex}@example.org", secrets.token_urlsafe(32)
    async with httpx.AsyncClient(base_url=server.url + "/api/v1") as http:
        (await http.post("/auth/register", json={"email": email, "password": password})).raise_for_status()
        times = []
        for _ in range(20):
            started = time.perf_counter()
            (await http.post("/auth/login", json={"email": email, "password": password})).raise_for_status()
            times.append(time.perf_counter() - started)
    times.sort()
    report.value("login, one at a time (p50)", times[len(times) // 2] * 1000, "ms", aim="under 60")
    report.value("login, one at a time (p95)", times[-1] * 1000, "ms")


async def run(server: BenchmarkServer, empty: BenchmarkServer, database_url: str, report: Report) -> None:
    """Run all of this file against one server."""
    await batches(server, database_url, report)
    await single_writes(server, database_url, report)
    await polls_and_reads(server, empty, report)
    await logins(server, report)

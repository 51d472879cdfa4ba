"""Encrypted metrics through the server: sums of a year and of ten, uploads, packed deltas, what it stores and takes.

The plain loop beside it is TenSEAL's own, `acc += ts.ckks_vector_from(context, blob)`, over the same bytes in one
process. A sum is asked of a server that was just started, over values that another one took in.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import psutil
import tenseal

from benchmarks.diary import ServerTime
from benchmarks.load import Connection, request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, lockleaf_server
from lockleaf.he import decrypt, encrypt, keys
from lockleaf.he.layout import Delta, Layout
from lockleaf.he.metric_types import STANDARD, WORD_COUNT
from lockleaf.he.params import PARAMETER_SETS
from lockleaf.wire.fields import encode_base64

__all__ = ["run"]

YEAR, TEN_YEARS = 1_000, 10_000
BATCH = 20
START = date(2014, 1, 1)


class _Person:
    """An account with keys for both parameter sets, whose values are made once and sent as often as wanted."""

    def __init__(self) -> None:
        self.email = f"{uuid4().hex}@example.org"
        self.secret = secrets.token_urlsafe(32)
        self.keys = {name: keys.make_keys(name) for name in PARAMETER_SETS}
        key = self.keys["ckks-8192"][0]
        self.values = [float(300 + number % 200) for number in range(YEAR)]
        self.blobs = [encrypt.encrypt_value(key, value, WORD_COUNT) for value in self.values]

    async def register(self, client: Connection) -> str:
        """Make the account, with both public keys."""
        body = {"email": self.email, "password": self.secret, "privacy_tier": "analytics_sync"}
        token: str = (await client.call_json("POST", "/api/v1/auth/register", body=body))["access_token"]
        for _, public in self.keys.values():
            change = {
                "privacy_tier": "analytics_sync",
                "consent_timestamp": datetime.now(UTC).isoformat(),
                "he_public_key": encode_base64(public),
            }
            await client.call_json("PUT", "/api/v1/users/me/privacy", token=token, body=change)
        return token

    async def login(self, client: Connection) -> str:
        """Log in on another server with the same database."""
        body = {"email": self.email, "password": self.secret}
        token: str = (await client.call_json("POST", "/api/v1/auth/login", body=body))["access_token"]
        return token

    def batches(self, count: int, days: int) -> Iterator[list[dict[str, Any]]]:
        """Yield uploads of ``count`` values spread over ``days``."""
        for first in range(0, count, BATCH):
            yield [
                {
                    "metric_type": "word_count",
                    "id": str(uuid4()),
                    "timestamp": _moment(START + timedelta(days=number * days // count)),
                    "encrypted_value": self.blobs[number % YEAR],
                }
                for number in range(first, first + BATCH)
            ]


def _moment(day: date) -> str:
    return f"{day.isoformat()}T12:00:00Z"


async def _upload(client: Connection, token: str, items: list[dict[str, Any]]) -> None:
    await client.send(request_bytes("POST", "/api/v1/encryption/metrics", token=token, body={"metrics": items}))


async def _aggregate(client: Connection, token: str, body: dict[str, Any]) -> tuple[dict[str, Any], float]:
    request = request_bytes("POST", "/api/v1/encryption/aggregate", token=token, body=body)
    started = time.perf_counter()
    await client.send(request)
    taken = time.perf_counter() - started
    return await client.call("POST", "/api/v1/encryption/aggregate", token=token, body=body), taken


def _plain_loop(person: _Person) -> float:
    context = person.keys["ckks-8192"][0].context
    started = time.perf_counter()
    total = tenseal.ckks_vector_from(context, person.blobs[0])
    for blob in person.blobs[1:]:
        total += tenseal.ckks_vector_from(context, blob)
    return time.perf_counter() - started


async def _fill(server: BenchmarkServer, person: _Person, count: int, days: int) -> float:
    """Upload, and return the server's milliseconds a value."""
    async with Connection("127.0.0.1", server.port) as client:
        token = await person.register(client)
        spent = ServerTime(client, "POST", "/encryption/metrics")
        await spent.start()
        for items in person.batches(count, days):
            await _upload(client, token, items)
        return await spent.milliseconds() / BATCH


async def _sum(server: BenchmarkServer, person: _Person, count: int) -> float:
    """Ask a fresh server for the sum of everything, check it, and return the seconds it took."""
    async with Connection("127.0.0.1", server.port) as client:
        token = await person.login(client)
        answer, taken = await _aggregate(client, token, {"metric_type": "word_count", "operation": "sum"})
        found = decrypt.decrypt_value(person.keys["ckks-8192"][0], answer["encrypted_result"], WORD_COUNT)
        expected = sum(person.values) * count / YEAR
        assert answer["count"] == count and abs(found - expected) < 0.01, (answer["count"], found, expected)
        return taken


async def _cut(server: BenchmarkServer, person: _Person) -> float:
    """Ask for a range that begins and ends within months; return the seconds it took."""
    async with Connection("127.0.0.1", server.port) as client:
        token = await person.login(client)
        span = {"start": _moment(START + timedelta(days=40)), "end": _moment(START + timedelta(days=320))}
        body = {"metric_type": "word_count", "operation": "sum", "time_range": span}
        await _aggregate(client, token, body)
        return (await _aggregate(client, token, body))[1]


async def _packed(server: BenchmarkServer, database_url: str, report: Report) -> None:
    """Keep ten years of daily entries with four metrics, a delta a month, in each parameter set."""
    person = _Person()
    database = await asyncpg.connect(database_url)
    async with Connection("127.0.0.1", server.port) as client:
        token = await person.register(client)
        for name, parameters in PARAMETER_SETS.items():
            layout = Layout(parameters)
            delta = Delta(layout)
            for number in range(3653):
                for kind in STANDARD:
                    delta.add(START + timedelta(days=number), kind.name, min(kind.highest, float(number % 400)))
            months = encrypt.encrypt_delta(person.keys[name][0], delta)
            before = await database.fetchval("SELECT pg_database_size(current_database())")
            spent = ServerTime(client, "POST", "/encryption/metrics")
            await spent.start()
            for month, blob in months.items():
                item = {
                    "metric_type": "packed",
                    "layout": layout.identifier,
                    "parameter_set": name,
                    "id": str(uuid4()),
                    "timestamp": _moment(date(month.year, month.month, 1)),
                    "encrypted_value": blob,
                }
                await _upload(client, token, [item])
            report.value(f"{name}: upload of a packed delta, at the server", await spent.milliseconds(), "ms")
            grown = await database.fetchval("SELECT pg_database_size(current_database())") - before
            aim = "under 50" if parameters.levels > 1 else "under 10"
            report.value(f"{name}: ten years of four metrics, packed, in the database", grown / 1e6, "MB", aim=aim)
    await database.close()


def _evaluators_mib(server: BenchmarkServer) -> float:
    """Return the most memory that one evaluator of the server's has held, in MiB."""
    sizes = [0.0]
    for process in psutil.Process(server.pid).children(recursive=True):
        try:
            if "lockleaf.server.features.analytics.evaluator" in process.cmdline():
                status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                peak = next((line for line in status if line.startswith("VmHWM")), "VmHWM: 0 kB")
                sizes.append(int(peak.split()[1]) / 1024)
        except (psutil.Error, OSError):
            continue
    return max(sizes)


def run(database_url: str, report: Report) -> None:
    """Measure all of it on one database, with servers that come and go."""
    people = {YEAR: _Person(), TEN_YEARS: _Person()}
    taken: dict[int, float] = {}
    for count, days in ((YEAR, 365), (TEN_YEARS, 3653)):
        with lockleaf_server(workers=1, database_url=database_url) as server:
            upload = asyncio.run(_fill(server, people[count], count, days))
            report.value(
                f"upload of {count:,} single values, at the server, sums included", upload, "ms", aim="under 3"
            )
            report.value("peak memory of an evaluator", _evaluators_mib(server), "MiB")
        with lockleaf_server(workers=1, database_url=database_url) as server:
            taken[count] = asyncio.run(_sum(server, people[count], count))
    loop = _plain_loop(people[YEAR])
    report.compare(
        f"sum of {YEAR:,} values of a year, one request", 1 / taken[YEAR], "/s", "TenSEAL's loop", 1 / loop, aim="10"
    )
    report.value(f"sum of {YEAR:,} values of a year, one request", 1000 * taken[YEAR], "ms", aim="under 50")
    ratio = taken[TEN_YEARS] / taken[YEAR]
    report.value(f"sum of {TEN_YEARS:,} values of ten years, one request", 1000 * taken[TEN_YEARS], "ms")
    report.value("ten years beside one", ratio, "times", aim="under 5")
    with lockleaf_server(workers=1, database_url=database_url) as server:
        cut = asyncio.run(_cut(server, people[YEAR]))
        report.value("sum of a range that cuts two months", 1000 * cut, "ms")
        asyncio.run(_packed(server, database_url, report))
        report.value("peak memory of an evaluator, packed", _evaluators_mib(server), "MiB")

"""The diary's endpoints: what sealing and opening on the server costs, and how fast a page of a long diary is found.

Times are the server's own, from its histogram of request durations, so that the client's are not in them. A plain write
is the same endpoint with an entry that its client sealed.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.load import Connection, json_request_bytes, request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer
from benchmarks.throughput import new_payload
from lockleaf.crypto.history import ZERO
from lockleaf.wire.fields import encode_base64

__all__ = ["ServerTime", "run", "sign_up_uce"]

PASSWORD = "an example of a password"
ENTRIES = 500
LONG_DIARY = 10_000
BATCH = 100
PAGES = 40
TEXT = "The morning was clear and we walked along the river until the bells called us back. " * 12
RARE, HALF = bytes([1]) * 16, bytes([2]) * 16


async def sign_up_uce(url: str) -> tuple[str, str]:
    """Return email and access token of a new account whose content the server opens while a session is in use."""
    email = f"{uuid4().hex}@example.org"
    async with httpx.AsyncClient(base_url=url + "/api/v1", timeout=30) as http:
        body = {"email": email, "password": PASSWORD, "encryption_tier": "uce"}
        answer = await http.post("/auth/signup", json=body)
        answer.raise_for_status()
        return email, answer.json()["access_token"]


async def sign_up_e2e(url: str) -> str:
    """Return the access token of a new end-to-end encrypted account."""
    async with httpx.AsyncClient(base_url=url + "/api/v1", timeout=30) as http:
        body = {
            "email": f"{uuid4().hex}@example.org",
            "password": secrets.token_urlsafe(32),
            "privacy_tier": "full_sync",
        }
        answer = await http.post("/auth/register", json=body)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token


class ServerTime:
    """What the server's histogram says of one route between two looks."""

    def __init__(self, connection: Connection, method: str, route: str) -> None:
        self._connection = connection
        labels = f'method="{method}",route="{route}"'
        self._patterns = [
            re.compile(re.escape(f"lockleaf_http_request_duration_seconds_{name}{{{labels}}}") + r" (\S+)")
            for name in ("sum", "count")
        ]
        self._before = (0.0, 0.0)

    async def start(self) -> None:
        """Begin to measure."""
        self._before = await self._now()

    async def milliseconds(self) -> float:
        """Return the mean time of the requests since the beginning."""
        before, after = self._before, await self._now()
        return 1000 * (after[0] - before[0]) / (after[1] - before[1])

    async def _now(self) -> tuple[float, float]:
        text = bytes(await self._connection.send(json_request_bytes("GET", "/metrics"))).decode()
        found = [pattern.search(text) for pattern in self._patterns]
        total, count = (float(match[1]) if match else 0.0 for match in found)
        return total, count


def _uce_entry(number: int) -> dict[str, Any]:
    day = datetime(2015, 1, 1, 8, tzinfo=UTC) + timedelta(days=number)
    return {
        "id": str(uuid4()),
        "content": TEXT,
        "title": f"Day {number}",
        "mood": "calm",
        "tags": ["river", "walks"],
        "occurred_at": day.isoformat(),
    }


def _e2e_entry(number: int) -> dict[str, Any]:
    day = datetime(2015, 1, 1, 8, tzinfo=UTC) + timedelta(days=number)
    return {
        "id": str(uuid4()),
        "payload": encode_base64(new_payload()),
        "base_revision": 0,
        "parent": encode_base64(ZERO),
        "labels": [encode_base64(secrets.token_bytes(16)) for _ in range(3)],
        "occurred_at": day.isoformat(),
    }


async def custody(server: BenchmarkServer, report: Report) -> None:
    """Create and read entries one after another, sealed by the server and sealed by the client."""
    email, uce = await sign_up_uce(server.url)
    e2e = await sign_up_e2e(server.url)
    times: dict[tuple[str, str], float] = {}
    async with Connection("127.0.0.1", server.port) as client:
        writing = ServerTime(client, "POST", "/entries")
        reading = ServerTime(client, "GET", "/entries/{entry_id}")
        for name, token, made in (("plain", e2e, _e2e_entry), ("uce", uce, _uce_entry)):
            ids = []
            for number in range(20):  # first ones make plans, tags and connections
                await client.call_json("POST", "/api/v1/entries", token=token, body=made(number))
            await writing.start()
            for number in range(20, 20 + ENTRIES):
                entry = made(number)
                ids.append(entry["id"])
                await client.call_json("POST", "/api/v1/entries", token=token, body=entry)
            times[name, "create"] = await writing.milliseconds()
            await reading.start()
            for entry_id in ids:
                await client.call_json("GET", f"/api/v1/entries/{entry_id}", token=token)
            times[name, "read"] = await reading.milliseconds()
        for verb in ("create", "read"):
            report.value(f"{verb} an entry sealed by its client, at the server", times["plain", verb], "ms")
            report.value(f"{verb} an entry in uce, at the server", times["uce", verb], "ms")
            more = times["uce", verb] - times["plain", verb]
            report.value(f"what uce adds to {verb} an entry", more, "ms", aim="under 1")
        login = ServerTime(client, "POST", "/auth/login")
        await login.start()
        for _ in range(10):
            await client.call_json("POST", "/api/v1/auth/login", body={"email": email, "password": PASSWORD})
        report.value("login in uce (two Argon2id), at the server", await login.milliseconds(), "ms")


async def lists(server: BenchmarkServer, report: Report) -> None:
    """List 50 by filter from a diary of 10,000: a label on every second entry, one on every 200th, none of them."""
    token = await sign_up_e2e(server.url)
    started = datetime(1990, 1, 1, 8, tzinfo=UTC)
    async with Connection("127.0.0.1", server.port) as client:
        for first in range(0, LONG_DIARY, BATCH):
            changes = [
                {
                    "collection": "entries",
                    "record_id": str(uuid4()),
                    "base_revision": 0,
                    "parent": ZERO,
                    "payload": new_payload(),
                    "device_id": "benchmark",
                    "client_updated_at": datetime.now(UTC),
                    "occurred_at": (started + timedelta(days=number)).isoformat(),
                    "labels": [
                        secrets.token_bytes(16),
                        *([HALF] if number % 2 else []),
                        *([RARE] * (number % 200 == 0)),
                    ],
                }
                for number in range(first, first + BATCH)
            ]
            await client.send(request_bytes("POST", "/api/v1/sync/push", token=token, body={"changes": changes}))
        time = ServerTime(client, "GET", "/entries")
        for name, query in (
            ("newest", ""),
            ("by a label on every second", f"&label={HALF.hex()}"),
            ("by a label on every 200th", f"&label={RARE.hex()}"),
            ("by a label on none", f"&label={bytes([3]).hex() * 16}"),
            ("in a range of 20 years back", "&to=1995-01-01T00:00:00Z"),
        ):
            await time.start()
            for _ in range(PAGES):
                await client.call_json("GET", f"/api/v1/entries?limit=50{query}", token=token)
            report.value(f"list 50 of {LONG_DIARY:,} entries, {name}", await time.milliseconds(), "ms", aim="under 10")


async def run(server: BenchmarkServer, report: Report) -> None:
    """Run all of this file against one server."""
    await custody(server, report)
    await lists(server, report)

"""A hundred people at once: how long each route takes while all of them are at it.

Each is an account of its own with a connection of its own, half of them in uce. They act about twice a second, as the
devices of some thousands of people do together. What nobody does twice a second (logging in, changing a password) is
done once by each. Times are those that the client sees; the client is a process on the same two cores.
"""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from benchmarks.doors import PASSWORD, TEXT
from benchmarks.load import Connection, json_request_bytes
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer
from benchmarks.throughput import new_payload
from lockleaf.crypto.history import ZERO, payload_hash

USERS = 100
SECONDS = 60
PAUSE_SECONDS = 0.5

Times = dict[str, list[float]]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass
class User:
    """Somebody with a connection of their own."""

    connection: Connection
    times: Times
    failures: dict[str, int]
    custody: str
    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.org")
    secret: str = PASSWORD
    tokens: dict[str, Any] = field(default_factory=dict)
    seq: str | None = None

    async def ask(self, method: str, route: str, body: Any = None, **place: str) -> Any:
        """Send a request, and note how long its answer took under the route's template."""
        import json  # noqa: PLC0415

        path = route.partition("?")[0]
        request = json_request_bytes(
            method,
            "/api/v1" + route.format(**place),
            token=self.tokens.get("access_token"),
            body=body,
        )
        started = time.perf_counter()
        status, answer = await self.connection.exchange(request)
        name = f"{method} {path}"
        self.times[name].append(time.perf_counter() - started)
        if not 200 <= status < 300:
            self.failures[f"{name}: {status} {bytes(answer[:200])!r}"] += 1
        return json.loads(bytes(answer)) if len(answer) and answer[0] in b"{[" else None

    async def sign_up(self) -> None:
        """Make the account."""
        body: dict[str, Any] = {"email": self.email, "password": self.secret, "privacy_tier": "full_sync"}
        if self.custody == "uce":
            answer = await self.ask("POST", "/auth/signup", {**body, "encryption_tier": "uce"})
        else:
            answer = await self.ask("POST", "/auth/register", body)
        self.tokens = answer

    async def once(self) -> None:
        """Do what is seldom done."""
        await self.ask("POST", "/auth/prelogin", {"email": self.email})
        self.tokens = await self.ask("POST", "/auth/login", {"email": self.email, "password": self.secret})
        body = {"refresh_token": self.tokens["refresh_token"]}
        self.tokens = {**self.tokens, **await self.ask("POST", "/auth/refresh", body)}
        new = secrets.token_urlsafe(24)
        change = {"current_password": self.secret, "password": new}
        self.tokens = {**self.tokens, **await self.ask("PUT", "/auth/password", change)}
        self.secret = new

    async def act(self) -> None:
        """Do one of the things that people do."""
        acts: list[Callable[[], Any]] = [
            self.look,
            self.diary,
            self.diary,
            self.vault,
            self.sync,
            self.backup,
            self.tags,
        ]
        await random.choice(acts)()

    async def look(self) -> None:
        """Look at the account."""
        for route in (
            "/auth/me",
            "/auth/features",
            "/auth/sessions",
            "/auth/recovery-codes",
            "/users/me",
            "/users/me/stats?days=30",
            "/users/me/preferences",
            "/users/me/privacy",
            "/users/me/access",
            "/inbox",
            "/jobs",
        ):
            await self.ask("GET", route)
            await self.rest()
        await self.ask("PUT", "/users/me/preferences", {"daily_word_goal": random.randint(100, 900)})

    async def diary(self) -> None:
        """Write, read, change, delete and restore an entry."""
        entry_id = str(uuid4())
        now = datetime.now(UTC).isoformat()
        if self.custody == "uce":
            made = {"id": entry_id, "content": TEXT, "title": "A day", "mood": "calm", "tags": ["river"]}
            await self.ask("POST", "/entries", made)
            await self.rest()
            await self.ask("PUT", "/entries/{entry_id}", {**made, "revision": 2, "mood": "glad"}, entry_id=entry_id)
            await self.rest()
            await self.ask("DELETE", "/entries/{entry_id}", entry_id=entry_id)
            await self.rest()
            await self.ask("POST", "/entries/{entry_id}/restore", entry_id=entry_id)
        else:
            payload, parent = new_payload(), ZERO
            for revision, (method, route) in enumerate(
                (
                    ("POST", "/entries"),
                    ("PUT", "/entries/{entry_id}"),
                    ("DELETE", "/entries/{entry_id}"),
                    ("POST", "/entries/{entry_id}/restore"),
                )
            ):
                body = {
                    "id": entry_id,
                    "payload": _b64(payload),
                    "base_revision": revision,
                    "parent": _b64(parent),
                    "revision": revision + 1,
                    "occurred_at": now,
                }
                await self.ask(method, route, body, entry_id=entry_id)
                await self.rest()
                payload, parent = new_payload(), payload_hash(payload)
        for route in ("/entries/{entry_id}", "/entries/{entry_id}/history", "/entries/{entry_id}/revisions/1"):
            await self.ask("GET", route, entry_id=entry_id)
            await self.rest()
        await self.ask("GET", "/entries?limit=50")

    async def vault(self) -> None:
        """Keep a blob, and look at its versions."""
        name = uuid4().hex
        blob = {
            "vault_id": name,
            "ciphertext": _b64(secrets.token_bytes(1000)),
            "iv": "iv",
            "salt": "salt",
            "version": 1,
        }
        await self.ask("POST", "/vault", blob)
        await self.rest()
        await self.ask("PUT", "/vault/{vault_id}", {**blob, "iv": "other", "version": 2}, vault_id=name)
        for route in ("/vault", "/vault/{vault_id}", "/vault/{vault_id}/versions", "/vault/{vault_id}/versions/1"):
            await self.rest()
            await self.ask("GET", route, vault_id=name)
        await self.ask("DELETE", "/vault/{vault_id}", vault_id=name)

    async def sync(self) -> None:
        """Push ten entries, and ask what is new."""
        changes = [
            {
                "collection": "entries",
                "record_id": str(uuid4()),
                "base_revision": 0,
                "parent": _b64(ZERO),
                "payload": _b64(new_payload()),
                "device_id": "benchmark",
                "client_updated_at": datetime.now(UTC).isoformat(),
            }
            for _ in range(10)
        ]
        pushed = await self.ask("POST", "/sync/push", {"changes": changes})
        await self.rest()
        await self.ask("GET", "/sync/changes?limit=50")
        await self.rest()
        await self.ask("GET", f"/sync/changes?after={pushed['cursor']}")
        await self.rest()
        await self.ask("GET", "/sync/conflicts")
        await self.rest()
        await self.ask("GET", "/sync/checkpoints")

    async def backup(self) -> None:
        """Store a backup as older clients do, and list them."""
        now = datetime.now(UTC).isoformat()
        name = str(uuid4())
        content = {"id": name, "encrypted_content": _b64(secrets.token_bytes(1000)), "content_iv": "iv"}
        await self.ask("POST", "/sync/backup", {**content, "created_at": now, "updated_at": now, "device_id": "old"})
        await self.rest()
        await self.ask("GET", "/sync/backups?limit=50")
        await self.rest()
        await self.ask("DELETE", "/sync/backup/{log_id}", log_id=name)

    async def tags(self) -> None:
        """Make a tag, colour it, and remove it."""
        tag = await self.ask("POST", "/tags", {"name": f"tag {random.randint(0, 30)}"})
        await self.rest()
        await self.ask("GET", "/tags")
        await self.rest()
        await self.ask("PUT", "/tags/{tag_id}", {"name": tag["name"], "color": "#336699"}, tag_id=tag["id"])
        await self.rest()
        await self.ask("DELETE", "/tags/{tag_id}", tag_id=tag["id"])
        await self.ask("DELETE", "/tags/cleanup?days=3650")

    @staticmethod
    async def rest() -> None:
        """Wait a little, as people do, each in their own time."""
        await asyncio.sleep(random.expovariate(1 / PAUSE_SECONDS))


@asynccontextmanager
async def _users(port: int, times: Times, failures: dict[str, int]) -> AsyncIterator[list[User]]:
    async with AsyncExitStack() as stack:
        yield [
            User(
                await stack.enter_async_context(Connection("127.0.0.1", port)),
                times,
                failures,
                "uce" if number % 2 else "e2e",
            )
            for number in range(USERS)
        ]


def _quantile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


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
                if turn is not None and now >= turn:
                    turn = None
                    await user.once()
                await user.act()
                await user.rest()

        started = time.perf_counter()
        await asyncio.gather(*(live(user, number) for number, user in enumerate(users)))
        lasted = time.perf_counter() - started
    table = Table(title=f"{USERS} people at once")
    for column in ("route", "requests", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "route" else "right")
    worst = 0.0
    for name, taken in sorted(times.items()):
        p50, p95, p99 = (_quantile(taken, share) for share in (0.5, 0.95, 0.99))
        table.add_row(name, str(len(taken)), f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}")
        worst = max(worst, p95)
    Console(width=132).print(table)
    for what, count in sorted(failures.items()):
        print(f"  FAILED {count} times: {what}")
    everything = [taken for each in times.values() for taken in each]
    report.value(f"{USERS} people: requests a second", len(everything) / lasted, "requests/s")
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        report.value(f"{USERS} people: {name} over all routes", _quantile(everything, share), "ms")
    report.value(f"{USERS} people: p95 of the slowest of {len(times)} routes", worst, "ms", aim="under 200")
    report.value(f"{USERS} people: errors", float(sum(failures.values())), "requests", aim="under 1")

"""Somebody with an account and a connection of their own, whose every request is timed."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from benchmarks.diary import PASSWORD
from benchmarks.load import Connection, json_request_bytes
from lockleaf.he import encrypt, keys
from lockleaf.he.metric_types import WORD_COUNT

__all__ = ["PAUSE_SECONDS", "MetricKeys", "Times", "User", "b64", "connected"]

PAUSE_SECONDS = 0.5

Times = dict[str, list[float]]


def b64(data: bytes) -> str:
    """Return bytes as JSON carries them."""
    return base64.b64encode(data).decode()


class MetricKeys:
    """One key pair for encrypted metrics, and a value under it, shared by all people here: they take time to make."""

    parameter_set = "ckks-4096"

    def __init__(self) -> None:
        """Make them."""
        key, public = keys.make_keys(self.parameter_set)
        self.public = b64(public)
        self.value = b64(encrypt.encrypt_value(key, 300.0, WORD_COUNT))


@dataclass
class User:
    """Somebody with a connection of their own.

    Attributes:
        times: how long each request took, by method and route.
        failures: how often a request was refused, by what was answered.
        words: the tokens that this account's entries are made of, where its client makes them.
    """

    connection: Connection
    times: Times
    failures: dict[str, int]
    custody: str
    metrics: MetricKeys
    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.org")
    secret: str = PASSWORD
    tokens: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=lambda: [b64(random.randbytes(8)) for _ in range(200)])

    async def ask(self, method: str, route: str, body: Any = None, *, token: str | None = None, **place: Any) -> Any:
        """Send a request, and note how long its answer took under the route's template.

        Args:
            token: sent instead of the account's own.
            place: what stands for each name in the template.
        """
        request = json_request_bytes(
            method,
            "/api/v1" + route.format(**place),
            token=token or self.tokens.get("access_token"),
            body=body,
        )
        return _decoded(await self._timed(f"{method} {route.partition('?')[0]}", request))

    async def ask_by_form(self, route: str, **fields: str) -> Any:
        """Send a form, as OAuth2 has it."""
        content = urlencode(fields).encode()
        head = (
            f"POST /api/v1{route} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return _decoded(await self._timed(f"POST {route}", head.encode() + content))

    async def follow(self, signed: dict[str, Any], content: bytes | None = None) -> None:
        """Send a request that the server signed for its own store."""
        url = urlsplit(signed["url"])
        method = signed.get("method", "GET")
        lines = [f"{method} {url.path}?{url.query} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in signed.get("headers", {}).items()]
        if content is not None and not any(line.lower().startswith("content-length:") for line in lines):
            lines.append(f"Content-Length: {len(content)}")
        await self._timed(f"{method} the store", "\r\n".join(lines).encode() + b"\r\n\r\n" + (content or b""))

    async def _timed(self, name: str, request: bytes) -> bytes:
        started = time.perf_counter()
        status, answer = await self.connection.exchange(request)
        self.times[name].append(time.perf_counter() - started)
        if not 200 <= status < 300:
            self.failures[f"{name}: {status} {bytes(answer[:200])!r}"] += 1
        return bytes(answer)

    async def sign_up(self) -> None:
        """Make the account."""
        body: dict[str, Any] = {"email": self.email, "password": self.secret, "privacy_tier": "full_sync"}
        if self.custody == "uce":
            answer = await self.ask("POST", "/auth/signup", {**body, "encryption_tier": "uce"})
        else:
            answer = await self.ask("POST", "/auth/register", body)
            await self.ask("PUT", "/search/index", {"enabled": True}, token=answer["access_token"])
        self.tokens = answer

    async def rest(self) -> None:
        """Wait a little, as people do, each in their own time."""
        await asyncio.sleep(random.expovariate(1 / PAUSE_SECONDS))


async def connected(
    stack: AsyncExitStack, port: int, times: Times, failures: dict[str, int], number: int, metrics: MetricKeys
) -> User:
    """Return somebody with a connection that ends with ``stack``; every other one is in uce."""
    connection = await stack.enter_async_context(Connection("127.0.0.1", port))
    return User(connection, times, failures, "uce" if number % 2 else "e2e", metrics)


def _decoded(answer: bytes) -> Any:
    return json.loads(answer) if answer else None

"""A server that lies: a real HTTP proxy before the real server, which alters what it says on its way.

What it says and how is in `tests.support.lies`; this is the proxy, on a port of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from lockleaf.wire.api import API_HEADER, API_VERSION
from lockleaf.wire.codec import JSON, MSGPACK, pack, unpack

__all__ = ["MADE_UP", "Answer", "Honest", "Lie", "LyingServer", "Request", "lying_server"]

PREFIX = "/api/v1"
MADE_UP = "place-"
"""Begins the cursors that lies give, before the sequence number."""
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "host"}

MARK = f"{API_HEADER}: {API_VERSION}\r\n"


@dataclass(frozen=True)
class Request:
    """A request as it arrived; ``path`` is behind the API's prefix."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def asks(self, method: str, path: str) -> bool:
        return (self.method, self.path) == (method, path)

    def read(self) -> Any:
        """The value of the body."""
        return unpack(self.body) if self.headers.get("content-type") == MSGPACK else json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """An answer on its way. ``cut_after`` bytes of the body, the connection is closed."""

    status: int
    media_type: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    @classmethod
    def of(cls, request: Request, value: Any, status: int = 200) -> Answer:
        """``value`` in the encoding that the request asks for."""
        if request.headers.get("accept", "").startswith(MSGPACK):
            return cls(status, MSGPACK, pack(value))
        return cls(status, JSON, json.dumps(value).encode())

    def read(self) -> Any:
        """The value of the body."""
        return unpack(self.body) if self.media_type == MSGPACK else json.loads(self.body)

    def saying(self, value: Any) -> Answer:
        """The same answer with another value, in the same encoding."""
        return replace(self, body=pack(value) if self.media_type == MSGPACK else json.dumps(value).encode())


Honest = Callable[[Request], Awaitable[Answer]]
"""Asks the real server."""


class Lie:
    """What the server answers. This one is the truth."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        """The answer to ``request``; None closes the connection without a word."""
        return await honest(request)


class LyingServer:
    """Tells the truth until it is given a ``lie``. ``seen`` are the requests since then."""

    def __init__(self, server: str) -> None:
        self.url = ""
        self.lie = Lie()
        self.seen: list[Request] = []
        self._http = httpx.AsyncClient(base_url=server + PREFIX, trust_env=False, timeout=30, verify=False)
        self._tasks: set[asyncio.Task[None]] = set()

    def stand_before(self, server: str) -> None:
        """Ask another server from now on."""
        self._http.base_url = server + PREFIX

    def tell(self, lie: Lie) -> None:
        """Lie from now on."""
        self.lie = lie
        self.seen.clear()

    async def honest(self, request: Request) -> Answer:
        """The real server's answer. A server knows the cursors that it gave, those of its lies too."""
        after = request.query.get("after", "")
        if after.startswith(MADE_UP):
            query = {name: value for name, value in request.query.items() if name != "after"}
            place = int(after.removeprefix(MADE_UP))
            if place:
                start = await self.honest(replace(request, query=query | {"limit": str(place)}))
                query["after"] = start.read()["cursor"]
            request = replace(request, query=query)
        response = await self._http.send(self._forwarded(request))
        return Answer(
            response.status_code,
            response.headers.get("content-type", "").partition(";")[0],
            response.content,
            {name: value for name, value in response.headers.items() if name == "retry-after"},
        )

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def _forwarded(self, request: Request) -> httpx.Request:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        return self._http.build_request(
            request.method, request.path, params=request.query or None, headers=headers, content=request.body or None
        )

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.seen.append(request)
            if request.path == "/sync/events" and type(self.lie) is Lie:
                await self._stream(request, writer)
                return
            answer = await self.lie.answer(request, self.honest)
            if answer is not None:
                await _write(writer, answer)
        except (asyncio.IncompleteReadError, ConnectionError, httpx.TransportError):
            pass  # a client or a server that went away
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _stream(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Pass live events on as they come."""
        async with self._http.stream(
            "GET", request.path, headers={"authorization": request.headers["authorization"]}, timeout=None
        ) as response:
            media_type = response.headers["content-type"]
            writer.write(f"HTTP/1.1 {response.status_code} X\r\n{MARK}content-type: {media_type}\r\n\r\n".encode())
            async for received in response.aiter_bytes():
                writer.write(received)
                await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Request(method, url.path.removeprefix(PREFIX), dict(parse_qsl(url.query)), headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    kind = f"content-type: {answer.media_type}\r\n" if answer.media_type else ""
    length = "" if answer.status == 204 else f"content-length: {len(answer.body)}\r\n"
    writer.write(f"HTTP/1.1 {answer.status} X\r\n{MARK}{kind}{length}{extra}connection: close\r\n\r\n".encode())
    writer.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])
    await writer.drain()


@asynccontextmanager
async def lying_server(server: str) -> AsyncIterator[LyingServer]:
    """Stand before ``server``, on a free port of this machine."""
    liar = LyingServer(server)
    listening = await asyncio.start_server(liar.accept, "127.0.0.1", 0, limit=1024 * 1024)
    liar.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with listening:
            yield liar
    finally:
        await liar.aclose()

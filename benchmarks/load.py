"""A load client: HTTP/1.1 over kept-open sockets, with as little of its own as will do."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import ormsgpack

from lockleaf.wire.codec import MSGPACK, pack

__all__ = ["Connection", "json_request_bytes", "request_bytes"]


def request_bytes(method: str, path: str, *, token: str | None = None, body: Any = None) -> bytes:
    """Return a whole request; ``body`` travels as MessagePack, and MessagePack is asked for."""
    content = b"" if body is None else pack(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Accept: {MSGPACK}"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += [f"Content-Type: {MSGPACK}", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def json_request_bytes(method: str, path: str, *, token: str | None = None, body: Any = None) -> bytes:
    """Return a whole request as a thin client sends it: in JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: application/json"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class _Reader(asyncio.BufferedProtocol):
    """Receives one answer at a time straight into one buffer."""

    def __init__(self) -> None:
        self.buffer = bytearray(64 * 1024)
        self.filled = 0
        self.body_at = 0
        self.end = 0
        self.waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(error or ConnectionError("the server closed the connection"))

    def get_buffer(self, sizehint: int) -> memoryview:
        if self.filled == len(self.buffer):
            self._make_room(2 * self.filled)
        return memoryview(self.buffer)[self.filled :]

    def _make_room(self, size: int) -> None:
        if size > len(self.buffer):
            larger = bytearray(size)
            larger[: self.filled] = memoryview(self.buffer)[: self.filled]
            self.buffer = larger

    def buffer_updated(self, count: int) -> None:
        self.filled += count
        if not self.end and (split := self.buffer.find(b"\r\n\r\n", 0, self.filled)) >= 0:
            head = bytes(self.buffer[:split]).lower() + b"\r\n"
            start = head.find(b"content-length:")
            length = int(head[start + 15 : head.index(b"\r\n", start)]) if start >= 0 else 0
            self.body_at, self.end = split + 4, split + 4 + length
            self._make_room(self.end)
        if self.end and self.filled >= self.end and self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(None)


class Connection:
    """One kept-open connection; one request at a time. One that the server has ended meanwhile is opened anew."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, self._reader = await loop.create_connection(_Reader, *self._address)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    async def send(self, request: bytes) -> memoryview:
        """Send a whole request, and return the body of its answer; any status but 2xx ends the benchmark.

        The body is good until the next request.
        """
        status, body = await self.exchange(request)
        if not 200 <= status < 300:
            raise RuntimeError(f"{bytes(self._reader.buffer[:40])!r}: {bytes(body[:300])!r}")
        return body

    async def exchange(self, request: bytes) -> tuple[int, memoryview]:
        """Send a whole request, and return status and body of its answer, whatever they are."""
        if self._transport.is_closing():
            await self._open()
        reader = self._reader
        reader.filled = reader.end = 0
        reader.waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await reader.waiting
        return int(reader.buffer[9:12]), memoryview(reader.buffer)[reader.body_at : reader.end]

    async def call_json(self, method: str, path: str, *, token: str | None = None, body: Any = None) -> Any:
        """Send a request in JSON, and return its answer, decoded."""
        answer = await self.send(json_request_bytes(method, path, token=token, body=body))
        return json.loads(bytes(answer)) if len(answer) else None

    async def call(self, method: str, path: str, *, token: str | None = None, body: Any = None) -> Any:
        """Send a request, and return its answer, decoded."""
        answer = await self.send(request_bytes(method, path, token=token, body=body))
        return ormsgpack.unpackb(answer) if len(answer) else None

"""A server on a real socket that answers what a test wrote down, one request after the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lockleaf.wire.api import API_HEADER, API_VERSION

OURS = {API_HEADER: API_VERSION}
"""What an answer of a Lockleaf server bears."""


@dataclass
class Reply:
    """What is answered; ``drop`` closes the connection without a word."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    ours: bool = True
    """Whether it bears the mark of a Lockleaf server."""


def problem(status: int, code: str, headers: dict[str, str] | None = None, **facts: Any) -> Reply:
    document = {"type": "about:blank", "title": "t", "detail": "d", "status": status, "code": code, **facts}
    return Reply(status, json.dumps(document).encode(), "application/problem+json", headers or {})


def answer(**fields: Any) -> Reply:
    return Reply(200, json.dumps(fields).encode())


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ScriptedServer:
    """Gives its replies in order; the last one again and again."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            method, path, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.seen.append(Seen(method, path, headers, body))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if not reply.drop:
                mark = OURS if reply.ours else {}
                extra = "".join(f"{name}: {value}\r\n" for name, value in (mark | reply.headers).items())
                writer.write(
                    f"HTTP/1.1 {reply.status} X\r\ncontent-type: {reply.media_type}\r\n{extra}"
                    f"content-length: {len(reply.body)}\r\nconnection: close\r\n\r\n".encode()
                )
                writer.write(reply.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted_server(*replies: Reply) -> AsyncIterator[ScriptedServer]:
    """Serve ``replies`` on a free port of this machine."""
    script = ScriptedServer(replies)
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield script

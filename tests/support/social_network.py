"""A social network of our own on the loopback: real HTTP, and every trouble that such a server can have.

It runs in a thread with a loop of its own, so that servers in other processes reach it too. What it did is written down
before it answers: a trouble with the answer does not undo it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any, TypeVar
from urllib.parse import parse_qsl

__all__ = ["Answer", "Asked", "SocialNetwork", "Trouble", "running_network"]

READY_SECONDS = 30

Network = TypeVar("Network", bound="SocialNetwork")

Trouble = str
"""
- ``refuse``: the connection is closed before anything is done.
- ``fail``: 500 before anything is done; ``fail after``: 500, and it was done.
- ``lose``: done, and the connection is closed without an answer; ``half``: within the answer.
- ``page``: a page for people, 502; ``nonsense``: 200, and no document.
- ``throttle``: the network's own word for too many calls, before anything is done.
- ``silence``: done, and nothing more is said.
"""

TROUBLES: tuple[Trouble, ...] = ("refuse", "fail", "fail after", "lose", "half", "page", "nonsense", "throttle")
"""Those that come to an end by themselves."""


@dataclass(frozen=True)
class Asked:
    """A request, read."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    lists: dict[str, list[str]]
    files: dict[str, tuple[str, str, bytes]]

    @property
    def bearer(self) -> str | None:
        """The token in the head."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int = 200
    document: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return self.raw if self.raw is not None else json.dumps(self.document).encode()


class SocialNetwork:
    """What all networks share: connections, troubles, and a memory of what was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[Asked] = []
        self.counted: Counter[Trouble] = Counter()
        self.troubles: list[Trouble | None] = []
        """What happens to the next requests, one each."""
        self.refusals: list[int] = []
        """Statuses with which the next requests are refused, before anything is done."""
        self.chance = 0.0
        """How many of all requests have a trouble, by chance."""
        self.rng = random.Random(0)
        self.heard: Callable[[Asked], None] = lambda asked: None
        """Called when a request was read, before its trouble is chosen."""
        self.before: Callable[[Asked], None] = lambda asked: None
        self.after: Callable[[Asked], None] = lambda asked: None
        """Called before and after something is done, before it is answered; and once its answer is sent."""
        self.sent: Callable[[Asked], None] = lambda asked: None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """The same as the setting names it."""
        return f"127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Answer:
        """Do what is asked."""
        raise NotImplementedError

    def throttled(self, asked: Asked) -> Answer:
        """Return the network's own word for too many calls."""
        raise NotImplementedError

    def calls(self, method: str, ending: str) -> int:
        """How often something was asked."""
        return sum(asked.method == method and asked.path.endswith(ending) for asked in self.asked)

    def _trouble(self) -> Trouble | None:
        if self.troubles:
            return self.troubles.pop(0)
        return self.rng.choice(TROUBLES) if self.rng.random() < self.chance else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader)
        self.asked.append(asked)
        self.heard(asked)
        if self.refusals:
            return await _write(writer, Answer(self.refusals.pop(0), {"error": "Not here"}))
        trouble = self._trouble()
        if trouble is not None:
            self.counted[trouble] += 1
        if trouble == "refuse":
            return False
        if trouble == "fail":
            return await _write(writer, Answer(500, {"error": "a trouble"}))
        if trouble == "throttle":
            return await _write(writer, self.throttled(asked))
        self.before(asked)
        answer = self.answer(asked)
        self.after(asked)
        if trouble == "nonsense" and answer.raw is not None:
            trouble = "half"  # a picture that is none is another matter
        if trouble == "lose":
            return False
        if trouble == "silence":
            await asyncio.sleep(3600)
        if trouble == "half":
            await _write(writer, answer, half=True)
            return False
        if trouble == "fail after":
            answer = Answer(500, {"error": "a trouble"})
        elif trouble == "page":
            answer = Answer(502, raw=b"<html><body>Bad gateway</body></html>", media_type="text/html")
        elif trouble == "nonsense":
            answer = Answer(200, raw=b'{"id": "1', media_type="application/json")
        going_on = await _write(writer, answer)
        self.sent(asked)
        return going_on


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines if each)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    pairs: list[tuple[str, str]] = []
    files: dict[str, tuple[str, str, bytes]] = {}
    media_type = headers.get("content-type", "")
    if media_type.startswith("multipart/form-data"):
        message = BytesParser().parsebytes(b"content-type: " + media_type.encode() + b"\r\n\r\n" + body)
        for part in message.get_payload():  # type: ignore[union-attr]
            name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
            payload = part.get_payload(decode=True)  # type: ignore[union-attr]
            filename = part.get_filename()  # type: ignore[union-attr]
            if filename is None:
                pairs.append((name, payload.decode()))
            else:
                files[name] = (filename, part.get_content_type(), payload)  # type: ignore[union-attr]
    elif body:
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return Asked(method, path, dict(parse_qsl(query)), headers, dict(pairs), lists, files)


async def _write(writer: asyncio.StreamWriter, answer: Answer, *, half: bool = False) -> bool:
    body = answer.body
    told = {"Content-Type": answer.media_type, "Content-Length": str(len(body)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    writer.write(f"HTTP/1.1 {answer.status} Answer\r\n{lines}\r\n".encode() + body[: len(body) // 2 if half else None])
    await writer.drain()
    return True


@contextlib.contextmanager
def running_network(network: Network) -> Iterator[Network]:
    """Run a network in a thread of this process."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        server = await asyncio.start_server(network.serve, "127.0.0.1", network.port, limit=2**24)
        network.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="social-network")
    thread.start()
    try:
        assert ready.wait(READY_SECONDS)
        yield network
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()

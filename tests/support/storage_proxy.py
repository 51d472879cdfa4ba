"""A wire before a server that is its own object store: it counts what is uploaded, and can hold, refuse, cut and alter.

Requests keep their ``Host``, so that the addresses which the server signs lead through here as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from lockleaf.wire.api import API_HEADER, API_VERSION

__all__ = ["Passing", "StorageProxy", "storage_proxy"]

OBJECTS = "/api/v1/objects/"
_AT_ONCE = 64 * 1024


@dataclass
class Passing:
    """A request on its way; ``sent`` counts the bytes of its body that passed, ``status`` is of its answer."""

    method: str
    path: str
    headers: dict[str, str]
    sent: int = 0
    status: int = 0

    @property
    def to_store(self) -> bool:
        return self.path.startswith(OBJECTS)

    def asks(self, method: str, end: str) -> bool:
        return self.method == method and self.path.partition("?")[0].endswith(end)


Which = Callable[[Passing], bool]


def _none(_: Passing) -> bool:
    return False


class StorageProxy:
    """Passes everything on, but for what is set here.

    ``hold``: requests that stop behind their head, ``hold_answers``: whose answers are kept back; ``held`` tells of
    both. ``hold_at``: bytes of an upload at which it stops. ``refuse``: gives the whole answer in place of the
    server's. ``alter``: changes the bytes of a download. ``cut_at``: bytes of a download behind which the line breaks.
    """

    def __init__(self, port: int) -> None:
        self.url = ""
        self.seen: list[Passing] = []
        self.held = asyncio.Event()
        self.hold: Which = _none
        self.hold_answers: Which = _none
        self.hold_at: int | None = None
        self.refuse: Callable[[Passing], bytes | None] = lambda _: None
        self.alter: Callable[[bytes], bytes] | None = None
        self.cut_at: int | None = None
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def uploads(self) -> list[Passing]:
        """The requests that brought bytes to the store."""
        return [each for each in self.seen if each.to_store and each.method == "PUT"]

    @property
    def downloads(self) -> list[Passing]:
        """The requests that fetched bytes from it."""
        return [each for each in self.seen if each.to_store and each.method == "GET"]

    @property
    def uploaded(self) -> int:
        """The bytes that were sent to the store."""
        return sum(each.sent for each in self.uploads)

    def behave(self) -> None:
        """Pass everything on from now on, and begin to count anew."""
        self.hold = self.hold_answers = _none
        self.hold_at = self.cut_at = self.alter = None
        self.refuse = lambda _: None
        self.seen = []
        self.held.clear()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                passing = _parsed(head)
                self.seen.append(passing)
                if self.hold(passing):
                    await self._hold()
                if (answer := self.refuse(passing)) is not None:
                    writer.write(answer)
                    await writer.drain()
                    return
                answers, there = await asyncio.open_connection("127.0.0.1", self._port)
                # One request a connection, so that where an answer ends is plain.
                there.write(head[:-2] + b"connection: close\r\n\r\n")
                await asyncio.gather(self._up(passing, reader, there), self._down(passing, answers, writer))
            finally:
                for end in (writer, there):
                    if end is not None:
                        end.close()

    async def _hold(self) -> None:
        self.held.set()
        await asyncio.Event().wait()

    async def _up(self, passing: Passing, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        left = int(passing.headers.get("content-length", "0"))
        with suppress(OSError):
            while left and (data := await reader.read(min(left, _AT_ONCE))):
                left -= len(data)
                passing.sent += len(data)
                there.write(data)
                await there.drain()
                if self.hold_at is not None and passing.to_store and passing.sent >= self.hold_at:
                    await self._hold()
        if left:
            there.close()

    async def _down(self, passing: Passing, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await answers.readuntil(b"\r\n\r\n")
        passing.status = int(head.split(b" ", 2)[1])
        if self.hold_answers(passing):
            await self._hold()
        if b"connection: close" not in head.lower():
            head = head[:-2] + b"connection: close\r\n\r\n"
        writer.write(head)
        download = passing.to_store and passing.method == "GET"
        if download and self.alter is not None:
            writer.write(self.alter(await answers.read(-1)))
        left = self.cut_at if download else None
        while data := await answers.read(_AT_ONCE if left is None else min(left, _AT_ONCE)):
            writer.write(data)
            await writer.drain()
            if left is not None:
                left -= len(data)
                if not left:
                    break
        writer.close()


def _parsed(head: bytes) -> Passing:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return Passing(method, target, headers)


def answer(status: int, body: bytes = b"", *, kind: str = "text/plain", more: str = "") -> bytes:
    """An answer of the server, whole."""
    head = (
        f"HTTP/1.1 {status} X\r\n{API_HEADER}: {API_VERSION}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        f"connection: close\r\n{more}\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def storage_proxy(port: int) -> AsyncIterator[StorageProxy]:
    """A proxy before the server at ``port`` of the loopback."""
    proxy = StorageProxy(port)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        async with listening:
            yield proxy
    finally:
        await proxy.aclose()

"""A wire between clients and a server that keeps every byte which passes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class RecordingProxy:
    """Forwards connections to a port of the loopback, and keeps what passes in each direction of each of them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._port = 0
        self._streams: list[bytearray] = []
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address at which clients reach the server by way of this proxy."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def recorded(self) -> list[bytes]:
        """The bytes of each direction of each connection so far."""
        return [bytes(stream) for stream in self._streams]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Carry connections on a free port; all are closed at the end."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._record(reader, there_writer), self._record(there_reader, writer))
        finally:
            for end in (writer, there_writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _record(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = bytearray()
        self._streams.append(stream)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                stream += data
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def recording_proxy(port: int) -> AsyncIterator[RecordingProxy]:
    """A proxy in front of ``port`` for the length of an ``async with``."""
    proxy = RecordingProxy(port)
    async with proxy.listening():
        yield proxy

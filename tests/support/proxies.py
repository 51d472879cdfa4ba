"""Small proxies on the loopback: one that speaks SOCKS 5, one that speaks HTTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ForwardingProxy:
    """Leads every connection to one port of this machine, whatever address is asked for.

    Args:
        port: where it leads.
        user: name and password that it wants, as ``name:password``; None for none.
        mute: accepts and says nothing.
    """

    def __init__(self, port: int, user: str | None = None, *, mute: bool = False) -> None:
        self.port = port
        self.user = user
        self.mute = mute
        self.asked: list[str] = []
        self.own_port = 0

    async def socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SOCKS 5 (RFC 1928), names and passwords included (RFC 1929)."""
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if self.mute:
            await reader.read()
            return
        wanted = 2 if self.user is not None else 0
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, wanted]))
        if self.user is not None:
            _, length = await reader.readexactly(2)
            name = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            good = f"{name.decode()}:{password.decode()}" == self.user
            writer.write(bytes([1, not good]))
            if not good:
                return
        _, _, _, kind = await reader.readexactly(4)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        host = await reader.readexactly(length)
        await reader.readexactly(2)
        self.asked.append(host.decode() if kind == 3 else host.hex())
        if not self.port:
            writer.write(b"\x05\x05\x00\x01" + bytes(6))
            return
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await self._carry(reader, writer)

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward plain requests, whose first line names the whole address."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b" ")[1].decode())
        if self.user is not None and b"proxy-authorization: basic" not in head.lower():
            writer.write(b"HTTP/1.1 407 X\r\ncontent-length: 5\r\n\r\nwhat?")
            return
        await self._carry(reader, writer, head)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: bytes = b"") -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
        there_writer.write(begun)

        async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            target.close()

        await asyncio.gather(pipe(reader, there_writer), pipe(there_reader, writer))


@asynccontextmanager
async def listening(proxy: ForwardingProxy, speak: Handler) -> AsyncIterator[ForwardingProxy]:
    """Let ``proxy`` speak on a free port, which is its ``own_port``."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await speak(reader, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()
            running.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.own_port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

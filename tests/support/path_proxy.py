"""A reverse proxy that puts a server below a path, and tells it nothing of that: neither the path nor its own name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

__all__ = ["path_proxy"]

ELSEWHERE = b"HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\n<>"


@contextlib.asynccontextmanager
async def path_proxy(port: int, prefix: str) -> AsyncIterator[str]:
    """A proxy before ``port`` for the length of an ``async with``; gives the address of the server behind it.

    Args:
        prefix: such as ``/journal``; it is taken off each path, and what is not below it is 404.
    """
    carrying: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
            method, target, version = first.split(b" ")
            if not target.startswith(prefix.encode() + b"/"):
                writer.write(ELSEWHERE)
                await writer.drain()
                return
            kept = [line for line in lines if line.partition(b":")[0].lower() not in (b"host", b"connection")]
            head = [
                b" ".join((method, target.removeprefix(prefix.encode()), version)),
                f"host: 127.0.0.1:{port}".encode(),
                b"connection: close",
                *kept,
            ]
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            there_writer.write(b"\r\n".join(head) + b"\r\n\r\n")
            sending = asyncio.create_task(_pass_on(reader, there_writer))
            try:
                await _pass_on(there_reader, writer)
            finally:
                sending.cancel()
                there_writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await carry(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        carrying.add(task)
        task.add_done_callback(carrying.discard)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}{prefix}"
    finally:
        listening.close()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()

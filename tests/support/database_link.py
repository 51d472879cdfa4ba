"""A network between a server and its PostgreSQL that can be cut and mended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit


class DatabaseLink:
    """Forwards a port of the loopback to PostgreSQL's private socket.

    Arguments:
        url: the address of the database on its socket.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        where = parse_qs(parts.query)
        self._socket = f"{where['host'][0]}/.s.PGSQL.{where['port'][0]}"
        self._role, self._database = parts.username, parts.path.lstrip("/")
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address of the database by way of this link; known once it has been mended."""
        return f"postgresql://{self._role}@127.0.0.1:{self._port}/{self._database}?sslmode=disable"

    async def mend(self) -> None:
        """Carry connections, on the same port as before."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection, and accept no other."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        ends = {writer, there_writer}
        self._writers |= ends
        try:
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def database_link(url: str) -> AsyncIterator[DatabaseLink]:
    """A whole link for the length of an ``async with``."""
    link = DatabaseLink(url)
    await link.mend()
    try:
        yield link
    finally:
        await link.cut()

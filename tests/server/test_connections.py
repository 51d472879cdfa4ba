"""Clients that hold connections for nothing, over real sockets: they lose them, and everybody else is answered."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterator

import httpx
import psutil
import pytest

from lockleaf.server.platform.settings import ConnectionSettings
from lockleaf.wire.codec import MSGPACK
from tests.support.accounts import change, register, sealed
from tests.support.process import RunningServer, running_server
from tests.support.processes import workers

MOST = 30
UNREAD = 16 * 2**20
SETTINGS = {
    "LOCKLEAF_CONNECTIONS__MOST": str(MOST),
    "LOCKLEAF_CONNECTIONS__HEAD_SECONDS": "5",
    "LOCKLEAF_CONNECTIONS__BODY_SECONDS": "2",
    "LOCKLEAF_CONNECTIONS__BODY_BYTES_PER_SECOND": "1000",
    "LOCKLEAF_CONNECTIONS__IDLE_SECONDS": "2",
    "LOCKLEAF_CONNECTIONS__WRITE_SECONDS": "4",
    "LOCKLEAF_CONNECTIONS__UNREAD_BYTES": str(UNREAD),
    # So many pages are made at a time.
    "LOCKLEAF_DATABASE__POOL_SIZE": "2",
}
HALF = b"GET /health HTTP/1.1\r\nHost: here\r\nX-Slow: "
LOGIN = (
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)


@pytest.fixture(scope="module")
def bounded(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("bounded")
    environment = {**server_environment, **SETTINGS, "LOCKLEAF_DATA_DIR": str(folder)}
    with running_server(environment, log=folder / "log") as running:
        yield running


async def _never_reading(server: RunningServer, said: bytes) -> socket.socket:
    """A client with little room for an answer, which it never looks at."""
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asking.setblocking(False)
    await asyncio.get_running_loop().sock_connect(asking, ("127.0.0.1", server.port))
    await asyncio.get_running_loop().sock_sendall(asking, said)
    return asking


def _kept(worker: psutil.Process, asking: list[socket.socket]) -> int:
    """How many of the connections the server still holds."""
    ports = {each.getsockname()[1] for each in asking}
    return sum(bool(each.raddr) and each.raddr.port in ports for each in worker.net_connections("tcp"))


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def connections(server: RunningServer, count: int, said: bytes) -> AsyncIterator[list[Connection]]:
    """``count`` connections on which something was said."""
    made: list[Connection] = []
    try:
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            made.append((reader, writer))
            writer.write(said)
        yield made
    finally:
        for _, writer in made:
            writer.close()


async def last_words(connection: Connection) -> bytes:
    """What the server says until it closes the connection."""
    try:
        async with asyncio.timeout(60):
            return await connection[0].read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "said", [HALF, b"", b"\r\n", LOGIN], ids=["half a head", "nothing", "an empty line", "no body"]
)
async def test_half_open_requests_keep_nobody_out(bounded: RunningServer, said: bytes) -> None:
    async with connections(bounded, 3 * MOST, said) as held:
        async with httpx.AsyncClient(base_url=bounded.url, timeout=60) as http:
            for _ in range(3):
                assert (await http.get("/health", headers={"Connection": "close"})).status_code == 200
        ends = await asyncio.gather(*(last_words(each) for each in held))
        assert all(not end or end.startswith(b"HTTP/1.1 408 ") for end in ends)


async def rested(connection: Connection) -> None:
    """Wait for a whole answer on a connection that is kept after it, if the server has not closed it."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await connection[0].readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await connection[0].readexactly(length)


@pytest.mark.parametrize("kind", ["heads never finished", "bodies never finished", "idle after a request"])
async def test_more_half_open_connections_than_the_server_takes_keep_no_honest_login_out(
    server: RunningServer, kind: str
) -> None:
    """The limits are those of a server as it is installed."""
    told = {"heads never finished": HALF, "bodies never finished": LOGIN}.get(kind)
    most = ConnectionSettings().most
    who = {"email": f"{secrets.token_hex(8)}@example.org", "password": "six herons over a cold dyke"}
    async with httpx.AsyncClient(
        base_url=f"{server.url}/api/v1", timeout=60, headers={"Connection": "close"}, trust_env=False
    ) as http:
        assert (await http.post("/auth/register", json=who)).status_code == 201
        whole = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
        async with connections(server, most + 100, told or whole) as held:
            if told is None:
                await asyncio.gather(*map(rested, held))
            for _ in range(3):
                assert (await http.post("/auth/login", json=who)).status_code == 200


async def test_a_body_that_drips_is_given_up(bounded: RunningServer) -> None:
    async with connections(bounded, 1, LOGIN + b"{") as ((reader, writer),):
        async with asyncio.timeout(60):
            answer = asyncio.create_task(reader.read())
            while not answer.done():
                with contextlib.suppress(ConnectionError):
                    writer.write(b" ")
                    await writer.drain()
                await asyncio.wait((answer,), timeout=0.2)
        assert answer.result().startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_rests_after_its_answer_is_closed(bounded: RunningServer) -> None:
    async with connections(bounded, 1, b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n") as (connection,):
        assert (await last_words(connection)).startswith(b"HTTP/1.1 200 ")


async def test_half_a_head_after_a_rest_has_no_more_time_than_one_before_it(bounded: RunningServer) -> None:
    async with connections(bounded, 1, b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n") as (connection,):
        await rested(connection)
        connection[1].write(HALF)
        assert (await last_words(connection)).startswith(b"HTTP/1.1 408 ")


async def test_requests_that_come_together_are_answered_one_after_the_other(bounded: RunningServer) -> None:
    health = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
    head = b"HEAD /api/v1/auth/features HTTP/1.1\r\nHost: here\r\n\r\n"
    last = b"POST /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with connections(bounded, 1, health + head + health + last) as (connection,):
        answers = await last_words(connection)
    # Asked for the head alone, it goes out although nothing follows.
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200", b"405", b"200", b"405"]


async def test_what_is_refused_before_its_body_has_come_is_asked_for_no_body(bounded: RunningServer) -> None:
    refused = b"POST /api/v1/sync/push HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    old = b"GET /health HTTP/1.0\r\nHost: here\r\nConnection: keep-alive\r\n\r\n"
    async with connections(bounded, 1, refused) as (connection,):
        await rested(connection)
        connection[1].write(b"{}" + old)
        # And what came before HTTP/1.1 has one answer on a connection.
        answers = await last_words(connection)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200"]
    assert b"\r\nconnection: close\r\n" in answers


async def test_a_connection_that_rests_after_several_requests_is_closed(bounded: RunningServer) -> None:
    health = b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n"
    async with connections(bounded, 1, health) as (connection,):
        for _ in range(3):
            await rested(connection)
            connection[1].write(health)
        assert (await last_words(connection)).startswith(b"HTTP/1.1 200 ")


async def test_a_request_in_two_pieces_is_answered(bounded: RunningServer) -> None:
    async with connections(bounded, 1, HALF) as ((reader, writer),):
        writer.write(b"not really\r\nConnection: close\r\n\r\n")
        assert (await last_words((reader, writer))).startswith(b"HTTP/1.1 200 ")


async def test_clients_that_never_read_their_pages_take_little_memory_and_lose_their_connections(
    bounded: RunningServer,
) -> None:
    (worker,) = workers(bounded)
    async with httpx.AsyncClient(base_url=f"{bounded.url}/api/v1", timeout=60, trust_env=False) as http:
        owner = await register(http)
        for _ in range(3):
            await owner.results(*[change(payload=sealed(500_000)) for _ in range(5)])
        page = await owner.request("GET", "/sync/changes", params={"limit": 500}, headers={"Accept": MSGPACK})
        assert len(page.content) > 4_000_000
        before = worker.memory_info().rss
        ask = (
            f"GET /api/v1/sync/changes?limit=500 HTTP/1.1\r\nHost: here\r\nAccept: {MSGPACK}\r\n"
            f"Authorization: Bearer {owner.token}\r\n\r\n"
        ).encode()
        held = [await _never_reading(bounded, ask) for _ in range(MOST - 4)]
        most = 0
        try:
            async with asyncio.timeout(60):
                while _kept(worker, held):
                    most = max(most, worker.memory_info().rss - before)
                    assert (await http.get(f"{bounded.url}/health")).status_code == 200
                    await asyncio.sleep(0.05)
        finally:
            for each in held:
                each.close()
    # What may be unread, and what is being made: all of them together would be 117 MB, and took 113 MiB.
    assert most < UNREAD + 56 * 2**20

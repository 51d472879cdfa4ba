"""Live events: woken in whichever worker, saying almost nothing, and back by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lockleaf.wire.codec import MSGPACK, pack
from tests.support.accounts import Owner, change, following, register
from tests.support.process import RunningServer, running_server
from tests.support.processes import postmaster, workers

PATIENCE = 60
"""Seconds after which something that should have happened is taken not to happen: a bound, never a measure."""


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of two workers, with a database of its own that a test may kill."""
    folder: Path = tmp_path_factory.mktemp("events")
    environment = {
        "LOCKLEAF_DATA_DIR": str(folder / "data"),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
        "LOCKLEAF_LIMITS__STREAMS_PER_ACCOUNT": "3",
    }
    with running_server(environment, log=folder / "log", workers=2) as running:
        yield running


@pytest.fixture
async def owner(two_workers: RunningServer) -> AsyncIterator[Owner]:
    async with new_connection(two_workers) as http:
        yield await register(http)


def new_connection(server: RunningServer) -> httpx.AsyncClient:
    """A client with connections of its own: which worker answers them is chance."""
    return httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=PATIENCE)


class Stream:
    """An open live stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> dict[str, int]:
        """The next event."""
        async with asyncio.timeout(PATIENCE):
            while not (line := await anext(self._lines)).startswith("data:"):
                pass
        event: dict[str, int] = json.loads(line.removeprefix("data:"))
        return event

    async def until(self, seq: int) -> dict[str, int]:
        """The event that tells of change ``seq``."""
        while (event := await self.event())["seq"] < seq:
            pass
        return event

    async def end(self) -> list[str]:
        """Wait until the server ends the stream; what came before it."""
        async with asyncio.timeout(PATIENCE):
            return [line async for line in self._lines if line]


@asynccontextmanager
async def stream_of(server: RunningServer, owner: Owner) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {owner.token}"}
    async with new_connection(server) as http, http.stream("GET", "/sync/events", headers=headers) as response:
        yield Stream(response)


async def test_every_stream_is_woken_whichever_worker_took_the_change(two_workers: RunningServer, owner: Owner) -> None:
    async with (
        stream_of(two_workers, owner) as one,
        stream_of(two_workers, owner) as two,
        stream_of(two_workers, owner) as three,
    ):
        for stream in (one, two, three):
            assert stream.response.headers["content-type"].startswith("text/event-stream")
            assert await stream.event() == {"seq": 0, "inbox": 0, "conflicts": 0}
        # On connections of their own, the writers are served by both workers, and so are the streams, or most likely
        # so: the run of changes is long enough that one which wakes only its own worker would not pass.
        for seq in range(1, 13):
            async with new_connection(two_workers) as http:
                writer = Owner(http, owner.email, owner.password, owner.answer)
                await writer.results(change())
            for stream in (one, two, three):
                assert await stream.until(seq) == {"seq": seq, "inbox": 0, "conflicts": 0}


async def test_an_event_tells_of_open_conflicts_and_nothing_else(two_workers: RunningServer, owner: Owner) -> None:
    async with stream_of(two_workers, owner) as stream:
        await stream.event()
        first = change()
        await owner.results(first, following(first))
        assert await stream.until(2) == {"seq": 2, "inbox": 0, "conflicts": 0}
        await owner.results(following(first, on_conflict="keep"))
        assert await stream.event() == {"seq": 2, "inbox": 0, "conflicts": 1}


async def test_a_stream_hears_nothing_of_other_accounts(two_workers: RunningServer, owner: Owner) -> None:
    async with stream_of(two_workers, owner) as stream, new_connection(two_workers) as http:
        await stream.event()
        other = await register(http)
        await other.results(change(), change(), change())
        await owner.results(change())
        assert await stream.event() == {"seq": 1, "inbox": 0, "conflicts": 0}


async def _log_out(owner: Owner, second: Owner) -> None:
    assert (await second.request("POST", "/auth/logout")).status_code == 204


async def _sign_out_from_elsewhere(owner: Owner, second: Owner) -> None:
    session = second.answer["session_id"]
    assert (await owner.request("DELETE", f"/auth/sessions/{session}")).status_code == 204


async def _use_a_refresh_token_twice(owner: Owner, second: Owner) -> None:
    body = {"refresh_token": second.answer["refresh_token"]}
    assert (await second.http.post("/auth/refresh", json=body)).status_code == 200
    assert (await second.http.post("/auth/refresh", json=body)).json()["code"] == "refresh_token_reused"


@pytest.mark.parametrize("revoke", [_log_out, _sign_out_from_elsewhere, _use_a_refresh_token_twice])
async def test_a_stream_ends_at_once_when_its_session_does(
    two_workers: RunningServer, owner: Owner, revoke: Callable[[Owner, Owner], Awaitable[None]]
) -> None:
    async with new_connection(two_workers) as http:
        login = await http.post("/auth/login", json={"email": owner.email, "password": owner.password})
        second = Owner(http, owner.email, owner.password, login.json())
        async with stream_of(two_workers, owner) as kept, stream_of(two_workers, second) as revoked:
            await kept.event()
            await revoked.event()
            await revoke(owner, second)
            assert await revoked.end() == []  # not even the sign of life that a waiting stream gives
            await owner.results(change())
            assert (await kept.until(1))["seq"] == 1
        async with stream_of(two_workers, second) as refused:
            assert refused.response.status_code == 401
            await refused.response.aread()
            assert refused.response.json()["code"] == "session_revoked"


async def test_an_account_has_so_many_streams_and_no_more(two_workers: RunningServer, owner: Owner) -> None:
    # Each worker counts its own: of so many, one worker at least has more than it allows.
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        enough = asyncio.Event()

        async def open_one() -> httpx.Response:
            async with stream_of(two_workers, owner) as stream:
                if stream.response.status_code == 200:
                    await stream.event()
                    opened.append(stream)
                    await enough.wait()
                else:
                    await stream.response.aread()
                    enough.set()
                return stream.response

        opened: list[Stream] = []
        tasks = [group.create_task(open_one()) for _ in range(7)]
    refused = [task.result() for task in tasks if task.result().status_code != 200]
    assert refused
    for answer in refused:
        assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (429, "too_many_streams", 3)
        assert int(answer.headers["retry-after"]) > 0
    async with stream_of(two_workers, owner) as again:
        assert (await again.event())["seq"] == 0


async def test_live_events_go_on_when_postgresql_was_restarted(two_workers: RunningServer, owner: Owner) -> None:
    heard: set[int] = set()

    async def listen() -> None:
        while 3 not in heard:
            async with stream_of(two_workers, owner) as stream:
                with contextlib.suppress(StopAsyncIteration):  # it may end, and a client then comes back
                    while 3 not in heard:
                        heard.add((await stream.event())["seq"])
                        listening.set()

    listening = asyncio.Event()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(listen())
        await listening.wait()
        await owner.results(change())
        postmaster(two_workers).kill()
        last = change()
        for batch in ([last], [following(last)]):
            while (await _status_of_push(two_workers, owner, batch)) != 200:
                await asyncio.sleep(0.05)
    assert 3 in heard


async def _status_of_push(server: RunningServer, owner: Owner, batch: list[dict[str, Any]]) -> int:
    headers = {"Content-Type": MSGPACK, "Authorization": f"Bearer {owner.token}"}
    async with new_connection(server) as http:
        return (await http.post("/sync/push", content=pack({"changes": batch}), headers=headers)).status_code


class _Bare:
    """A live stream on a connection and nothing else, since hundreds of clients would be what takes the time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def of(cls, server: RunningServer, owner: Owner) -> _Bare:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"GET /api/v1/sync/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {owner.token}\r\n\r\n"
        writer.write(head.encode())
        return cls(reader, writer)

    async def seq(self) -> int:
        """What the next event tells."""
        async with asyncio.timeout(PATIENCE):
            await self._reader.readuntil(b"data: ")
            seq: int = json.loads(await self._reader.readline())["seq"]
        return seq

    def close(self) -> None:
        self._writer.transport.abort()


async def test_of_hundreds_of_streams_those_of_the_account_are_woken_and_each_takes_little(
    server: RunningServer,
) -> None:
    accounts, of_each = 20, 20
    (worker,) = workers(server)
    async with new_connection(server) as http:
        owners = [await register(http) for _ in range(accounts)]
        warm = await _Bare.of(server, owners[0])
        assert await warm.seq() == 0
        before = worker.memory_info().rss
        streams = {owner.email: [await _Bare.of(server, owner) for _ in range(of_each - 1)] for owner in owners}
        try:
            for opened in streams.values():
                assert [await stream.seq() for stream in opened] == [0] * (of_each - 1)
            assert (worker.memory_info().rss - before) / (accounts * of_each) < 128 * 1024
            first, *_, last = owners
            await first.results(change())
            assert [await stream.seq() for stream in streams[first.email]] == [1] * (of_each - 1)
            await last.results(change(), change())
            # Nothing of the first account's change came between.
            assert [await stream.seq() for stream in streams[last.email]] == [2] * (of_each - 1)
        finally:
            for stream in (warm, *(each for opened in streams.values() for each in opened)):
                stream.close()

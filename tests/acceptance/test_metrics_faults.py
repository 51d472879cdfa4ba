"""Encrypted sums when something goes wrong: a device that dies, an answer that is lost, a server that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from lockleaf.client.errors import MetricKeyRolledBack, SealBroken
from lockleaf.client.metrics.census import Census
from lockleaf.client.metrics.census_state import State
from lockleaf.crypto.keyring import Keyring
from lockleaf.he.keys import make_keys
from tests.acceptance.test_sync_faults import Backup
from tests.support.diarist import Diarist, caught
from tests.support.lies import AltersAnswers, CutsAfterTheWork
from tests.support.lying_server import LyingServer
from tests.support.networks import Network
from tests.support.people import Person
from tests.support.process import RunningServer
from tests.support.statistics import agree, differences

KEY = "/encryption/keys/ckks-4096"


class Killed(BaseException):
    """The program ends here: nothing of it goes on, and nothing is put in order."""


class Deadly(Network):
    """Kills the program at its request ``number``: before it is sent, or when the server has done its work."""

    def __init__(self, number: int, *, after: bool) -> None:
        super().__init__()
        self._left, self._after = number, after

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        response = await super().handle_async_request(request)
        if self._left == 0:
            await response.aclose()
            raise Killed
        return response


@pytest.fixture
async def grace(server: RunningServer, tmp_path: Path) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield Person(tmp_path, server.url, stack)


async def _until_it_lives(grace: Person, after: bool, doing: str) -> int:
    """Let the device die at each of its requests in turn, come back, and go on; how often it died."""
    for number in range(1, 100):
        device = await grace.device("laptop", network=Deadly(number, after=after))
        entry = await device.journal.write(body="word " * number, date=f"2026-01-{number % 28 + 1:02}")
        if number > 1:
            earlier = (await device.journal.list(limit=2))[1]
            await device.journal.edit(earlier.id, body=earlier.body + "and more", date=entry.date)
        try:
            if doing == "begin":
                await device.metrics.count(again=number > 1)
            else:
                await device.sync()
            return number - 1
        except Killed:
            await device.aclose()
        device = await grace.device("laptop")
        report = await device.sync()
        assert (report.metrics.error, report.metrics.waiting, report.pending) == (None, 0, 0)
        if report.metrics.on:
            assert differences(await device.metrics.stats(), await device.metrics.stats(local=True)) == []
        await device.aclose()
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("after", [False, True], ids=["before its request", "after the answer"])
async def test_a_device_that_dies_anywhere_in_a_sync_counts_everything_once(grace: Person, after: bool) -> None:
    first = await grace.device("laptop")
    await grace.register(first)
    await first.metrics.count()
    await first.aclose()
    assert await _until_it_lives(grace, after, "sync") > 5
    last = await grace.device("laptop")
    await last.sync()
    await agree(last)
    assert await last.journal.count() == (await last.metrics.stats()).whole.count  # type: ignore[union-attr]


@pytest.mark.parametrize("after", [False, True], ids=["before its request", "after the answer"])
async def test_a_device_that_dies_anywhere_while_it_begins_a_census_leaves_sums_that_are_whole(
    grace: Person, after: bool
) -> None:
    first = await grace.device("laptop")
    await grace.register(first)
    await first.aclose()
    assert await _until_it_lives(grace, after, "begin") > 8
    last = await grace.device("laptop")
    await last.sync()
    await agree(last)
    assert await last.journal.count() == (await last.metrics.stats()).whole.count  # type: ignore[union-attr]
    other = await grace.device("phone")
    await grace.login(other)
    await other.sync()
    await agree(last, other)


async def test_an_upload_whose_answer_was_lost_is_counted_once(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.metrics.count()
    for times in (1, 3):
        liar.tell(CutsAfterTheWork("/encryption/metrics", times=times))
        await laptop.journal.write(body="one two three")
        report = (await laptop.sync()).metrics
        uploads = [request for request in liar.seen if request.asks("POST", "/encryption/metrics")]
        assert len({request.body for request in uploads}) == 1
        assert len(uploads) == min(times + 1, 3)
        assert (report.error, report.waiting) == ((None, 0) if times == 1 else ("ServerUnreachable", 1))
    assert (await laptop.sync()).metrics.waiting == 0
    await agree(laptop)


async def test_a_sync_is_none_the_worse_for_a_server_that_cannot_count(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.metrics.count()
    liar.tell(AltersAnswers(KEY, lambda answer: answer.clear()))
    await laptop.journal.write(body="one two three")
    report = await laptop.sync()
    assert (report.pushed, report.pending) == (1, 0)
    assert (report.metrics.on, report.metrics.error, report.metrics.waiting) == (True, "InvalidAnswer", 1)
    liar.tell(CutsAfterTheWork("nowhere"))
    assert (await laptop.sync()).metrics.sent == 1
    await agree(laptop)


async def test_a_key_that_no_device_sealed_is_named_and_nothing_is_counted_under_it(
    ada: Diarist, liar: LyingServer, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.metrics.count()
    secret, _ = make_keys("ckks-4096")
    theirs = Census.new(number=9, epoch=None, seq=0, maker="device", key=secret.to_bytes())
    stranger = Keyring.new("2026-01-01T00:00:00Z")
    user_id = str(laptop.profile.user_id) if laptop.profile is not None else ""
    lies = {
        "of its own": lambda answer: answer.update(sealed_key=theirs.seal(stranger, user_id, answer["version"])),
        "under another number": lambda answer: answer.update(version=answer["version"] + 1),
        "altered": lambda answer: answer.update(sealed_key=answer["sealed_key"][:-1] + b"\0"),
        "none at all": lambda answer: answer.update(sealed_key=b"key"),
    }
    for name, lie in lies.items():
        with subtests.test(name):
            liar.tell(AltersAnswers(KEY, lie, method="GET"))
            await laptop.journal.write(body="one two three")
            await caught(laptop.sync(), SealBroken)
            assert not [request for request in liar.seen if request.asks("POST", "/encryption/metrics")]
    liar.tell(CutsAfterTheWork("nowhere"))
    await laptop.sync()
    await agree(laptop)


async def test_a_key_that_was_given_up_does_not_come_back(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await laptop.metrics.count()
    old: dict[str, object] = {}
    liar.tell(AltersAnswers(KEY, lambda answer: old.update(answer) if not old else None, method="GET"))
    await laptop.sync()
    await laptop.metrics.count(again=True)
    liar.tell(AltersAnswers(KEY, lambda answer: answer.update(old), method="GET"))
    await caught(laptop.sync(), MetricKeyRolledBack)
    # Whoever does not believe the server begins anew, and is not led back by it.
    liar.tell(CutsAfterTheWork("nowhere"))
    await laptop.metrics.count(again=True)
    await agree(laptop)


class Copy(Backup):
    """An operator's copy of an account's history and sums."""

    tables = (*Backup.tables, "metric_packs", "metric_causes", "metric_deltas", "metric_keys")

    def __init__(self, connection: asyncpg.Connection, user_id: UUID) -> None:
        self._connection, self._user_id = connection, user_id


async def test_a_restored_server_has_everything_counted_anew(grace: Person, database_url: str) -> None:
    laptop = await grace.device("laptop")
    await grace.register(laptop)
    await laptop.journal.write(body="kept")
    await laptop.metrics.count()
    assert laptop.profile is not None
    connection = await asyncpg.connect(database_url)
    try:
        copy = Copy(connection, laptop.profile.user_id)
        await copy.take()
        await laptop.journal.write(body="lost, and sent again")
        await laptop.sync()
        await agree(laptop)
        before = State.load(laptop._device.opened.store).census
        await copy.restore("after the disaster")
    finally:
        await connection.close()
    report = await laptop.sync(accept_restore=True)
    assert (report.metrics.on, report.metrics.error) == (True, None)
    after = State.load(laptop._device.opened.store).census
    assert before is not None
    assert after is not None
    assert (after.epoch, after.number > before.number) == ("after the disaster", True)
    await agree(laptop)

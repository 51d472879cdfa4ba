"""What goes wrong on the way: answers that are lost, servers that are down or restored, clients that are killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest

from lockleaf.client.errors import HistoryForked, ServerRestored, ServerUnreachable
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.sync.synchroniser import SyncReport
from tests.support import warm_program
from tests.support.backups import Backup
from tests.support.journal_devices import JournalDevice, TestAccount, new_account
from tests.support.networks import LosingNetwork, Network
from tests.support.process import RunningServer


@pytest.fixture
async def account(server: RunningServer) -> TestAccount:
    return await new_account(server.url)


@pytest.fixture
async def one(account: TestAccount, tmp_path: Path) -> AsyncIterator[JournalDevice]:
    async with account.device(tmp_path / "one") as device:
        yield device


@pytest.fixture
async def two(account: TestAccount, tmp_path: Path) -> AsyncIterator[JournalDevice]:
    async with account.device(tmp_path / "two") as device:
        yield device


async def test_an_answer_that_is_lost_is_asked_for_again(
    account: TestAccount, two: JournalDevice, tmp_path: Path
) -> None:
    network = LosingNetwork("POST", "/sync/push", times=2)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        entry = await one.journal.write(body="once")
        report = await one.sync()
        assert (report.pushed, report.pending, report.seq) == (1, 0, 1)
        assert network.count("POST", "/sync/push") == 3
    await two.sync()
    assert await two.bodies() == {entry.id: "once"}


async def test_an_edit_made_after_a_lost_answer_follows_the_edit_that_had_arrived(
    account: TestAccount, two: JournalDevice, tmp_path: Path
) -> None:
    network = LosingNetwork("POST", "/sync/push", then_down=True)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        entry = await one.journal.write(body="first")
        with pytest.raises(ServerUnreachable):
            await one.sync()
        assert (await one.journal.get(entry.id)).pending
        # The same line again: were the first edit taken for somebody else's, this would be a conflict.
        await one.journal.edit(entry.id, body="second")
    await two.sync()
    assert await two.bodies() == {entry.id: "first"}
    async with account.device(tmp_path / "one") as one:
        report = await one.sync()
        assert (report.conflicts, report.merged, report.pending, report.seq) == (0, 0, 0, 2)
    await two.sync()
    assert await two.bodies() == {entry.id: "second"}


async def test_a_server_that_is_gone_in_the_middle_of_the_batches_gets_the_rest_later(
    account: TestAccount, two: JournalDevice, tmp_path: Path
) -> None:
    network = LosingNetwork("POST", "/sync/push", then_down=True)
    async with account.device(tmp_path / "one", http_transport=network) as one:
        await one.journal.import_entries(map(draft, range(700)))
        with pytest.raises(ServerUnreachable):
            await one.sync()
    async with account.device(tmp_path / "one") as one:
        report = await one.sync()
        assert (report.pending, report.conflicts, report.seq) == (0, 0, 700)
    await two.sync()
    assert sorted((await two.bodies()).values()) == sorted(f"entry {number}" for number in range(700))


def draft(number: int) -> EntryDraft:
    return EntryDraft(body=f"entry {number}", date="2020-01-01", external_id=str(number), provider="test")


_CLIENT = """
import asyncio, sys
from pathlib import Path
from lockleaf.client.journal.importers import read_jsonl
from lockleaf.client.sync.synchroniser import SyncReport
from tests.support.journal_devices import TestAccount

async def main(account, folder, file):
    def tell(progress):
        print(progress.stage, progress.done, flush=True)
    async with account.device(Path(folder)) as device:
        print("open", flush=True)
        await device.journal.import_entries(read_jsonl(Path(file)), tell)
        await device.sync(tell)
        print("done", flush=True)

asyncio.run(main(TestAccount.unpacked(sys.argv[1]), sys.argv[2], sys.argv[3]))
"""


async def test_a_client_that_is_killed_again_and_again_loses_and_doubles_nothing(
    account: TestAccount, two: JournalDevice, tmp_path: Path
) -> None:
    file = tmp_path / "journal.jsonl"
    lines = [{"date": "2020-01-01", "text": f"entry {number}"} for number in range(2200)]
    file.write_text("\n".join(map(json.dumps, lines)))

    def run(heard: int) -> bool:
        """Run the client, kill it when it has said ``heard`` lines, and tell whether it was done before."""
        words = [account.packed(), str(tmp_path / "killed"), str(file)]
        with (
            (tmp_path / "errors").open("w") as errors,
            warm_program.start(_CLIENT, words, os.environ, stderr=errors, alone=False) as client,
        ):
            assert client.stdout is not None
            for number, line in enumerate(client.stdout, 1):
                if line == "done\n":
                    return True
                if number == heard:
                    client.send_signal(signal.SIGKILL)
                    return False
        raise AssertionError((tmp_path / "errors").read_text())

    # Killed while it imports, between and within batches that it sends, and then left to finish.
    for heard in (1, 2, 3, 5, 6):
        assert not await asyncio.to_thread(run, heard)
    assert await asyncio.to_thread(run, 1000)
    report = await two.sync()
    assert report.seq == 2200
    assert sorted((await two.bodies()).values()) == sorted(line["text"] for line in lines)


@pytest.mark.parametrize("seed", range(3))
async def test_devices_that_lose_answers_at_random_agree_in_the_end(
    account: TestAccount, tmp_path: Path, seed: int
) -> None:
    """Every tag that any device adds is there in the end, whatever was lost on the way, and no conflict is invented."""
    chance = random.Random(seed)
    added: dict[str, set[str]] = {}
    async with AsyncExitStack() as stack:
        devices = []
        for number in range(3):
            network = ChancyNetwork(chance)
            devices.append(
                await stack.enter_async_context(account.device(tmp_path / f"d{number}", http_transport=network))
            )
        for step in range(60):
            device = chance.choice(devices)
            known = [entry for entry in await device.journal.list() if len(entry.tags) < 40]
            if not known or chance.random() < 0.1:
                entry = await device.journal.write(body="b", tags=[f"t{step}"])
                added[entry.id] = {f"t{step}"}
            elif chance.random() < 0.6:
                entry = chance.choice(known)
                await device.journal.edit(entry.id, tags=[*entry.tags, f"t{step}"])
                added[entry.id].add(f"t{step}")
            else:
                both = [item.sync() for item in chance.sample(devices, 2)]
                for outcome in await asyncio.gather(*both, return_exceptions=True):
                    assert isinstance(outcome, SyncReport | ServerUnreachable), outcome
    async with AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(account.device(tmp_path / f"d{number}")) for number in range(3)]
        for _ in range(2):
            for device in devices:
                await device.sync()
        for device in devices:
            assert {entry.id: set(entry.tags) for entry in await device.journal.list()} == added
            assert await device.journal.conflicts() == []
            assert (await device.sync()).pending == 0


class ChancyNetwork(Network):
    """Now and then loses an answer, and everything for a while after it."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._silent = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/login"):
            return await super().handle_async_request(request)
        if self._silent:
            self._silent -= 1
            raise httpx.ConnectError("the network is down", request=request)
        response = await super().handle_async_request(request)
        if self._chance.random() < 0.15:
            self._silent = self._chance.choice([0, 3])
            await response.aclose()
            raise httpx.ReadError("the answer was lost", request=request)
        return response


async def test_a_cursor_that_the_server_does_not_know_any_more_costs_a_longer_way_and_nothing_else(
    one: JournalDevice, two: JournalDevice
) -> None:
    await one.journal.import_entries(map(draft, range(600)))
    await one.sync()
    await two.sync()
    entry = await one.journal.write(body="after")
    await one.sync()
    two.store._database.write("UPDATE properties SET value = 'of another time' WHERE name = 'cursor'")
    report = await two.sync()
    assert (report.pulled, report.seq) == (1, 601)
    assert (await two.bodies())[entry.id] == "after"
    assert (await two.sync()).pulled == 0


# ---- a server that was restored ----


@pytest.fixture
async def backup(account: TestAccount, database_url: str) -> AsyncIterator[Backup]:
    connection = await asyncpg.connect(database_url)
    try:
        yield Backup(connection, account.user_id)
    finally:
        await connection.close()


async def test_what_a_restored_server_lost_is_sent_again_once_its_user_agrees(
    one: JournalDevice, two: JournalDevice, backup: Backup
) -> None:
    kept = await one.journal.write(body="kept")
    edited = await one.journal.write(body="a\nb\nc")
    deleted = await one.journal.write(body="deleted")
    await one.sync()
    await two.sync()
    await backup.take()

    await one.journal.edit(edited.id, body="A\nb\nc")
    await one.journal.delete(deleted.id)
    lost = await one.journal.write(body="lost")
    confirmed = await one.sync()
    await backup.restore("epoch-of-the-restore")

    # Nobody has confirmed it yet, so it is asked about even by who did not see what was lost.
    await two.journal.edit(edited.id, body="a\nb\nC")
    with pytest.raises(ServerRestored) as caught:
        await two.sync()
    assert (caught.value.missing, caught.value.claim.confirmed) == ((), False)
    report = await two.sync(accept_restore=True)
    assert (report.pending, report.epoch, report.seq) == (0, "epoch-of-the-restore", 4)

    # Something waits on this device too while its user is asked.
    await one.journal.edit(kept.id, body="kept and edited")
    for _ in range(2):
        with pytest.raises(ServerRestored) as caught:
            await one.sync()
        assert {record_id for _, record_id in caught.value.missing} == {edited.id, deleted.id, lost.id}
        assert (caught.value.epoch, caught.value.from_seq) == ("epoch-of-the-restore", 3)
        assert (caught.value.claim.verified, caught.value.claim.confirmed) == (6, True)
    assert confirmed.seq == 6
    report = await one.sync(accept_restore=True)
    assert (report.pending, report.conflicts, report.epoch) == (0, 1, "epoch-of-the-restore")
    await two.sync()
    expected = {kept.id: "kept and edited", lost.id: "lost"}
    for device in (one, two):
        assert expected.items() <= (await device.bodies()).items()
        assert (await device.journal.get(deleted.id)).deleted
    # Both edits of the one entry are there: the base on which they could be merged was lost.
    await one.sync()
    (conflict,) = await two.journal.conflicts()
    assert conflict.local is not None
    assert conflict.remote is not None
    assert (conflict.local.body, conflict.remote.body) == ("A\nb\nc", "a\nb\nC")


async def test_a_restored_server_that_lost_only_what_one_device_knows_gets_all_of_it_back(
    one: JournalDevice, two: JournalDevice, backup: Backup
) -> None:
    entry = await one.journal.write(body="before")
    await one.sync()
    await backup.take()
    for body in ("during", "after"):
        await one.journal.edit(entry.id, body=body)
        await one.sync()
    await backup.restore("second")
    report = await one.sync(accept_restore=True)
    assert (report.pending, report.conflicts, report.seq) == (0, 0, 2)
    await two.sync()
    assert await two.bodies() == {entry.id: "after"}
    assert (await one.sync(accept_restore=True)).seq == 2


async def test_a_journal_whose_leaves_the_server_gave_up_is_sent_again_once_its_user_agrees(
    one: JournalDevice, two: JournalDevice, backup: Backup
) -> None:
    """As when the account's tier was lowered and raised again: a new epoch goes on from the old head."""
    ids = [(await one.journal.write(body=f"entry {number}")).id for number in range(3)]
    await one.sync()
    await two.sync()
    await two.journal.edit(ids[0], body="edited meanwhile")
    await backup.end_epoch("after")
    for device in (one, two):
        with pytest.raises(ServerRestored) as caught:
            await device.sync()
        assert {record_id for _, record_id in caught.value.missing} == set(ids)
    report = await one.sync(accept_restore=True)
    assert (report.pending, report.conflicts, report.epoch, report.seq) == (0, 0, "after", 6)
    report = await two.sync(accept_restore=True)
    assert (report.pending, report.conflicts) == (0, 1)
    await one.sync()
    assert await one.bodies() == await two.bodies()
    (conflict,) = await one.journal.conflicts()
    assert conflict.local is not None
    assert conflict.local.body == "edited meanwhile"


async def test_a_server_that_goes_back_and_says_nothing_of_it_is_caught(
    one: JournalDevice, two: JournalDevice, backup: Backup
) -> None:
    entry = await one.journal.write(body="before")
    await one.sync()
    await backup.take()
    await one.journal.edit(entry.id, body="after")
    await one.sync()
    await backup.restore(None)
    for accept in (False, True):
        with pytest.raises(HistoryForked):
            await one.sync(accept_restore=accept)
    assert await one.bodies() == {entry.id: "after"}
    # A device that never saw more cannot know.
    await two.sync()
    assert await two.bodies() == {entry.id: "before"}


async def test_a_restored_server_whose_past_is_another_is_caught(
    account: TestAccount, one: JournalDevice, tmp_path: Path, backup: Backup
) -> None:
    await one.journal.write(body="first")
    await backup.take()
    await one.sync()
    await one.journal.write(body="second")
    await one.sync()
    # An account's history begun anew, by another device, and passed off as this one's past.
    await backup.restore(None)
    async with account.device(tmp_path / "other") as other:
        await other.journal.write(body="another first")
        await other.sync()
    await backup.take()
    await backup.restore("second")
    for accept in (False, True):
        with pytest.raises(HistoryForked):
            await one.sync(accept_restore=accept)
    assert sorted((await one.bodies()).values()) == ["first", "second"]

"""Two devices, one server, one journal: the journal side of the SDK against the running application."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from lockleaf.client.errors import SyncAlreadyRunning
from lockleaf.client.journal.importers import read_jsonl
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.records.progress import Progress
from lockleaf.client.search import keeping_up
from lockleaf.client.search.local_search import LocalSearch
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.client.sync.pull import fetch_page
from lockleaf.client.sync.synchroniser import Rejection
from lockleaf.wire.content import MAX_CONTENT_BYTES
from tests.support.journal_devices import JournalDevice, TestAccount, new_account
from tests.support.networks import Network
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


async def test_what_one_device_writes_another_reads(one: JournalDevice, two: JournalDevice) -> None:
    written = await one.journal.write(
        body="The rain stopped.\n\nThen it did not: ünïcödé, 雨, \U0001f327.",
        title="Rain",
        mood="calm",
        tags=["weather", "Garden"],
        date="1660-01-11",
        time_zone="Europe/London",
    )
    assert written.pending
    report = await one.sync()
    # Its two tags are records of their own, and are not counted as entries.
    assert (report.pushed, report.pulled, report.pending, report.seq) == (1, 0, 0, 3)
    report = await two.sync()
    assert (report.pushed, report.pulled, report.seq) == (0, 1, 3)
    read = await two.journal.get(written.id)
    for name in ("body", "title", "mood", "tags", "date", "time_zone", "source"):
        assert getattr(read, name) == getattr(written, name)
    assert (read.revision, read.pending) == (1, False)
    assert not (await one.journal.get(written.id)).pending


async def test_a_sync_with_nothing_new_changes_nothing(one: JournalDevice) -> None:
    await one.journal.write(body="once")
    first = await one.sync()
    again = await one.sync()
    assert (again.pushed, again.pulled, again.seq, again.head) == (0, 0, first.seq, first.head)


async def test_edits_of_different_lines_merge_by_themselves(one: JournalDevice, two: JournalDevice) -> None:
    entry = await one.journal.write(body="a\nb\nc", tags=["x"])
    await one.sync()
    await two.sync()
    await one.journal.edit(entry.id, body="A\nb\nc", tags=["x", "one"])
    await two.journal.edit(entry.id, body="a\nb\nC", tags=["two"], title="Named")
    await one.sync()
    report = await two.sync()
    assert (report.merged, report.conflicts, report.pushed) == (1, 0, 1)
    await one.sync()
    for device in (one, two):
        merged = await device.journal.get(entry.id)
        assert (merged.body, set(merged.tags), merged.title) == ("A\nb\nC", {"one", "two"}, "Named")
        assert (merged.revision, merged.pending) == (3, False)


@pytest.mark.parametrize("choice", ["local", "remote", "merged"])
async def test_edits_of_one_line_become_a_conflict_that_every_device_sees_and_one_decides(
    one: JournalDevice, two: JournalDevice, choice: str
) -> None:
    entry = await one.journal.write(body="first")
    await one.sync()
    await two.sync()
    await one.journal.edit(entry.id, body="one's")
    await two.journal.edit(entry.id, body="two's")
    await one.sync()
    report = await two.sync()
    assert (report.conflicts, report.pending) == (1, 0)
    assert (await two.journal.get(entry.id)).conflict
    await one.sync()
    for device in (one, two):
        (conflict,) = await device.journal.conflicts()
        assert conflict.local is not None
        assert conflict.remote is not None
        assert (conflict.local.body, conflict.remote.body, conflict.device_id) == ("two's", "one's", two.device_id)
        assert conflict.own == (device is two)
    expected = {"local": "two's", "remote": "one's", "merged": "both"}[choice]
    decided = await one.journal.resolve(conflict.id, choice, merged_body="both" if choice == "merged" else None)
    assert decided is not None
    assert decided.body == expected
    await one.sync()
    report = await two.sync()
    assert report.conflicts == 0
    for device in (one, two):
        assert await device.journal.conflicts() == []
        assert [item.own for item in await device.journal.conflicts(decided=True)] == [True] * (device is two)
        shown = await device.journal.get(entry.id)
        assert (shown.body, shown.conflict, shown.pending) == (expected, False, False)


async def test_a_deletion_against_an_edit_is_a_conflict(one: JournalDevice, two: JournalDevice) -> None:
    entry = await one.journal.write(body="kept or not")
    await one.sync()
    await two.sync()
    await one.journal.delete(entry.id)
    await two.journal.edit(entry.id, body="kept")
    await one.sync()
    await two.sync()
    (conflict,) = await two.journal.conflicts()
    assert conflict.local is not None
    assert conflict.local.body == "kept"
    assert (await two.journal.get(entry.id)).deleted
    await two.journal.resolve(conflict.id, "local")
    await two.sync()
    await one.sync()
    assert await one.bodies() == {entry.id: "kept"}


async def test_a_deletion_travels_and_so_does_a_restoration(one: JournalDevice, two: JournalDevice) -> None:
    entry = await one.journal.write(body="comes back")
    await one.sync()
    await two.sync()
    await one.journal.delete(entry.id)
    await one.sync()
    await two.sync()
    assert await two.bodies() == {}
    await two.journal.restore(entry.id)
    await two.sync()
    await one.sync()
    assert await one.bodies() == {entry.id: "comes back"}


async def test_both_sides_of_a_race_survive_it(one: JournalDevice, two: JournalDevice) -> None:
    """Both devices sync at once, again and again, each with edits of its own line."""
    entry = await one.journal.write(body="0\n-\n0")
    await one.sync()
    await two.sync()
    for number in range(1, 6):
        first = (await one.journal.get(entry.id)).body.split("\n")
        second = (await two.journal.get(entry.id)).body.split("\n")
        await one.journal.edit(entry.id, body="\n".join((str(number), *first[1:])))
        await two.journal.edit(entry.id, body="\n".join((*second[:-1], str(number))))
        await asyncio.gather(one.sync(), two.sync())
    await one.sync()
    await two.sync()
    await one.sync()
    assert await one.bodies() == await two.bodies() == {entry.id: "5\n-\n5"}
    assert await one.journal.conflicts() == await two.journal.conflicts() == []


async def test_devices_a_day_apart_in_time_lose_nothing(account: TestAccount, tmp_path: Path) -> None:
    async with (
        account.device(tmp_path / "early", clock_error=timedelta(days=-1)) as early,
        account.device(tmp_path / "late", clock_error=timedelta(days=1)) as late,
    ):
        entry = await late.journal.write(body="a\nb\nc")
        await late.sync()
        await early.sync()
        await early.journal.edit(entry.id, body="a\nb\nC")
        await early.sync()
        await late.journal.edit(entry.id, body="A\nb\nc")
        await late.sync()
        await early.sync()
        assert await early.bodies() == await late.bodies() == {entry.id: "A\nb\nC"}


async def test_the_same_file_imported_on_two_devices_makes_one_journal(
    one: JournalDevice, two: JournalDevice, tmp_path: Path
) -> None:
    file = tmp_path / "journal.jsonl.gz"
    lines = [{"date": f"2020-01-{day:02}", "text": f"day {day}, {each}"} for day in range(1, 29) for each in range(2)]
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    for device in (one, two):
        assert (await device.journal.import_entries(read_jsonl(file))).added == len(lines)
    await one.sync()
    report = await two.sync()
    assert (report.pushed, report.conflicts, report.pending) == (0, 0, 0)
    assert await one.bodies() == await two.bodies()
    assert (await one.journal.import_entries(read_jsonl(file))).added == 0
    assert (await one.sync()).pushed == 0


async def test_a_long_journal_comes_back_whole_on_a_new_device(
    one: JournalDevice, two: JournalDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than two pages and two batches, and as many as it takes to be taken into the index of words at once."""
    monkeypatch.setattr(keeping_up, "MOST_LEFT", 0)
    await one.journal.import_entries(map(draft, range(2103)))
    seen: list[Progress] = []
    report = await one.sync(seen.append)
    assert (report.pushed, report.seq) == (2103, 2103)
    sent = [each for each in seen if each.stage == "push"]
    assert sent[-1].done == sent[-1].total == 2103
    seen.clear()
    report = await two.sync(seen.append)
    assert (report.pulled, report.seq) == (2103, 2103)
    assert [item.done for item in seen if item.stage == "pull"] == [500, 1000, 1500, 2000, 2103]
    assert LocalSearch(two.store).waiting() < 100
    assert await two.bodies() == await one.bodies()


def draft(number: int) -> EntryDraft:
    return EntryDraft(body=f"entry {number}", date="2020-01-01", external_id=str(number), provider="test")


async def test_an_edit_made_while_its_entry_is_on_the_way_is_sent_too(
    account: TestAccount, two: JournalDevice, tmp_path: Path
) -> None:
    network = Meanwhile()
    async with account.device(tmp_path / "one", http_transport=network) as one:
        entry = await one.journal.write(body="before")

        async def edit() -> None:
            await one.journal.edit(entry.id, body="meanwhile")

        network.during_push = edit
        report = await one.sync()
        assert (report.pushed, report.pending, report.seq) == (2, 0, 2)
    await two.sync()
    assert await two.bodies() == {entry.id: "meanwhile"}


class Meanwhile(Network):
    """Does something while the first push is on its way."""

    during_push: Callable[[], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sync/push") and self.during_push is not None:
            act, self.during_push = self.during_push, None
            await act()
        return await super().handle_async_request(request)


async def test_entries_as_long_as_can_be_travel_in_batches_that_fit(one: JournalDevice, two: JournalDevice) -> None:
    written = {}
    for number in range(3):
        body = str(number) * (MAX_CONTENT_BYTES - 1000)
        written[(await one.journal.write(body=body)).id] = body
    assert (await one.sync()).pushed == 3
    assert (await two.sync()).pulled == 3
    assert await two.bodies() == written


async def test_an_edit_that_the_server_refuses_is_kept_and_told(one: JournalDevice) -> None:
    good = await one.journal.write(body="good")
    # No journal makes such an id; whoever puts one into the store finds out here.
    one.store.records.put(
        StoredRecord(
            ENTRIES,
            "no-uuid",
            pending=True,
            generation=1,
            doc=Document({"type": "entry", "body": "kept"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        )
    )
    for _ in range(2):
        report = await one.sync()
        assert report.rejected == (Rejection("no-uuid", "invalid_record_id"),)
        assert (report.pending, report.seq) == (1, 1)
    kept = await one.journal.get("no-uuid")
    assert (kept.body, kept.pending, kept.rejected) == ("kept", True, "invalid_record_id")
    assert not (await one.journal.get(good.id)).pending


async def test_one_profile_syncs_once_at_a_time(one: JournalDevice) -> None:
    with one.store.only_sync(), pytest.raises(SyncAlreadyRunning):
        await one.sync()
    await one.sync()


async def test_dates_reach_the_server_only_if_their_owner_wants_it(account: TestAccount, tmp_path: Path) -> None:
    async with (
        account.device(tmp_path / "shares", share_dates=True) as shares,
        account.device(tmp_path / "hides") as hides,
    ):
        await hides.journal.write(body="hidden", date="2020-01-02")
        await hides.sync()
        await shares.journal.write(body="shown", date="2020-01-02T03:04:05+02:00", source="cli")
        await shares.sync()
        await hides.sync()
        assert {entry.date for entry in await hides.journal.list()} == {"2020-01-02", "2020-01-02T03:04:05+02:00"}
        feed = await fetch_page(hides.transport, None)
        assert [(change.occurred_at, change.source) for change in feed.changes] == [
            (None, None),
            ("2020-01-02T03:04:05+02:00", "cli"),
        ]

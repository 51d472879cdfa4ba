"""The newest of many entries, found without reading the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lockleaf.client.journal.date_order import DateOrder
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.store import LocalStore
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring

KEYRING = Keyring.new("2026-01-01T00:00:00Z")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", KEYRING) as store:
        yield store


@pytest.fixture
def journal(store: LocalStore) -> Journal:
    return Journal(store)


async def imported(journal: Journal, count: int, first: int = 0) -> None:
    zones = (None, "Asia/Tokyo", "America/New_York")
    await journal.import_entries(
        EntryDraft(
            body=f"text {at}",
            # Days, of which some are the same, times, and times that a zone shows otherwise.
            date=f"20{at % 20 + 10}-0{at % 8 + 1}-11" + ("", "T04:30:00Z", "T23:30:00-08:00")[at % 3],
            time_zone=zones[at % 3],
            external_id=str(at),
            provider="test",
        )
        for at in range(first, first + count)
    )


async def agrees(journal: Journal, store: LocalStore, limit: int = 10, starting: str = "") -> None:
    found = DateOrder(store, many=20).newest(limit, starting)
    assert found is not None
    listed = [entry.id for entry in await journal.list() if entry.id.startswith(starting)]
    assert [record.record_id for record in found] == listed[:limit]


async def test_the_newest_are_those_of_the_whole_list_after_every_kind_of_write(
    journal: Journal, store: LocalStore
) -> None:
    await imported(journal, 60)
    await agrees(journal, store)
    listed = await journal.list()
    await journal.delete(listed[0].id)
    await agrees(journal, store)
    await journal.restore(listed[0].id)
    await journal.edit(listed[1].id, date="1999-01-01")
    await journal.edit(listed[50].id, date="2099-01-01")
    await journal.write(body="now")
    await agrees(journal, store)
    await agrees(journal, store, starting=listed[30].id[:2])
    # More than are read again each time, so that the file is written anew.
    before = DateOrder(store).file.read_bytes()
    await imported(journal, 40, first=60)
    await agrees(journal, store)
    assert DateOrder(store).file.read_bytes() != before
    await agrees(journal, store)


async def test_a_few_entries_and_most_of_many_are_read_whole(journal: Journal, store: LocalStore) -> None:
    await imported(journal, 30)
    order = DateOrder(store, many=31)
    assert order.newest(5) is None
    assert DateOrder(store, many=30).newest(16) is None
    assert not order.file.exists()


@pytest.mark.parametrize("content", [b"", b"no seal", None])
async def test_a_file_that_is_of_no_use_is_made_anew(
    journal: Journal, store: LocalStore, content: bytes | None
) -> None:
    await imported(journal, 30)
    await agrees(journal, store)
    file = DateOrder(store).file
    good = file.read_bytes()
    file.write_bytes(store.seal_beside("order", b"\x91\x01") if content is None else content)
    await agrees(journal, store)
    assert len(file.read_bytes()) == len(good)


async def test_a_store_that_was_put_back_to_an_earlier_state_does_not_miss_what_is_written_then(
    journal: Journal, store: LocalStore, tmp_path: Path
) -> None:
    await imported(journal, 30)
    with closing(sqlite3.connect(store.path)) as connection, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        connection.backup(copy)
    await imported(journal, 20, first=30)
    await agrees(journal, store)
    with closing(sqlite3.connect(store.path)) as connection, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        copy.backup(connection)
    # As many writes as were lost and some more, before anything is listed.
    for at in range(25):
        await journal.write(body="later", date=f"2050-01-{at + 1:02}")
    await agrees(journal, store)


async def test_a_list_does_not_wait_for_another_program_that_writes(journal: Journal, store: LocalStore) -> None:
    await imported(journal, 30)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await agrees(journal, store)
        assert not DateOrder(store).file.exists()
    await agrees(journal, store)
    assert DateOrder(store).file.exists()


async def test_the_order_lies_sealed_and_does_not_stay_under_an_old_key(journal: Journal, store: LocalStore) -> None:
    await imported(journal, 30)
    await agrees(journal, store)
    file = DateOrder(store).file
    newest = (await journal.list(limit=1))[0]
    sealed = file.read_bytes()
    assert newest.id.encode() not in sealed
    assert newest.id.encode() in store.open_beside("order", sealed)
    assert file.stat().st_mode & 0o777 == 0o600
    store.rekey(store.keyring.rotated("2026-02-01T00:00:00Z", HistoryPlace("epoch", 1, bytes(32))))
    assert not file.exists()
    await agrees(journal, store)


async def test_a_list_of_a_few_of_many_is_the_beginning_of_the_whole_list(journal: Journal, store: LocalStore) -> None:
    await imported(journal, 2_000)
    everything = await journal.list()
    assert await journal.list(limit=7) == everything[:7]
    assert DateOrder(store).file.exists()
    prefix = everything[900].id[:3]
    assert await journal.list(limit=200, starting=prefix) == [e for e in everything if e.id.startswith(prefix)]
    # What is chosen otherwise is looked for in all.
    assert await journal.list(limit=3, until="2015-12-31") == [e for e in everything if e.date < "2016"][:3]

"""The journal on one device, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lockleaf.client.errors import (
    ConflictNotFound,
    EntryNotFound,
    EntryTooLarge,
    IdAmbiguous,
    IdTooShort,
    InvalidEntry,
)
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.entries import EntryDraft, date_text
from lockleaf.client.records.progress import Progress
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.content import MAX_CONTENT_BYTES
from lockleaf.wire.days import shared_time


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        yield store


@pytest.fixture
def journal(store: LocalStore) -> Journal:
    ticks = iter(range(10**6))
    return Journal(store, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)))


async def test_an_entry_is_there_as_it_was_written(journal: Journal) -> None:
    written = await journal.write(
        body="\n b\r\n",
        title="T",
        mood="calm",
        weather=" fog ",
        location="on a pier",
        tags=["x", " y ", "x", ""],
        date="1660-01-11",
    )
    read = await journal.get(written.id)
    assert read == written
    assert (read.body, read.tags, read.date, read.revision) == ("\n b\r\n", ("x", "y"), "1660-01-11", 0)
    assert (read.mood, read.weather, read.location) == ("calm", "fog", "on a pier")
    assert read.pending
    assert not read.deleted


async def test_an_edit_changes_what_is_given_and_nothing_else(journal: Journal, store: LocalStore) -> None:
    written = await journal.write(body="b", title="T", mood="calm", tags=["x"], date=date(2020, 1, 2))
    record = store.records.get(ENTRIES, written.id)
    assert record is not None
    assert record.doc is not None
    record.doc.content["x-from-a-newer-program"] = {"kept": True}
    store.records.put(record)
    edited = await journal.edit(written.id, body="B", mood=None)
    assert (edited.body, edited.title, edited.mood, edited.tags, edited.date) == ("B", "T", None, ("x",), "2020-01-02")
    assert edited.created_at == written.created_at
    assert edited.updated_at > written.updated_at
    kept = store.records.get(ENTRIES, written.id)
    assert kept is not None
    assert kept.doc is not None
    assert kept.doc.content["x-from-a-newer-program"] == {"kept": True}
    assert "mood" not in kept.doc.content
    assert kept.generation == 2


async def test_an_edit_that_changes_nothing_is_none(journal: Journal) -> None:
    written = await journal.write(body="b")
    assert await journal.edit(written.id, body="b") == written


async def test_a_write_under_a_chosen_id_may_be_repeated(journal: Journal) -> None:
    chosen = "0191d5c8-0000-7000-8000-000000000000"
    first = await journal.write(body="b", entry_id=chosen, date="2020-01-01")
    assert await journal.write(body="b", entry_id=chosen.upper(), date="2020-01-01") == first
    with pytest.raises(InvalidEntry):
        await journal.write(body="other", entry_id=chosen, date="2020-01-01")
    with pytest.raises(InvalidEntry):
        await journal.write(body="b", entry_id="no uuid")


async def test_the_beginning_of_an_id_is_enough_if_it_fits_one(journal: Journal) -> None:
    ids = ["aaaa0000-0000-4000-8000-000000000000", "aaaa1111-0000-4000-8000-000000000000"]
    for entry_id in ids:
        await journal.write(body=entry_id, entry_id=entry_id)
    assert (await journal.get("AAAA1")).id == ids[1]
    for absent in ("", "bbbb", "b", "%%%%", "____"):
        with pytest.raises(EntryNotFound):
            await journal.get(absent)
    with pytest.raises(IdTooShort):
        await journal.get("aaa")
    with pytest.raises(IdAmbiguous) as several:
        await journal.get("aaaa")
    assert several.value.details == ("aaaa0000", "aaaa1111")


async def test_a_deleted_entry_is_out_of_sight_until_it_is_restored(journal: Journal) -> None:
    written = await journal.write(body="b")
    await journal.delete(written.id)
    assert await journal.list() == []
    assert (await journal.search("b")).hits == ()
    assert [entry.deleted for entry in await journal.list(include_deleted=True)] == [True]
    for refused in (journal.delete(written.id), journal.edit(written.id, body="c")):
        with pytest.raises(EntryNotFound):
            await refused
    assert (await journal.restore(written.id)).body == "b"
    with pytest.raises(EntryNotFound):
        await journal.restore(written.id)
    assert await journal.count() == 1


async def test_entries_are_listed_newest_first_and_narrowed(journal: Journal) -> None:
    for day, mood, tags in (("2020-01-02", "Calm", ["x"]), ("2020-01-03", None, ["X", "y"]), ("2020-01-01", "low", [])):
        await journal.write(body=f"text of {day}", date=day, mood=mood, tags=tags)

    async def days(**narrow: object) -> list[str]:
        return [entry.date[-2:] for entry in await journal.list(**narrow)]  # type: ignore[arg-type]

    assert await days() == ["03", "02", "01"]
    assert await days(limit=2) == ["03", "02"]
    assert await days(since="2020-01-02") == ["03", "02"]
    assert await days(until=date(2020, 1, 2)) == ["02", "01"]
    assert await days(tag="x") == ["03", "02"]
    assert await days(mood="calm") == ["02"]
    assert [hit.entry.date for hit in (await journal.search("TEXT 01-02")).hits] == ["2020-01-02"]


@pytest.mark.parametrize(
    "bad",
    [
        {"date": "2020-02-30"},
        {"date": "today"},
        {"tags": ["x" * 201]},
        {"tags": [str(number) for number in range(61)]},
        {"mood": "x" * 201},
        {"weather": "x" * 201},
        {"location": "x" * 201},
        {"title": "x" * 1001},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"body": "\ud800"},
    ],
)
async def test_what_is_no_entry_is_refused(journal: Journal, bad: dict[str, object]) -> None:
    with pytest.raises(InvalidEntry):
        await journal.write(**({"body": "b"} | bad))  # type: ignore[arg-type]
    assert await journal.count() == 0


async def test_an_entry_may_be_as_long_as_can_be_sealed_and_no_longer(journal: Journal) -> None:
    await journal.write(body="x" * (MAX_CONTENT_BYTES - 1000))
    with pytest.raises(EntryTooLarge):
        await journal.write(body="x" * MAX_CONTENT_BYTES)
    assert await journal.count() == 1


def draft(number: int, body: str | None = None) -> EntryDraft:
    return EntryDraft(
        body=body if body is not None else f"text {number}", date="2020-01-01", external_id=str(number), provider="test"
    )


async def test_an_import_that_is_run_again_doubles_nothing(journal: Journal) -> None:
    seen: list[Progress] = []
    report = await journal.import_entries(map(draft, range(2500)), seen.append, total=2500)
    assert (report.added, report.present) == (2500, 0)
    assert [(item.done, item.total) for item in seen] == [(1000, 2500), (2000, 2500), (2500, 2500)]
    report = await journal.import_entries(map(draft, range(2501)))
    assert (report.added, report.present) == (1, 2500)
    assert await journal.count() == 2501


async def test_an_import_leaves_alone_what_was_edited_or_deleted_since(journal: Journal) -> None:
    await journal.import_entries(map(draft, range(2)))
    edited, deleted = await journal.list()
    await journal.edit(edited.id, body="edited")
    await journal.delete(deleted.id)
    assert (await journal.import_entries(map(draft, range(2)))).added == 0
    assert [entry.body for entry in await journal.list()] == ["edited"]


async def test_an_import_keeps_what_stands_before_where_reading_fails(journal: Journal) -> None:
    def drafts() -> Iterator[EntryDraft]:
        yield draft(1)
        raise OSError

    with pytest.raises(OSError):
        await journal.import_entries(drafts())
    assert await journal.count() == 1


async def test_a_conflict_that_is_none_is_not_found(journal: Journal) -> None:
    for unknown in ("", "abcd", "c" * 32):
        with pytest.raises(ConflictNotFound):
            await journal.resolve(unknown, "remote")
    with pytest.raises(InvalidEntry):
        await journal.resolve("abcd", "merged")


@pytest.mark.parametrize(
    ("text", "zone", "shared"),
    [
        ("1660-01-11", "Europe/London", "1660-01-11T00:00:00Z"),
        ("2020-07-01T12:00:00", "Europe/Berlin", "2020-07-01T12:00:00+02:00"),
        ("2020-07-01T12:00", None, "2020-07-01T12:00:00Z"),
        ("2020-07-01T12:00:00+05:30", "Europe/Berlin", "2020-07-01T08:30:00+02:00"),
        ("2020-07-01T12:00:00+05:30", None, "2020-07-01T12:00:00+05:30"),
        ("1700-01-01T12:00:00", "Europe/London", "1700-01-01T12:00:00-00:01"),
        ("0001-01-01T00:00:00+10:00", None, "0001-01-01T00:00:00Z"),
    ],
)
def test_a_server_may_sort_by_the_local_time_with_its_offset(text: str, zone: str | None, shared: str) -> None:
    assert shared_time(date_text(text), zone) == shared

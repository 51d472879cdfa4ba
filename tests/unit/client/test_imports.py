"""What an import makes of a journal: nothing is dropped in silence, doubled, or overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockleaf.cli.rendering import entry_json
from lockleaf.client.journal.import_report import ImportReport
from lockleaf.client.journal.importers import read_jsonl
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.entries import MAX_NAME
from lockleaf.client.store import LocalStore
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring

LINE = {"date": "2026-03-01", "text": "one"}


def journal_in(store: LocalStore) -> Journal:
    ticks = iter(range(10**6))
    return Journal(store, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks)))


def opened(path: Path) -> Iterator[Journal]:
    with LocalStore.create(path, Keyring.new("2026-01-01T00:00:00Z")) as store:
        yield journal_in(store)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        yield store


@pytest.fixture
def journal(store: LocalStore) -> Journal:
    return journal_in(store)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


async def took(journal: Journal, file: Path, *lines: dict[str, Any], update: bool = False) -> ImportReport:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return await journal.import_entries(read_jsonl(file), update=update)


def kinds(report: ImportReport) -> list[tuple[str, str]]:
    return [(each.kind, each.place) for each in report.remarks]


async def exported(journal: Journal) -> list[dict[str, Any]]:
    """Return what an export says of each entry; the version is of all that an entry holds here, seen or not."""
    shown = [entry_json(entry) for entry in await journal.list(include_deleted=True)]
    return [{name: value for name, value in each.items() if name != "version"} for each in shown]


async def texts(journal: Journal) -> list[str]:
    return sorted(entry.body for entry in await journal.list())


async def test_two_texts_under_one_id_are_two_entries_in_any_order_and_however_often(
    journal: Journal, file: Path
) -> None:
    one, two = LINE | {"id": 7, "text": "first"}, LINE | {"id": 7, "text": "second"}
    report = await took(journal, file, one, two)
    assert (report.added, kinds(report), report.is_complete) == (2, [("second", "line 2")], True)
    for lines in ((one, two), (two, one)):
        again = await took(journal, file, *lines)
        assert (again.added, again.present, again.is_complete) == (0, 2, True)
    assert await texts(journal) == ["first", "second"]


async def test_a_line_inserted_on_top_is_all_that_comes_in(journal: Journal, file: Path) -> None:
    lines = [LINE | {"text": text} for text in ("a", "b")]
    await took(journal, file, *lines)
    report = await took(journal, file, LINE | {"text": "new"}, *lines)
    assert (report.added, report.present, report.remarks) == (1, 2, ())


async def test_a_line_that_repeats_another_is_one_entry_and_said(journal: Journal, file: Path) -> None:
    report = await took(journal, file, LINE, LINE | {"title": "T"}, LINE, LINE | {"title": "T"})
    assert (report.added, report.present) == (2, 2)
    assert kinds(report) == [("second", "line 2"), ("repeats", "line 3"), ("repeats", "line 4")]


async def test_lines_that_no_entry_can_be_are_named_and_the_rest_comes_in(journal: Journal, file: Path) -> None:
    report = await took(
        journal, file, LINE, LINE | {"tags": [f"t{number}" for number in range(61)]}, LINE | {"title": "T" * 1001},
        LINE | {"metrics": {"sleep": float("nan")}}, LINE | {"metrics": {"sleep": True}}, LINE | {"time_zone": "Mars"},
        LINE | {"text": "x" * 2**22}, LINE | {"text": "a\0b", "title": "t\0u", "tags": ["x\0y", "", " "]},
    )  # fmt: skip
    assert report.added == 2
    assert kinds(report) == [("skipped", f"line {number}") for number in range(2, 8)]
    assert not report.is_complete
    assert (await journal.list())[0].tags in ((), ("x\0y",))


async def test_an_edit_in_the_file_is_offered_and_taken_when_asked_for(journal: Journal, file: Path) -> None:
    await took(journal, file, LINE | {"id": 1})
    changed = LINE | {"id": 1, "text": "one, corrected", "tags": ["late"]}
    report = await took(journal, file, changed)
    assert (report.added, report.present, kinds(report)) == (0, 0, [("differs", "line 1")])
    assert not report.is_complete
    assert await texts(journal) == ["one"]
    report = await took(journal, file, changed, update=True)
    assert (report.updated, report.is_complete) == (1, True)
    (entry,) = await journal.list()
    assert (entry.body, entry.tags) == ("one, corrected", ("late",))
    assert (await took(journal, file, changed)).present == 1


async def test_what_was_edited_here_is_neither_a_difference_nor_overwritten(journal: Journal, file: Path) -> None:
    await took(journal, file, LINE | {"id": 1})
    (entry,) = await journal.list()
    await journal.edit(entry.id, body="one, edited here")
    report = await took(journal, file, LINE | {"id": 1}, update=True)
    assert (report.present, report.is_complete) == (1, True)
    changed = LINE | {"id": 1, "text": "one, corrected there"}
    assert kinds(await took(journal, file, changed, update=True)) == [("second", "line 1")]
    assert await texts(journal) == ["one, corrected there", "one, edited here"]
    assert (await took(journal, file, changed, update=True)).added == 0


async def test_an_edit_of_an_export_by_hand_is_an_edit(journal: Journal, file: Path) -> None:
    await journal.write(body="written", tags=["x"], date="2026-03-01")
    (line,) = await exported(journal)
    report = await took(journal, file, line | {"body": "written, and rewritten"}, update=True)
    assert (report.updated, await texts(journal)) == (1, ["written, and rewritten"])


async def test_a_deleted_entry_stays_deleted_unless_the_import_is_to_decide(journal: Journal, file: Path) -> None:
    entry = await journal.write(body="gone", date="2026-03-01")
    before = await exported(journal)
    await journal.delete(entry.id)
    assert kinds(await took(journal, file, *before)) == [("differs", "line 1")]
    assert await texts(journal) == []


async def test_an_import_that_was_interrupted_goes_on(journal: Journal, file: Path) -> None:
    lines = [LINE | {"id": number % 1200, "text": f"{number}"} for number in range(2400)]
    await took(journal, file, *lines[:1300])
    report = await took(journal, file, *lines)
    assert (report.added, report.present) == (1100, 1300)
    assert await journal.count() == 2400


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(lambda text: len(text) <= MAX_NAME)
entries = st.fixed_dictionaries(
    {"body": st.text(st.characters(codec="utf-8"), max_size=40)},
    optional={
        "title": names,
        "mood": names,
        "weather": names,
        "location": names,
        "tags": st.lists(names, max_size=4),
        "date": st.dates() | st.datetimes(timezones=st.none() | st.timezones()),
        "time_zone": st.sampled_from(["Europe/Berlin", "Pacific/Auckland"]),
        "source": st.sampled_from([None, "web", "cli"]),
        "metrics": st.dictionaries(st.sampled_from(["sleep", "steps"]), st.floats(-1000, 1000)),
    },
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(entries, st.booleans()), max_size=6))
async def test_what_was_exported_comes_back_as_it_was(tmp_path_factory: Any, written: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("journals")
    file = folder / "export.jsonl"
    for one in opened(folder / "one"):
        for fields, deleted in written:
            entry = await one.write(**fields)
            if deleted:
                await one.delete(entry.id)
        export = await exported(one)
        again = await took(one, file, *export)
        assert (again.added, again.present, again.remarks) == (0, len(export), ())
        assert await exported(one) == export
    for other in opened(folder / "other"):
        report = await took(other, file, *export)
        assert (report.added, report.remarks) == (len(export), ())
        assert await exported(other) == export
        assert (await took(other, file, *export)).present == len(export)


async def test_what_was_imported_before_a_rotation_is_known_after_it(
    store: LocalStore, journal: Journal, file: Path
) -> None:
    lines = (LINE | {"id": 7, "text": "first"}, LINE | {"id": 7, "text": "second"}, LINE)
    await took(journal, file, *lines)
    store.rekey(store.keyring.rotated("2026-06-01T00:00:00Z", HistoryPlace("epoch", 7, bytes(32))))
    report = await took(journal, file, *lines)
    assert (report.added, report.present) == (0, 3)

"""Lists with filters, by the index of words, which knows what filters look at too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.client.journal.entry_lists import EntryLists
from lockleaf.client.journal.journal import Journal
from lockleaf.client.search.local_search import LocalSearch
from lockleaf.client.search.packing import FULL
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore
from tests.unit.client.test_word_index import INDEX, KEYRING, MANY, imported, store

__all__ = ["store"]


@given(
    wanted=st.fixed_dictionaries(
        {},
        optional={
            "since": st.sampled_from(("2020-01-03", "2020-02-01")),
            "until": st.sampled_from(("2020-01-05", "2020-03-01")),
            "tag": st.sampled_from((" WALK", "sea", "none")),
            "mood": st.sampled_from(("calm", "Ill at  ease")),
            "source": st.sampled_from(("cli", "diary")),
        },
    ),
    limit=st.integers(0, 12),
    starting=st.sampled_from(("", "1", "a")),
)
@settings(max_examples=60, deadline=None)
def test_lists_with_filters_are_those_of_reading_all(
    filtered: tuple[EntryLists, EntryLists], wanted: dict[str, str], limit: int, starting: str
) -> None:
    by_index, by_reading = filtered
    selection = Selection.of(**wanted)
    found, expected = (
        each.find(selection, limit, starting=starting, deleted=False, unsynced=False) for each in filtered
    )
    assert found == expected
    assert by_index.count(selection) == by_reading.count(selection)


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EntryLists, EntryLists]]:
    """Lists of one store, by its index and by reading all."""
    with LocalStore.create(tmp_path_factory.mktemp("lists") / "store.sqlite3", KEYRING) as store:
        asyncio.run(written_and_changed(store))
        search = LocalSearch(store, worth_keeping=1)
        search.find("text", 0)
        yield EntryLists(store, lambda: search, many=0), EntryLists(store, lambda: search, many=10_000)
        assert search.newest(Selection.of(tag="walk"), 1) is not None


async def written_and_changed(store: LocalStore) -> None:
    journal = Journal(store)
    for at in range(40):
        await journal.write(
            body="text",
            date=("2020-01-0{}", "2020-02-0{}T23:30:00-08:00")[at % 2].format(at % 7 + 1),
            tags=(("walk", "Sea"), ("Walk",), ())[at % 3],
            mood=("Calm", None, "ill at ease")[at // 3 % 3],
            source=("cli", None)[at // 5 % 2],
        )
    LocalSearch(store, worth_keeping=1).find("text", 0)
    entries = await journal.list()
    await journal.delete(entries[3].id)
    await journal.edit(entries[5].id, date="2020-01-04", tags=("sea",))
    await journal.edit(entries[30].id, mood="calm")


async def test_a_list_with_a_filter_reads_all_where_the_index_cannot_be_gone_by(
    store: LocalStore, tmp_path: Path
) -> None:
    await imported(store, MANY)
    search = LocalSearch(store)
    assert search.newest(Selection.of(since="2020-01-01"), 3) is None
    search.find("quince", 1)
    for bad in (b"x" * 5000, b""):
        (tmp_path / INDEX).write_bytes(bad)
        assert LocalSearch(store).newest(Selection.of(since="2020-01-01"), 3) is None
        assert len(await Journal(store).list(since="2020-01-01", limit=3)) == 3
    await imported(store, (f"quince {at}" for at in range(FULL)), provider="another")
    assert search.newest(Selection.of(since="2020-01-01"), 3) is None
    assert await Journal(store).count(since="2020-01-01") == len(MANY) + FULL

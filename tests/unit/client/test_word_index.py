"""The index of words on disk: sealed by pages, kept up by whoever searches, and made good whatever becomes of it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.records.progress import Progress
from lockleaf.client.search.keeping_up import MOST_LEFT, KeepingUp
from lockleaf.client.search.local_search import LocalSearch
from lockleaf.client.search.packing import FULL
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from tests.support.canaries import Canaries
from tests.unit.client.test_store_inbox import BEFORE_KEYS

KEYRING = Keyring.new("2026-01-01T00:00:00Z")
INDEX = "store.sqlite3-search"
MANY = [f"{word} number{at}" for at in range(20) for word in ("xylophone", "quince")]

Row = tuple[bytes, str, bytes]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", KEYRING) as store:
        yield store


def reopened(store: LocalStore) -> LocalStore:
    store.close()
    return LocalStore.open(store.path, local_keys(KEYRING))


async def bodies(journal: Journal, query: str) -> list[str]:
    return [hit.entry.body for hit in (await journal.search(query)).hits]


async def imported(store: LocalStore, texts: Iterable[str], provider: str = "test") -> None:
    await Journal(store).import_entries(
        EntryDraft(body=text, date="2020-01-01", external_id=str(at), provider=provider)
        for at, text in enumerate(texts)
    )


def rows(file: Path) -> list[Row]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT segment, page, sealed FROM pages ORDER BY segment, page").fetchall()


def put(file: Path, written: Iterable[Row]) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(
            "UPDATE pages SET sealed = ? WHERE segment = ? AND page = ?",
            [(sealed, segment, page) for segment, page, sealed in written],
        )


def segments(file: Path) -> set[bytes]:
    return {segment for segment, _, _ in rows(file) if segment}


# ---- what is on the disk --------------------------------------------------------------------------------------------


async def test_every_page_is_sealed_for_its_place_and_no_word_is_in_the_file(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    assert (await Journal(store).search("quince")).total == 20
    file = tmp_path / INDEX
    assert file.stat().st_mode & 0o777 == 0o600
    words = Canaries({"a stem": "xylophon", "another": "quinc"})
    assert words.found_in(file.read_bytes()) == set()
    opened = {page: store.open_beside(f"search/{segment.hex()}/{page}", sealed) for segment, page, sealed in rows(file)}
    assert words.found_in(b"".join(opened.values())) == {"a stem", "another"}
    assert {"manifest", "ids", "digests", "facts", "words-0", "texts-0", "texts-1"} == set(opened)


async def test_what_few_edits_change_is_found_and_leaves_the_file_as_it_is(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    await Journal(store).search("quince")
    before = (tmp_path / INDEX).read_bytes()
    with reopened(store) as store:
        await Journal(store).write(body="a quince more")
        for _ in range(2):
            assert (await Journal(store).search("quinces")).total == 21
    assert (tmp_path / INDEX).read_bytes() == before


async def test_what_many_edits_change_goes_into_segments_of_which_there_are_never_many(
    store: LocalStore, tmp_path: Path
) -> None:
    for at in range(25):
        await imported(store, (f"plethora {at}" for at in range(25)), provider=f"program {at}")
        assert (await Journal(store).search("plethora")).total == 25 * (at + 1)
        assert len(segments(tmp_path / INDEX)) <= 9
    journal = Journal(store)
    for entry in await journal.list():
        await journal.edit(entry.id, body="dearth")
    for each in (journal, Journal(store)):
        assert ((await each.search("plethora")).total, (await each.search("dearth")).total) == (0, 625)
    assert len(segments(tmp_path / INDEX)) <= 9


async def test_a_long_journal_has_several_segments_and_each_is_looked_into(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, (f"walk number{at}" for at in range(FULL + 100)))
    assert (await Journal(store).search("walk")).total == FULL + 100
    assert len(segments(tmp_path / INDEX)) == 2
    for at in (0, FULL - 1, FULL, FULL + 99):
        assert await bodies(Journal(store), f"number{at}") == [f"walk number{at}"]
    assert (await Journal(store).search(f"walk -number{FULL}")).total == FULL + 99


# ---- what becomes of it ---------------------------------------------------------------------------------------------


async def test_an_index_that_cannot_be_used_is_made_again_silently(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    await Journal(store).search("quince")
    file = tmp_path / INDEX
    whole = file.read_bytes()
    with LocalStore.create(tmp_path / "other", KEYRING) as other:
        await imported(other, MANY[:30])
        await Journal(other).search("quince")
    foreign = (tmp_path / "other-search").read_bytes()
    for bad in (b"", b"x" * 100, whole[:-1], whole[: len(whole) // 2], b"\0" * len(whole), foreign):
        file.write_bytes(bad)
        assert (await Journal(store).search("quince")).total == 20
        assert file.read_bytes() != bad
        assert (await Journal(store).search("quince")).total == 20
    file.unlink()
    file.mkdir()
    assert (await Journal(store).search("quince")).total == 20


async def test_no_page_can_be_altered_left_out_or_stand_in_the_place_of_another(
    store: LocalStore, tmp_path: Path
) -> None:
    file = tmp_path / INDEX
    await imported(store, MANY)
    await Journal(store).search("quince")
    earlier = rows(file)
    await imported(store, (f"quince again {at}" for at in range(30)), provider="another")
    await Journal(store).search("quince")
    now = rows(file)
    store.close()
    assert len(segments(file)) == 2
    altered = [[(segment, page, sealed[:-1] + bytes([sealed[-1] ^ 1]))] for segment, page, sealed in now]
    empty = [[(segment, page, b"")] for segment, page, _ in now]
    exchanged = [
        [(*one[:2], other[2]), (*other[:2], one[2])]
        for one, other in combinations(now, 2)
        if one[1] == other[1] or one[0] == other[0]
    ]
    back = [[row] for row in earlier if not row[0]]
    for number, bad in enumerate((*altered, *empty, *exchanged, *back)):
        copy = tmp_path / f"{number}"
        copy.mkdir()
        for each in (store.path, file):
            shutil.copy(each, copy)
        put(copy / INDEX, bad)
        with LocalStore.open(copy / store.path.name, local_keys(KEYRING)) as same:
            journal = Journal(same)
            query = "(quince OR number7) -nothing from:2020"
            assert (await journal.search(query)).total == 51, [row[:2] for row in bad]
            # Of an edit it is asked where the entry stood, and as what.
            await journal.edit((await journal.list())[0].id, title="quince number7")
            assert {(await each.search(query)).total for each in (journal, Journal(same))} <= {51, 52}


SEARCHING = """
import sys
from pathlib import Path
from lockleaf.client.search.local_search import LocalSearch
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring
store = LocalStore.open(Path(sys.argv[1]), local_keys(Keyring.unpack(bytes.fromhex(sys.argv[2]))))
print(LocalSearch(store).find("walk", 1).total)
"""


async def test_a_search_that_is_killed_while_it_makes_the_index_leaves_one_that_is_gone_on_with(
    store: LocalStore, tmp_path: Path
) -> None:
    await imported(store, (f"walk number{at}" for at in range(2 * FULL + 30)))
    file = tmp_path / INDEX
    program = [sys.executable, "-c", SEARCHING, str(store.path), KEYRING.pack().hex()]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as killed:
        while not file.exists() and killed.poll() is None:
            pass
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    for _ in range(2):
        done = subprocess.run(program, capture_output=True, check=True)
        assert int(done.stdout) == 2 * FULL + 30
    assert len(segments(file)) == 3


async def test_two_programs_that_search_at_the_same_time_share_one_index(store: LocalStore, tmp_path: Path) -> None:
    with LocalStore.open(store.path, local_keys(KEYRING)) as same:
        searches = [(each, LocalSearch(each)) for each in (store, same)]
        for at in range(24):
            writer, _ = searches[at % 2]
            await imported(writer, (f"plethora {at}" for at in range(30)), provider=f"program {at}")
            for _, search in searches if at % 3 else searches[::-1]:
                assert search.find("plethora", 1).total == 30 * (at + 1)
    assert len(segments(tmp_path / INDEX)) <= 9


async def test_entries_go_into_the_index_a_segment_at_a_time_where_many_wait(store: LocalStore, tmp_path: Path) -> None:
    search = LocalSearch(store)
    await imported(store, (f"walk number{at}" for at in range(FULL - 1)))
    assert search.keep_up() == 0
    await imported(store, (f"walk number{at}" for at in range(FULL + 1)))
    await imported(store, (f"stroll number{at}" for at in range(FULL - 1)), provider="another")
    assert [search.keep_up() for _ in range(3)] == [FULL, FULL, 0]
    assert len(segments(tmp_path / INDEX)) == 2
    assert (search.find("walk", 1).total, search.find("stroll", 1).total) == (FULL + 1, FULL - 1)


async def test_whoever_writes_many_entries_takes_them_in_for_a_share_of_the_time(
    store: LocalStore, tmp_path: Path
) -> None:
    await imported(store, (f"walk number{at}" for at in range(2 * FULL)))
    # On a slow machine that took so long that some are in it.
    (tmp_path / INDEX).unlink(missing_ok=True)
    # When it was made, then before it begins: at once it is too early, and a long time later there is time for all.
    for times, count in (([0.0, 0.1], 0), ([0.0, *[10_000.0] * 20], 2)):
        keeping_up = KeepingUp(store, clock=iter(times).__next__)
        keeping_up.go_on()
        keeping_up.close()
        assert (len(segments(tmp_path / INDEX)) if count else (tmp_path / INDEX).exists()) == count
    assert (await Journal(store).search("walk")).total == 2 * FULL


async def test_an_import_leaves_the_next_search_few_entries_to_take_in(store: LocalStore, tmp_path: Path) -> None:
    told: list[Progress] = []
    # The share of the time that an import takes lets it take in none of these, or one segment.
    drafts = (
        EntryDraft(body=f"walk number{at}", date="2020-01-01", external_id=str(at), provider="test")
        for at in range(MOST_LEFT + FULL + 1)
    )
    await Journal(store).import_entries(drafts, told.append)
    assert FULL < LocalSearch(store).waiting() <= MOST_LEFT
    assert [each.done / (each.total or 1) for each in told if each.stage == "words"][-1:] in ([], [1.0])
    assert LocalSearch(store).find("walk", 1).total == MOST_LEFT + FULL + 1


async def test_a_store_that_was_put_back_to_an_earlier_state_is_indexed_anew(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    store.close()
    earlier = store.path.read_bytes()
    with LocalStore.open(store.path, local_keys(KEYRING)) as store:
        journal = Journal(store)
        await imported(store, [*MANY, *(f"plethora {at}" for at in range(30))])
        assert (await journal.search("plethora")).total == 30
    (tmp_path / "store.sqlite3-wal").unlink(missing_ok=True)
    store.path.write_bytes(earlier)
    with LocalStore.open(store.path, local_keys(KEYRING)) as store:
        assert (await Journal(store).search("plethora OR quince")).total == 20


async def test_entries_of_a_store_that_counted_no_writes_are_found_and_kept_up(store: LocalStore) -> None:
    await imported(store, MANY)
    store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        # As an earlier version left it.
        for statement in (
            "DROP TRIGGER records_touched",
            "DROP TABLE touched",
            "DELETE FROM properties",
            "ALTER TABLE media DROP COLUMN for_good",
            *BEFORE_KEYS,
        ):
            connection.execute(statement)
        connection.execute("PRAGMA user_version=4")
        connection.commit()
    with LocalStore.open(store.path, local_keys(KEYRING)) as store:
        journal = Journal(store)
        assert (await journal.search("quince")).total == 20
        await journal.write(body="quince")
        for each in (journal, Journal(store)):
            assert (await each.search("quince")).total == 21


async def test_what_another_program_writes_to_the_store_is_found(store: LocalStore) -> None:
    journal = Journal(store)
    written_here = await journal.write(body="rain")
    assert await bodies(journal, "rain") == ["rain"]
    with LocalStore.open(store.path, local_keys(KEYRING)) as same:
        other = Journal(same)
        await other.edit(written_here.id, body="sunshine")
        await other.write(body="more rain")
    assert await bodies(journal, "rain") == ["more rain"]
    assert await bodies(journal, "sunshine") == ["sunshine"]


async def test_under_new_keys_no_index_is_left_under_the_old_ones(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    journal = Journal(store)
    await journal.search("quince")
    store.rekey(store.keyring.rotated("2026-02-01T00:00:00Z", HistoryPlace("epoch", 1, bytes(32))))
    assert not (tmp_path / INDEX).exists()
    for each in (journal, Journal(store)):
        assert (await each.search("quince")).total == 20
    assert {
        store.open_beside(f"search/{segment.hex()}/{page}", sealed) for segment, page, sealed in rows(tmp_path / INDEX)
    }


async def test_an_index_that_cannot_be_written_is_none_the_worse(store: LocalStore, tmp_path: Path) -> None:
    await imported(store, MANY)
    (tmp_path / INDEX).mkdir()
    (tmp_path / INDEX / "in the way").touch()
    journal = Journal(store)
    for _ in range(2):
        assert (await journal.search("quince")).total == 20
    assert list(tmp_path.glob(".*")) == []

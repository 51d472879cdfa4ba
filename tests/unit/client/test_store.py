"""The local store: sealed at rest, all or nothing, and errors by name."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lockleaf.client.errors import DiskFull, StoreDamaged, StoreLocked, SyncAlreadyRunning
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.client.store.database import Database
from lockleaf.client.store.open_conflicts import StoredConflict
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.client.store.sealing import LocalSeal, place
from lockleaf.client.store.verified_history import Acknowledgement, Position
from lockleaf.crypto.history import ZERO
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.sync import Epoch

NOW = "2026-01-01T00:00:00Z"
CANARY = "canary-in-the-coal-mine"


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.new(NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "store.sqlite3"


def an_entry(record_id: str = "a", body: str = CANARY) -> StoredRecord:
    return StoredRecord(
        ENTRIES,
        record_id,
        revision=2,
        seq=7,
        payload_hash=b"h" * 32,
        base_revision=2,
        base_hash=b"h" * 32,
        pending=True,
        generation=3,
        doc=Document({"body": body, "x-unknown": [1, {"y": None}]}, NOW, NOW),
        base={"body": "before " + body},
    )


def a_change(payload_hash: bytes = b"p" * 32, record_id: str = "a") -> Outgoing:
    return Outgoing(
        payload_hash=payload_hash,
        collection=ENTRIES,
        record_id=record_id,
        kind="edit",
        base_revision=2,
        parent=b"h" * 32,
        payload=b"sealed",
        labels=(b"l" * 16, b"m" * 16),
        source=None,
        occurred_at=None,
        deleted=False,
        client_updated_at=NOW,
        generation=3,
        content={"body": CANARY},
    )


def a_conflict() -> StoredConflict:
    return StoredConflict("c" * 32, None, ENTRIES, "a", 1, False, "device", NOW, True, "open", {"body": CANARY})


def fill(store: LocalStore) -> None:
    with store.transaction():
        store.records.put(an_entry())
        store.outbox.add([a_change()])
        store.conflicts.put(a_conflict())
        store.set_secret("tokens", CANARY.encode())


def assert_filled(store: LocalStore) -> None:
    assert store.records.get(ENTRIES, "a") == an_entry()
    assert store.outbox.get(b"p" * 32) == a_change()
    assert store.conflicts.get("c" * 32) == a_conflict()
    assert store.get_secret("tokens") == CANARY.encode()


def test_what_was_kept_comes_back(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        fill(store)
    with LocalStore.open(path, local_keys(keyring)) as store:
        assert store.keyring == keyring
        assert_filled(store)
        store.check()


def test_no_file_of_the_store_holds_anything_readable(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        fill(store)
        store.records.put(an_entry(body="replaced"))
        files = list(path.parent.iterdir())
        assert {file.name for file in files} >= {"store.sqlite3", "store.sqlite3-wal"}
        raw = b"".join(file.read_bytes() for file in files)
        assert keyring.newest.master_key not in raw
        assert CANARY.encode() not in raw
        assert b"replaced" not in raw
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_key_opens_nothing(path: Path, keyring: Keyring) -> None:
    LocalStore.create(path, keyring).close()
    for keys in (local_keys(Keyring.new(NOW)), {9: b"k" * 32}, {}):
        with pytest.raises(StoreDamaged):
            LocalStore.open(path, keys)


def test_a_sealed_cell_opens_only_in_its_place() -> None:
    seal = LocalSeal({1: b"k" * 32})
    sealed = seal.seal(place("records", "doc", "entries", "a"), b"text")
    assert seal.open(place("records", "doc", "entries", "a"), sealed) == b"text"
    for where in (
        place("records", "base", "entries", "a"),
        place("records", "doc", "entries", "b"),
        place("records", "doc", "entriesa", ""),
        place("outbox", "doc", "entries", "a"),
    ):
        with pytest.raises(StoreDamaged):
            seal.open(where, sealed)
    for damaged in (sealed[:-1], sealed + b"x", b"", sealed[:4] + bytes([sealed[4] ^ 1]) + sealed[5:]):
        with pytest.raises(StoreDamaged):
            seal.open(place("records", "doc", "entries", "a"), damaged)


def test_rekeying_seals_every_row_under_the_new_key_alone(path: Path, keyring: Keyring) -> None:
    rotated = keyring.rotated(NOW, HistoryPlace("epoch", 1, bytes(32)))
    with LocalStore.create(path, keyring) as store:
        fill(store)
        store.rekey(rotated)
        assert store.keyring == rotated
        assert_filled(store)
    with LocalStore.open(path, {2: rotated.newest.local_key}) as store:
        assert store.keyring == rotated
        assert_filled(store)
    with pytest.raises(StoreDamaged):
        LocalStore.open(path, local_keys(keyring))


def test_rekeying_that_fails_leaves_the_old_key_in_force(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        fill(store)
        store._database.write("UPDATE conflicts SET doc = ?", (b"damaged beyond repair, whatever key",))
        with pytest.raises(StoreDamaged):
            store.rekey(keyring.rotated(NOW, HistoryPlace("epoch", 1, bytes(32))))
        assert store.keyring == keyring
        store.records.put(an_entry("b"))
    with LocalStore.open(path, local_keys(keyring)) as store:
        assert store.records.get(ENTRIES, "a") == an_entry()
        assert store.records.get(ENTRIES, "b") == an_entry("b")


def test_a_transaction_is_kept_whole_or_not_at_all(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        with pytest.raises(ZeroDivisionError), store.transaction():
            fill(store)
            raise ZeroDivisionError
        assert store.records.get(ENTRIES, "a") is None
        assert store.get_secret("tokens") is None
        fill(store)
        assert_filled(store)


def test_a_file_that_is_no_store_is_named_damaged(path: Path, keyring: Keyring) -> None:
    with pytest.raises(StoreDamaged):
        LocalStore.open(path, local_keys(keyring))
    LocalStore.create(path, keyring).close()
    path.write_bytes(b"not a database at all" * 400)
    with pytest.raises(StoreDamaged):
        LocalStore.open(path, local_keys(keyring))


def test_a_page_that_was_overwritten_is_found(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        store.records.put_many(an_entry(f"{number:03}", CANARY * 40) for number in range(200))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    with pytest.raises(StoreDamaged), LocalStore.open(path, local_keys(keyring)) as store:
        store.check()
        list(store.records.entries())


def test_a_full_disk_is_named_and_nothing_is_half_kept(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        fill(store)
        pages = store._database.row("PRAGMA page_count")[0]
        # What SQLite does at its own limit is what it does when the file system has no room.
        store._database.rows(f"PRAGMA max_page_count={pages + 4}")
        with pytest.raises(DiskFull):
            store.records.put_many(an_entry(f"{number:03}", CANARY * 100) for number in range(100))
        assert store.records.existing(["000", "050"]) == set()
        assert_filled(store)
        store._database.rows("PRAGMA max_page_count=100000")
        store.records.put(an_entry("b"))
        assert store.records.get(ENTRIES, "b") == an_entry("b")


def test_a_store_that_another_program_keeps_is_named_locked(
    path: Path, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalStore.create(path, keyring) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store._database.rows("PRAGMA busy_timeout=10")
        with pytest.raises(StoreLocked):
            store.records.put(an_entry())
        other.execute("ROLLBACK")
        other.close()
        store.records.put(an_entry())


def test_threads_write_one_after_another(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:

        def count() -> None:
            for _ in range(20):
                with store.transaction():
                    present = int(store.get_secret("count") or b"0")
                    store.set_secret("count", str(present + 1).encode())

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get_secret("count") == b"80"


def test_the_right_to_sync_is_one_process_alone_and_ends_with_it(path: Path, keyring: Keyring) -> None:
    program = (
        "import sys; from pathlib import Path; from lockleaf.client.store.database import Database\n"
        "with Database(Path(sys.argv[1])).only_sync(): print('held', flush=True); sys.stdin.read()"
    )
    with LocalStore.create(path, keyring) as store:
        holder = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(SyncAlreadyRunning), store.only_sync():
                pass
            holder.kill()
        with store.only_sync(), pytest.raises(SyncAlreadyRunning), Database(path).only_sync():
            pass


def test_the_verified_history_goes_on_and_confirmations_end_with_it(path: Path, keyring: Keyring) -> None:
    first = Epoch(epoch="first", from_seq=0, from_head=ZERO)
    second = Epoch(epoch="second", from_seq=2, from_head=b"2" * 32)
    with LocalStore.create(path, keyring) as store:
        history = store.history
        assert (history.position(), history.cursor(), history.epochs()) == (None, None, [])
        history.acknowledge(Acknowledgement(seq, ENTRIES, "a", seq, b"p" * 32) for seq in (2, 3))
        history.advance(
            Position("first", 2, b"2" * 32),
            cursor="c2",
            epochs=[first],
            heads=[("first", seq, bytes([48 + seq]) * 32) for seq in range(3)],
        )
        assert list(history.acknowledged()) == [3]
        history.advance(
            Position("second", 3, b"3" * 32),
            cursor="c3",
            epochs=[first, second],
            heads=[("second", 2, b"e" * 32), ("second", 3, b"3" * 32)],
        )
        assert history.acknowledged() == {}
        assert history.position() == Position("second", 3, b"3" * 32)
        assert history.cursor() == "c3"
        assert history.epochs() == [first, second]
        assert history.head_at("first", 2) == b"2" * 32
        assert history.head_at("second", 2) == b"e" * 32
        assert history.head_at("first", 3) is None
        assert history.heads_at(2) == {b"2" * 32, b"e" * 32}
        history.rewind(1)
        assert (history.position(), history.cursor(), history.epochs()) == (None, None, [])
        assert history.restored_through() == 1


def test_a_place_in_the_outbox_is_never_given_twice(path: Path, keyring: Keyring) -> None:
    with LocalStore.create(path, keyring) as store:
        store.outbox.add([a_change()])
        ((first, _),) = store.outbox.waiting(10)
        store.outbox.remove([b"p" * 32])
        store.outbox.add([a_change(b"q" * 32)])
        assert [item.payload_hash for _, item in store.outbox.waiting(10, after=first)] == [b"q" * 32]

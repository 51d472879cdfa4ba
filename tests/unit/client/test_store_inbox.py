"""The inbox in the local store: decisions wait for the server, and what only this device has is never forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockleaf.client.errors import LocalStoreError
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.client.store.inbox_items import StoredInboxItem
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.client.store.schema import SCHEMA_VERSION
from lockleaf.crypto.keyring import Keyring

NOW = "2026-01-01T00:00:00Z"
KEYRING = Keyring.new(NOW)


def an_item(item_id: str, received_at: str = NOW) -> StoredInboxItem:
    return StoredInboxItem(item_id, "web", received_at, b"sealed")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", KEYRING) as store:
        yield store


def ids(store: LocalStore, *states: str) -> list[str]:
    return [item.item_id for item in store.inbox.in_state(*(states or ("waiting",)))]  # type: ignore[arg-type]


def test_items_are_listed_oldest_first_and_one_that_is_fetched_again_stays_as_decided(store: LocalStore) -> None:
    store.inbox.add([an_item("b", "2026-01-02T00:00:00Z"), an_item("a"), an_item("c", "2026-01-03T00:00:00Z")])
    assert ids(store) == ["a", "b", "c"]
    store.inbox.decide("a", "accepted", "entry")
    store.inbox.add([an_item("a")])
    assert ids(store) == ["b", "c"]
    assert store.inbox.count() == 2
    (accepted,) = store.inbox.in_state("accepted", "refused")
    assert (accepted.item_id, accepted.record_id, accepted.item) == ("a", "entry", b"sealed")


def test_what_the_server_lists_no_more_is_forgotten_unless_it_gave_everything_up(store: LocalStore) -> None:
    store.inbox.add([an_item("a"), an_item("b")])
    store.inbox.keep_only({"a"})
    assert ids(store) == ["a"]
    store.inbox.detach(decided=True)
    store.inbox.keep_only(set())
    assert ids(store) == ["a"]
    store.inbox.keep_only({"a"})  # it has it after all
    store.inbox.keep_only(set())
    assert ids(store) == []


def test_a_decision_about_what_only_this_device_has_needs_no_telling(store: LocalStore) -> None:
    store.inbox.add([an_item("a"), an_item("b"), an_item("c")])
    store.inbox.decide("c", "refused")
    store.inbox.detach(decided=True)
    store.inbox.decide("a", "accepted", "entry")
    assert ids(store, "accepted", "refused") == []
    assert store.inbox.ids() == {"b"}


BEFORE_KEYS = (
    *(f"ALTER TABLE records DROP COLUMN {name}" for name in ("key_id", "device", "written_at", "unseen", "resolves")),
    *(f"ALTER TABLE outbox DROP COLUMN {name}" for name in ("device", "resealed")),
    *(
        f"ALTER TABLE conflicts DROP COLUMN {name}"
        for name in ("written_at", "sealed_parent", "payload_hash", "key_id", "authentic", "parent", "first_id")
    ),
    *(f"ALTER TABLE media DROP COLUMN {name}" for name in ("recipient", "replaces", "after_entry")),
    "ALTER TABLE absorbed DROP COLUMN standing",
    "DROP TABLE accepted",
    "DROP TABLE earlier",
    "DROP TABLE statements",
    "DROP INDEX records_labels",
    "DROP INDEX records_here",
    "ALTER TABLE records DROP COLUMN labels",
)
"""What makes a store of today one of version 6, as far as these tests look at it."""

BEFORE_METRICS = (
    *BEFORE_KEYS,
    "DROP TRIGGER records_touched",
    "DROP TABLE touched",
    "DELETE FROM properties",
    "DROP TABLE media",
    "DROP TABLE contributions",
    "DROP TABLE deltas",
    "ALTER TABLE outbox DROP COLUMN counted",
)


def test_a_store_of_an_earlier_version_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with LocalStore.create(path, KEYRING) as store:
        store.records.put(StoredRecord(ENTRIES, "a", doc=Document({"body": "text"}, NOW, NOW)))
    _as_version(path, 1, "DROP TABLE inbox", *BEFORE_METRICS)
    with LocalStore.open(path, local_keys(KEYRING)) as store:
        assert store.inbox.count() == 0
        assert store.contributions.counts() == (0, 0)
        assert store.outbox.waiting(1) == []
        store.inbox.add([an_item("a")])
        (record,) = store.records.entries()
        assert record.doc is not None
        assert record.doc.content == {"body": "text"}
    with LocalStore.open(path, local_keys(KEYRING)) as store:
        assert store.inbox.count() == 1


def test_files_that_wait_in_a_store_of_an_earlier_version_wait_on(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    medium = QueuedObject("m", "e", "delete", NOW, "text/plain", 3, b"d" * 32, announced=True)
    with LocalStore.create(path, KEYRING) as store:
        store.media.put([medium])
    _as_version(path, 5, *BEFORE_KEYS, "ALTER TABLE media DROP COLUMN for_good")
    with LocalStore.open(path, local_keys(KEYRING)) as store:
        assert store.media.in_state("delete") == [medium]


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    LocalStore.create(path, KEYRING).close()
    _as_version(path, SCHEMA_VERSION + 1)
    with pytest.raises(LocalStoreError, match="another version"):
        LocalStore.open(path, local_keys(KEYRING))


def _as_version(path: Path, version: int, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version}")
        connection.commit()
    finally:
        connection.close()

"""The table of records: read and written through the local seal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.store.database import Database
from lockleaf.client.store.records import ENTRIES, HASH_LENGTH, LOST_BASE, TAGS, Document, Leaf, StoredRecord
from lockleaf.client.store.sealing import LocalSeal, place
from lockleaf.crypto.history import ZERO

__all__ = ["Records"]

_COLUMNS = (
    "collection, record_id, revision, seq, payload_hash, bare, base_revision, base_hash, base_deleted,"
    " deleted, pending, generation, rejected, doc, base, labels, key_id, device, written_at, unseen,"
    " resolves"
)
_PLACES = ", ".join("?" * 21)
_IN = 500
_SEALED_BEFORE = (
    "r.key_id > 0 AND r.key_id < ? AND NOT r.base_deleted AND NOT r.bare"
    " AND r.base_revision = r.revision AND r.base_hash = r.payload_hash"
)


class Records:
    """Reads and writes records; content passes through the local seal."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    def get(self, collection: str, record_id: str) -> StoredRecord | None:
        """Return one record with its content."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM records WHERE collection = ? AND record_id = ?",  # noqa: S608
            (collection, record_id),
        )
        return self._read(row) if row else None

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], StoredRecord]:
        """Return those of ``keys`` (collection, record id) that are there."""
        found = {}
        for collection, ids in _by_collection(keys):
            rows = self._database.rows(
                f"SELECT {_COLUMNS} FROM records WHERE collection = ?"  # noqa: S608
                f" AND record_id IN ({', '.join('?' * len(ids))})",
                (collection, *ids),
            )
            for row in rows:
                record = self._read(row)
                found[record.key] = record
        return found

    def leaves(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Leaf]:
        """Return the last leaf of each of ``keys`` that has one; opens nothing."""
        found = {}
        for collection, ids in _by_collection(keys):
            rows = self._database.rows(
                "SELECT record_id, revision, payload_hash, bare FROM records WHERE collection = ?"  # noqa: S608
                f" AND revision > 0 AND record_id IN ({', '.join('?' * len(ids))})",
                (collection, *ids),
            )
            for record_id, revision, payload_hash, bare in rows:
                found[collection, record_id] = Leaf(revision, payload_hash, bool(bare))
        return found

    def bare(self) -> set[tuple[str, str]]:
        """Return the records whose last leaf came without its payload."""
        return set(self._database.rows("SELECT collection, record_id FROM records WHERE bare"))

    def entries(self, *, deleted: bool = False) -> Iterator[StoredRecord]:
        """Yield every entry that has content; with ``deleted``, deleted ones too."""
        condition = "" if deleted else " AND NOT deleted"
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records WHERE collection = ? AND doc IS NOT NULL{condition}",  # noqa: S608
            (ENTRIES,),
        )
        return map(self._read, rows)

    def entry_ids(self, *, deleted: bool = False) -> list[str]:
        """Return the id of every entry that has content; with ``deleted``, of deleted ones too. Opens nothing."""
        condition = "" if deleted else " AND NOT deleted"
        rows = self._database.rows(
            f"SELECT record_id FROM records WHERE collection = ? AND doc IS NOT NULL{condition} ORDER BY record_id",  # noqa: S608
            (ENTRIES,),
        )
        return [row[0] for row in rows]

    def touched(self, stamp: int) -> tuple[int, list[str]]:
        """Return the number of the latest write to an entry, and the ids of entries that were written after ``stamp``.

        Raises:
            LookupError: no write has that number yet, so it was counted elsewhere.
        """
        latest = self._require_counted(stamp)
        rows = self._database.rows("SELECT record_id FROM touched WHERE stamp > ? ORDER BY stamp", (stamp,))
        return latest, [row[0] for row in rows]

    def written(self, stamp: int, limit: int) -> list[tuple[str, int]]:
        """Return the first ids, ``limit`` at most, of entries that were written after ``stamp``.

        Args:
            stamp: if negative, entries of before writes were counted come first.

        Returns:
            Each id with the number of its last write, in their order; a negative number where that was not counted.

        Raises:
            LookupError: no write has that number yet, so it was counted elsewhere.
        """
        self._require_counted(stamp)
        uncounted: list[tuple[str, int]] = []
        if stamp < 0:
            uncounted = self._database.rows(
                "SELECT record_id, -1 FROM records WHERE collection = ? AND record_id NOT IN"
                " (SELECT record_id FROM touched)",
                (ENTRIES,),
            )
        rows = self._database.rows(
            "SELECT record_id, stamp FROM touched WHERE stamp > ? ORDER BY stamp LIMIT ?", (stamp, limit)
        )
        return uncounted + rows

    def latest(self) -> int:
        """Return the number of the latest write to an entry, 0 before the first."""
        return int(self._database.row("SELECT coalesce(max(stamp), 0) FROM touched")[0])

    def _require_counted(self, stamp: int) -> int:
        latest = self.latest()
        if stamp > latest:
            raise LookupError
        return latest

    def tags(self) -> list[StoredRecord]:
        """Return every tag that has content, deleted ones too."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records WHERE collection = ? AND doc IS NOT NULL",  # noqa: S608
            (TAGS,),
        )
        return [self._read(row) for row in rows]

    def ids_like(self, prefix: str) -> list[str]:
        """Return the first ids, six at most, of entries that begin with ``prefix``."""
        rows = self._database.rows(
            "SELECT record_id FROM records WHERE collection = ? AND substr(record_id, 1, ?) = ? ORDER BY 1 LIMIT 6",
            (ENTRIES, len(prefix), prefix),
        )
        return [row[0] for row in rows]

    def existing(self, record_ids: Sequence[str]) -> set[str]:
        """Return which of ``record_ids`` are entries here, deleted ones included."""
        found: set[str] = set()
        for collection, ids in _by_collection((ENTRIES, record_id) for record_id in record_ids):
            found.update(
                row[0]
                for row in self._database.rows(
                    "SELECT record_id FROM records WHERE collection = ?"  # noqa: S608
                    f" AND record_id IN ({', '.join('?' * len(ids))})",
                    (collection, *ids),
                )
            )
        return found

    def to_seal(self, limit: int, *, after: tuple[str, str] = ("", "")) -> list[StoredRecord]:
        """Return up to ``limit`` records, by key beyond ``after``, with an edit of which no sealed form waits."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records AS r WHERE pending AND (collection, record_id) > (?, ?)"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.collection = r.collection"
            " AND o.record_id = r.record_id AND o.kind = 'edit')"
            " ORDER BY collection, record_id LIMIT ?",
            (*after, limit),
        )
        return [self._read(row) for row in rows]

    def in_label_state(self, state: int, limit: int, *, after: str) -> list[StoredRecord]:
        """Return up to ``limit`` entries, by id beyond ``after``, that are as the server has them, in a label state."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records WHERE collection = 'entries' AND labels > 0 AND labels = ?"  # noqa: S608
            " AND record_id > ? AND NOT pending AND NOT deleted AND NOT bare AND revision > 0 AND doc IS NOT NULL"
            " ORDER BY record_id LIMIT ?",
            (state, after, limit),
        )
        return [self._read(row) for row in rows]

    def to_seal_again(self, key_id: int, limit: int, *, after: tuple[str, str] = ("", "")) -> list[StoredRecord]:
        """Return up to ``limit`` records, by key beyond ``after``, that a key before ``key_id`` sealed at the server.

        Deletions stay as they are. What is edited here is sealed with its edit, unless the server refused that.
        """
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records AS r WHERE {_SEALED_BEFORE} AND (collection, record_id) > (?, ?)"  # noqa: S608
            " AND (NOT pending OR rejected IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM outbox AS o"
            " WHERE o.collection = r.collection AND o.record_id = r.record_id AND o.kind = 'edit')"
            " ORDER BY collection, record_id LIMIT ?",
            (key_id, *after, limit),
        )
        return [self._read(row) for row in rows]

    def count_sealed_before(self, key_id: int) -> int:
        """Return how many records, deletions left out, the server has sealed under a key before ``key_id``."""
        return int(self._database.row(f"SELECT count(*) FROM records AS r WHERE {_SEALED_BEFORE}", (key_id,))[0])  # noqa: S608

    def set_rejected(self, key: tuple[str, str], code: str | None) -> None:
        """Mark a record's edit as refused by the server, with the code of the refusal."""
        self._database.write("UPDATE records SET rejected = ? WHERE collection = ? AND record_id = ?", (code, *key))

    def pending_count(self) -> int:
        """Return how many records have edits that the server has not confirmed."""
        return int(self._database.row("SELECT count(*) FROM records WHERE pending")[0])

    def count(self) -> int:
        """Return how many entries are here that are not deleted."""
        row = self._database.row(
            # In the very words of its index.
            "SELECT count(*) FROM records WHERE collection = ? AND deleted = 0 AND (doc IS NULL) = 0",
            (ENTRIES,),
        )
        return int(row[0])

    def put_many(self, records: Iterable[StoredRecord]) -> None:
        """Write records whole, over what was there."""
        self._database.write_many(
            f"INSERT OR REPLACE INTO records ({_COLUMNS}) VALUES ({_PLACES})",  # noqa: S608
            [self._written(record) for record in records],
        )

    def put(self, record: StoredRecord) -> None:
        """Write one record whole."""
        self.put_many((record,))

    def take_tags(self) -> list[StoredRecord]:
        """Remove all tags, and return those that had content."""
        found = self.tags()
        self._database.write("DELETE FROM records WHERE collection = ?", (TAGS,))
        return found

    def beyond(self, seq: int, floor: int) -> list[StoredRecord]:
        """Return the records whose last leaf is after ``seq``, or at or before ``floor``."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM records WHERE revision > 0 AND (seq > ? OR seq <= ?)"  # noqa: S608
            " ORDER BY seq",
            (seq, floor),
        )
        return [self._read(row) for row in rows]

    def forget_leaves(self) -> None:
        """Forget where records stand in the history, to walk another one from its start. Content stays."""
        self._database.write("UPDATE records SET revision = 0, seq = 0, payload_hash = ?, bare = 0", (ZERO,))

    def settle_orphans(self) -> None:
        """Let records that the walk of a restored history did not show begin anew."""
        self._database.write(
            "UPDATE records SET base_revision = 0, base_hash = ? WHERE base_revision = ?", (ZERO, LOST_BASE)
        )

    def _written(self, record: StoredRecord) -> tuple[Any, ...]:
        doc, base = record.doc, record.base
        collection, record_id = record.collection, record.record_id
        return (
            collection,
            record_id,
            record.revision,
            record.seq,
            record.payload_hash,
            record.bare,
            record.base_revision,
            record.base_hash,
            record.base_deleted,
            record.deleted,
            record.pending,
            record.generation,
            record.rejected,
            None
            if doc is None
            else self._seal.pack(
                place("records", "doc", collection, record_id), [doc.content, doc.created_at, doc.updated_at]
            ),
            None if base is None else self._seal.pack(place("records", "base", collection, record_id), base),
            record.labels,
            record.key_id,
            record.device,
            record.written_at,
            record.unseen,
            b"".join(sorted(record.resolves)),
        )

    def _read(self, row: Sequence[Any]) -> StoredRecord:
        collection, record_id = row[0], row[1]
        doc = base = None
        try:
            if row[13] is not None:
                doc = Document(*self._seal.unpack(place("records", "doc", collection, record_id), row[13]))
            if row[14] is not None:
                base = self._seal.unpack(place("records", "base", collection, record_id), row[14])
        except TypeError:
            raise StoreDamaged from None
        return StoredRecord(
            collection,
            record_id,
            row[2],
            row[3],
            row[4],
            bool(row[5]),
            row[6],
            row[7],
            bool(row[8]),
            bool(row[9]),
            bool(row[10]),
            row[11],
            row[12],
            doc,
            base,
            row[15],
            row[16],
            row[17],
            row[18],
            bool(row[19]),
            frozenset(row[20][at : at + HASH_LENGTH] for at in range(0, len(row[20]), HASH_LENGTH)),
        )


def _by_collection(keys: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Group keys by collection, in portions that SQLite takes as parameters."""
    groups: dict[str, list[str]] = {}
    for collection, record_id in keys:
        groups.setdefault(collection, []).append(record_id)
    for collection, ids in groups.items():
        for start in range(0, len(ids), _IN):
            yield collection, ids[start : start + _IN]

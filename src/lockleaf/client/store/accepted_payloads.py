"""Which payloads of entries the account's history accepted and left behind: none of them is a conflict."""

from __future__ import annotations

from collections.abc import Iterable

from lockleaf.client.store.database import Database
from lockleaf.client.store.records import ENTRIES, StoredRecord

__all__ = ["AcceptedPayloads"]

_IN = 500


class AcceptedPayloads:
    """Remembers payload hashes of superseded revisions; that of a record's last one stands with the record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def of(records: Iterable[StoredRecord]) -> list[bytes]:
        """Return what is to be remembered of records before another revision takes the place of their last one."""
        return [record.payload_hash for record in records if record.collection == ENTRIES and record.revision > 0]

    def add(self, payload_hashes: Iterable[bytes]) -> None:
        """Remember revisions that another one took the place of."""
        self._database.write_many(
            "INSERT OR IGNORE INTO accepted (payload_hash) VALUES (?)", [(each,) for each in payload_hashes]
        )

    def among(self, payload_hashes: Iterable[bytes]) -> set[bytes]:
        """Return those of ``payload_hashes`` that are remembered."""
        wanted: list[bytes] = list(payload_hashes)
        found: set[bytes] = set()
        for start in range(0, len(wanted), _IN):
            portion = wanted[start : start + _IN]
            rows = self._database.rows(
                f"SELECT payload_hash FROM accepted WHERE payload_hash IN ({', '.join('?' * len(portion))})",  # noqa: S608
                tuple(portion),
            )
            found.update(row[0] for row in rows)
        return found

    def add_present(self) -> None:
        """Remember the last revision of every entry: the history that holds them is about to be walked anew."""
        self._database.write(
            "INSERT OR IGNORE INTO accepted (payload_hash)"
            " SELECT payload_hash FROM records WHERE collection = 'entries' AND revision > 0"
        )

"""The order of the entries by their dates, kept so that the newest of many are found without reading the others.

Dates are sealed as texts are, so the store cannot sort by them. The order lies sealed in a file beside it, as the index
of the words does, and what was written since is put in before anything is found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from lockleaf.client.errors import LocalStoreError, StoreDamaged
from lockleaf.client.profile.private_files import write_private
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import entry_of
from lockleaf.client.records.zone_rules import zone_rules
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.crypto.errors import Malformed

__all__ = ["MANY", "DateOrder"]

_FILE = "order"
_FORMAT = 1
MANY = 2_000
_PORTION = 500
_WORTH_KEEPING = 25
"""Entries that changed since the file was written; fewer are read again the next time, which takes no time."""
_TIME, _ID = 8, 36
_ROW = _TIME + _ID
_MICROSECOND = timedelta(microseconds=1)


class _NoOrder(Exception):
    """There is no order that can be gone by."""


class DateOrder:
    """The entries of a store that are not deleted, newest first by local time and id. Methods block.

    A row is the local time in microseconds, 8 bytes big-endian, and the id, 36 bytes: rows are in order as entries are.

    Args:
        store: the local store.
        many: fewer entries are read whole, which takes no time, and have no such file.
    """

    def __init__(self, store: LocalStore, *, many: int = MANY) -> None:
        self._store = store
        self._many = many

    @property
    def file(self) -> Path:
        """Where the sealed order lies."""
        return self._store.path.with_name(f"{self._store.path.name}-{_FILE}")

    def newest(self, limit: int, starting: str = "") -> list[StoredRecord] | None:
        """Return the newest entries; None where it takes no less to read all.

        Args:
            limit: at most so many.
            starting: only those whose id begins so.
        """
        count = self._store.records.count()
        if count < self._many or limit > count // 2:
            return None
        try:
            begins = starting.encode("ascii", "replace")
            rows = list(islice((row for row in self._rows(count) if row.startswith(begins, _TIME)), limit))
            ids = [row[_TIME:].decode("ascii") for row in rows]
            found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in ids)
            records = [found[ENTRIES, entry_id] for entry_id in ids]
            # Another program may have written meanwhile, and a zone's rules may have changed.
            return records if rows == [_row(record) for record in records] else None
        except (_NoOrder, KeyError):
            return None

    def _rows(self, count: int) -> Iterable[bytes]:
        """Return the rows of all entries, newest first, with every write to the store in them."""
        try:
            stamp, data = self._read()
            latest, changed = self._store.records.touched(stamp)
            if len(changed) > count // 2:
                raise _NoOrder
        except (_NoOrder, LookupError):
            return self._anew()
        if not changed:
            return _cut(data) if len(data) == count * _ROW else self._anew()
        again = {entry_id.encode() for entry_id in changed}
        rows = [row for row in _cut(data) if row[_TIME:] not in again]
        for first in range(0, len(changed), _PORTION):
            portion = changed[first : first + _PORTION]
            found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in portion)
            rows += [_row(record) for record in found.values() if record.doc is not None and not record.deleted]
        if len(rows) != count:
            return self._anew()
        rows.sort(reverse=True)
        if len(changed) >= _WORTH_KEEPING:
            self._keep(latest, rows)
        return rows

    def _anew(self) -> list[bytes]:
        stamp, _ = self._store.records.touched(0)
        rows = sorted(map(_row, self._store.records.entries()), reverse=True)
        self._keep(stamp, rows)
        return rows

    # ---- the file ----

    def _read(self) -> tuple[int, bytes]:
        try:
            kept = strict_unpack(self._store.open_beside(_FILE, self.file.read_bytes()))
        except (OSError, StoreDamaged, Malformed):
            raise _NoOrder from None
        match kept:
            case [*made_by, int(stamp), bytes(data)] if made_by == self._made_by() and len(data) % _ROW == 0:
                return stamp, data
        raise _NoOrder

    def _keep(self, stamp: int, rows: list[bytes]) -> None:
        """Write the file. Where that cannot be, all is read the next time."""
        with suppress(OSError, LocalStoreError):
            # A store that is put back to before this counts its writes anew from there.
            self._store.set_mark_beside(_FILE, os.urandom(16))
            packed = pack([*self._made_by(), stamp, b"".join(rows)])
            write_private(self.file, self._store.seal_beside(_FILE, packed))

    def _made_by(self) -> list[object]:
        """What the order hangs on beside the entries: this store as it has been since, and the rules of time zones."""
        return [_FORMAT, self._store.name, self._store.mark_beside(_FILE), zone_rules()]


def _row(record: StoredRecord) -> bytes:
    entry: Entry = entry_of(record, conflict=False)
    name = entry.id.encode()
    if len(name) != _ID:
        raise _NoOrder
    return ((entry.local_time - datetime.min) // _MICROSECOND).to_bytes(_TIME, "big") + name  # noqa: DTZ901  (no zone)


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _ROW] for at in range(0, len(data), _ROW))

"""Lists of the entries on this device."""

from __future__ import annotations

from lockleaf.client.journal.date_order import DateOrder
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore

__all__ = ["EntryLists"]

_ALL = Selection()


class EntryLists:
    """Lists entries of a store, newest first. Methods block."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._order = DateOrder(store)

    def find(
        self, wanted: Selection, limit: int | None, *, starting: str, deleted: bool, unsynced: bool
    ) -> list[Entry]:
        """Return the entries that are ``wanted``; see `Journal.list`."""
        conflicting = self._store.conflicts.record_ids()
        pending_only = unsynced and self._store.history.doubt() is None
        if limit is not None and wanted == _ALL and not deleted and not pending_only:
            newest = self._order.newest(limit, starting)
            if newest is not None:
                return [entry_of(record, conflict=record.record_id in conflicting) for record in newest]
        records = self._store.records.entries(deleted=deleted)
        begun = (record for record in records if record.record_id.startswith(starting))
        entries = (entry_of(record, conflict=record.record_id in conflicting) for record in begun)
        # The id settles what falls together, as at the server: times of writing differ from device to device.
        listed = (entry for entry in filter(wanted.holds, entries) if entry.pending or not pending_only)
        found = sorted(listed, key=lambda entry: (entry.local_time, entry.id), reverse=True)
        return found if limit is None else found[:limit]

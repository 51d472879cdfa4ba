"""Lists of the entries on this device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lockleaf.client.journal.date_order import MANY, DateOrder
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import StoredRecord

if TYPE_CHECKING:
    from lockleaf.client.search import local_search

__all__ = ["EntryLists"]

_ALL = Selection()


class EntryLists:
    """Lists entries of a store, newest first. Methods block.

    Args:
        search: gives the index of words, which knows what filters look at too.
        many: fewer entries are read whole, which takes no time.
    """

    def __init__(self, store: LocalStore, search: Callable[[], local_search.LocalSearch], *, many: int = MANY) -> None:
        self._store = store
        self._search = search
        self._many = many
        self._order = DateOrder(store, many=many)

    def find(
        self, wanted: Selection, limit: int | None, *, starting: str, deleted: bool, unsynced: bool
    ) -> list[Entry]:
        """Return the entries that are ``wanted``; see `Journal.list`."""
        conflicting = self._store.conflicts.record_ids()
        pending_only = unsynced and self._store.history.doubt() is None
        if limit is not None and not deleted and not pending_only:
            newest = self._order.newest(limit, starting) if wanted == _ALL else self._filtered(wanted, limit, starting)
            if newest is not None:
                return [entry_of(record, conflict=record.record_id in conflicting) for record in newest]
        records = self._store.records.entries(deleted=deleted)
        begun = (record for record in records if record.record_id.startswith(starting))
        entries = (entry_of(record, conflict=record.record_id in conflicting) for record in begun)
        # The id settles what falls together, as at the server: times of writing differ from device to device.
        listed = (entry for entry in filter(wanted.holds, entries) if entry.pending or not pending_only)
        found = sorted(listed, key=lambda entry: (entry.local_time, entry.id), reverse=True)
        return found if limit is None else found[:limit]

    def count(self, wanted: Selection) -> int:
        """Return how many entries are ``wanted``."""
        if wanted == _ALL:
            return self._store.records.count()
        if self._store.records.count() >= self._many and (found := self._search().newest(wanted, 0)) is not None:
            return found[1]
        return sum(wanted.holds(entry_of(record, conflict=False)) for record in self._store.records.entries())

    def unverified(self) -> int:
        """Return how many are not known to be at the server; see `Journal.unverified_count`."""
        if self._store.history.doubt() is None:
            return self._store.records.pending_count()
        return len(self._store.records.entry_ids(deleted=True))

    def _filtered(self, wanted: Selection, limit: int, starting: str) -> list[StoredRecord] | None:
        count = self._store.records.count()
        if count < self._many or limit > count // 2:
            return None
        found = self._search().newest(wanted, limit, starting)
        return None if found is None else found[0]

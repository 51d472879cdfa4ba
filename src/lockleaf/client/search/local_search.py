"""Search on this device: an index of all words, beside the store and sealed as the store is, always up to date."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lockleaf.client.errors import InvalidSearch
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.preferences import locale_of
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.filters import Facts, selecting
from lockleaf.client.search.index_ranking import Ranked, ranked
from lockleaf.client.search.packing import FULL, IndexedEntry, UnusableIndex
from lockleaf.client.search.results import Found, Hit
from lockleaf.client.search.sealed_pages import KIND
from lockleaf.client.search.selection import Selection
from lockleaf.client.search.word_index import WordIndex
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.search.highlights import highlights
from lockleaf.search.languages import Language, language_of
from lockleaf.search.matching import match
from lockleaf.search.plan import Plan, plan
from lockleaf.search.query import InvalidQuery, parse

__all__ = ["LocalSearch", "planned", "shown"]

T = TypeVar("T")

_PORTION = 500
_WORTH_KEEPING = 25


def planned(text: str, language: Language) -> Plan:
    """Return what a query means in a language.

    Raises:
        InvalidSearch: it is longer, or nested deeper, than queries may be.
    """
    try:
        return plan(parse(text), language)
    except InvalidQuery:
        raise InvalidSearch from None


def shown(asked: Plan, entry: Entry, score: float) -> Hit | None:
    """Return an entry as a hit, None where its text does not match."""
    found = match(asked, entry.title, entry.body)
    return None if found is None else Hit(entry, score, highlights(asked, entry.title, entry.body, found))


class LocalSearch:
    """Searches the entries of a store. Methods block, and may be called by any thread.

    The index lies in sealed pages beside the store, of which a search opens those of the words that it asks for.
    Whatever is wrong with it, or has changed since it was written, is made good before anything is searched.

    Args:
        worth_keeping: the file is written where so many entries have changed since it was. Fewer are looked at again
            the next time, which takes no time.
    """

    def __init__(self, store: LocalStore, *, worth_keeping: int = _WORTH_KEEPING) -> None:
        self._store = store
        self._worth_keeping = worth_keeping
        self._index: WordIndex | None = None
        self._lock = threading.Lock()

    @property
    def file(self) -> Path:
        """Where the sealed index lies."""
        return self._store.path.with_name(f"{self._store.path.name}-{KIND}")

    def find(self, text: str, limit: int | None, newest: bool = False) -> Found:
        """Return the entries that a query finds, best first or newest first; see `Journal.search`."""
        most = (sys.maxsize if limit is None else limit) if newest else None
        asked, found, total = self._with_index(lambda index: self._asked(index, text, most))
        hits = self._opened(asked, found if limit is None else found[:limit])
        return Found(hits, total, asked.ignored)

    @staticmethod
    def _asked(index: WordIndex, text: str, newest: int | None) -> tuple[Plan, list[Ranked], int]:
        asked = planned(text, index.language)
        return asked, *(([], 0) if asked.empty else ranked(index, asked, newest))

    def _opened(self, asked: Plan, found: Sequence[Ranked]) -> tuple[Hit, ...]:
        records = self._store.records.get_many((ENTRIES, each.entry_id) for each in found)
        conflicting = self._store.conflicts.record_ids()
        hits = []
        for each in found:
            record = records.get((ENTRIES, each.entry_id))
            # Another program may have written meanwhile.
            if record is not None and record.doc is not None and not record.deleted:
                entry = entry_of(record, conflict=record.record_id in conflicting)
                if (hit := shown(asked, entry, each.score)) is not None:
                    hits.append(hit)
        return tuple(hits)

    # ---- lists ----

    def newest(self, wanted: Selection, limit: int, starting: str = "") -> tuple[list[StoredRecord], int] | None:
        """Return the newest entries that are wanted and how many there are; None where it takes no less to read all.

        Args:
            limit: return at most so many.
            starting: only those whose id begins so.
        """
        with self._lock, suppress(UnusableIndex):
            if not self.file.exists():
                return None
            index = self._open()
            if len(self._waiting(index)) >= FULL:
                return None
            self._catch_up(index)
            rows = [
                (segment.date(number), segment.ids[number])
                for segment in index.segments
                for number in segment.selected(selecting(wanted), wanted.since, wanted.until)
            ]
            found = sorted((row for row in rows if row[1].startswith(starting)), reverse=True)
            return self._as_they_were(found[:limit], wanted), len(found)
        return None

    def _as_they_were(self, rows: Sequence[tuple[str, str]], wanted: Selection) -> list[StoredRecord]:
        """Return the entries of rows.

        Raises:
            UnusableIndex: one is another by now: another program has written.
        """
        records = self._store.records.get_many((ENTRIES, entry_id) for _, entry_id in rows)
        found = []
        for date, entry_id in rows:
            record = records.get((ENTRIES, entry_id))
            if record is None or record.doc is None or record.deleted:
                raise UnusableIndex
            entry = entry_of(record, conflict=False)
            if Facts.of(entry).date != date or not wanted.holds(entry):
                raise UnusableIndex
            found.append(record)
        return found

    # ---- the index ----

    def keep_up(self) -> int:
        """Take one segment's worth of entries into the index, where so many wait; return how many, 0 otherwise.

        For whoever writes many: what is left waits for the next search.
        """

        def one_more(index: WordIndex) -> int:
            portion = self._waiting(index)
            if len(portion) < FULL:
                return 0
            self._take(index, portion)
            return len(portion)

        if self._store.records.latest() < FULL:
            return 0
        return self._with_index(one_more, current=False)

    def waiting(self) -> int:
        """Return how many entries were written since the index was."""

        return self._with_index(lambda index: len(self._waiting(index, sys.maxsize)), current=False)

    def close(self) -> None:
        """Let go of the index; the next search opens it again."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _with_index(self, use: Callable[[WordIndex], T], *, current: bool = True) -> T:
        """Return what comes of using the index.

        Args:
            current: whether every write to the store is to be in it.
        """
        with self._lock:
            # The file as it is, as another program has written it meanwhile, a new one; if all fails, one in memory.
            for begin in (self._open, self._reopened, self._new):
                with suppress(UnusableIndex):
                    index = begin()
                    if current:
                        self._catch_up(index)
                    return use(index)
            index = self._replaced(WordIndex.new(self._store, None, self._language()))
            self._catch_up(index)
            return use(index)

    def _language(self) -> Language:
        return language_of(locale_of(self._store))

    def _open(self) -> WordIndex:
        index, language = self._index, self._language()
        if index is None or index.language is not language or not index.in_place:
            return self._reopened()
        return index

    def _reopened(self) -> WordIndex:
        return self._replaced(WordIndex.open(self._store, self.file, self._language()))

    def _new(self) -> WordIndex:
        return self._replaced(WordIndex.new(self._store, self.file, self._language()))

    def _replaced(self, index: WordIndex) -> WordIndex:
        if self._index is not None:
            self._index.close()
        self._index = index
        return index

    def _catch_up(self, index: WordIndex) -> None:
        while portion := self._waiting(index):
            self._take(index, portion)

    def _waiting(self, index: WordIndex, most: int = FULL) -> list[tuple[str, int]]:
        """The next entries that were written since the index was, each with the number of its last write.

        Raises:
            UnusableIndex: it knows of writes that this store does not: that was put back to an earlier state.
        """
        try:
            return self._store.records.written(index.stamp, most)
        except LookupError:
            raise UnusableIndex from None

    def _take(self, index: WordIndex, portion: Sequence[tuple[str, int]]) -> None:
        ids = [entry_id for entry_id, _ in portion]
        gone = set(ids)
        index.update(map(_document, self._load(ids, gone)), gone, max(portion[-1][1], 0))
        if index.unkept >= self._worth_keeping:
            index.merge(lambda again: map(_document, self._load(again, set())))
            index.keep()

    def _load(self, ids: Sequence[str], gone: set[str]) -> Iterator[StoredRecord]:
        """Yield those of the entries that are there, and take them out of ``gone``."""
        for first in range(0, len(ids), _PORTION):
            found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in ids[first : first + _PORTION])
            for each in found.values():
                if each.doc is not None and not each.deleted:
                    gone.discard(each.record_id)
                    yield each


def _document(record: StoredRecord) -> IndexedEntry:
    entry = entry_of(record, conflict=False)
    return IndexedEntry(record.record_id, entry.title or "", entry.body, Facts.of(entry))

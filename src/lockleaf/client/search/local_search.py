"""Search on this device: an index of all words, beside the store and sealed as the store is, always up to date."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lockleaf.client.errors import InvalidSearch, LocalStoreError, StoreDamaged
from lockleaf.client.profile.private_files import write_private
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.preferences import locale_of
from lockleaf.client.records.views import entry_of
from lockleaf.client.search.filters import Facts, fits
from lockleaf.client.search.results import Found, Hit
from lockleaf.client.search.word_index import NOTHING, IndexedEntry, UnusableIndex, WordIndex
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.search.highlights import highlights
from lockleaf.search.languages import Language, language_of
from lockleaf.search.matching import asked_stems, match, match_places
from lockleaf.search.plan import Plan, plan
from lockleaf.search.query import InvalidQuery, parse
from lockleaf.search.ranking import Corpus, coarse, fine

__all__ = ["LocalSearch", "planned", "score_of", "shown"]

_FILE = "search"
_PORTION = 500
_WORTH_KEEPING = 25
"""Entries that changed since the file was written; fewer are looked at again the next time, which takes no time."""
_NO_TEXTS = {"title": "", "body": ""}
_NOWHERE = {"title": dict[str, list[int]](), "body": dict[str, list[int]]()}


def planned(text: str, language: Language) -> Plan:
    """Return what a query means in a language.

    Raises:
        InvalidSearch: it is longer, or nested deeper, than queries may be.
    """
    try:
        return plan(parse(text), language)
    except InvalidQuery:
        raise InvalidSearch from None


def score_of(coarse_score: float, fine_score: float) -> float:
    """Return both parts of a score as one number: whole millionths are the first, what is behind them the second."""
    return coarse_score + fine_score / 1_000_000


def shown(asked: Plan, entry: Entry, score: float) -> Hit | None:
    """Return an entry as a hit, None where its text does not match."""
    found = match(asked, entry.title, entry.body)
    return None if found is None else Hit(entry, score, highlights(asked, entry.title, entry.body, found))


@dataclass(frozen=True, slots=True)
class _Ranked:
    coarse: float
    fine: float
    date: str
    entry_id: str

    @property
    def score(self) -> float:
        return score_of(self.coarse, self.fine)


class LocalSearch:
    """Searches the entries of a store. Methods block, and may be called by any thread.

    The index lies in memory, and sealed in a file beside the store. Whatever is wrong with that file, or has changed
    since it was written, is made good before anything is searched.
    """

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._index: WordIndex | None = None
        self._unkept = 0
        self._lock = threading.Lock()

    @property
    def file(self) -> Path:
        """Where the sealed index lies."""
        return self._store.path.with_name(f"{self._store.path.name}-{_FILE}")

    def find(self, text: str, limit: int | None, newest: bool = False) -> Found:
        """Return the entries that a query finds, best first or newest first; see `Journal.search`."""
        with self._lock:
            index = self._current()
            asked = planned(text, index.language)
            ranked = [] if asked.empty else _ranked(index, asked)
            if newest:
                ranked.sort(key=lambda each: (each.date, each.entry_id), reverse=True)
        hits = self._opened(asked, ranked if limit is None else ranked[:limit])
        return Found(hits, len(ranked), asked.ignored)

    def _opened(self, asked: Plan, ranked: Sequence[_Ranked]) -> tuple[Hit, ...]:
        records = self._store.records.get_many((ENTRIES, each.entry_id) for each in ranked)
        conflicting = self._store.conflicts.record_ids()
        hits = []
        for each in ranked:
            record = records.get((ENTRIES, each.entry_id))
            # Another program may have written meanwhile.
            if record is not None and record.doc is not None and not record.deleted:
                entry = entry_of(record, conflict=record.record_id in conflicting)
                if (hit := shown(asked, entry, each.score)) is not None:
                    hits.append(hit)
        return tuple(hits)

    # ---- the index ----

    def _current(self) -> WordIndex:
        """Return the index, with every write to the store in it."""
        language = language_of(locale_of(self._store))
        index = self._index
        if index is None:
            index = self._read(language)
        elif index.language is not language:
            index = self._begin(language)
        try:
            self._catch_up(index)
        except LookupError:  # of writes that this store does not know of: it was put back to an earlier state
            index = self._begin(language)
            self._catch_up(index)
        if index.is_wasteful:
            index = self._begin(language)
            self._catch_up(index)
        if self._unkept >= _WORTH_KEEPING:
            self._keep(index)
        return index

    def _read(self, language: Language) -> WordIndex:
        with suppress(OSError, StoreDamaged, UnusableIndex):
            packed = self._store.open_beside(_FILE, self.file.read_bytes())
            self._index = WordIndex.unpack(packed, self._store.name, language)
            return self._index
        return self._begin(language)

    def _begin(self, language: Language) -> WordIndex:
        if self._index is not None:
            self._index.close()
        self._index = WordIndex.new(self._store.name, language)
        return self._index

    def _catch_up(self, index: WordIndex) -> None:
        before = index.stamp
        stamp, touched = self._store.records.touched(before)
        if before == NOTHING:
            self._unkept += index.update(_documents(self._store.records.entries()), (), stamp)
            index.compact()
            return
        for first in range(0, len(touched), _PORTION):
            ids = touched[first : first + _PORTION]
            found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in ids)
            present = [each for each in found.values() if each.doc is not None and not each.deleted]
            gone = set(ids) - {each.record_id for each in present}
            self._unkept += index.update(_documents(present), gone, before)
        if touched:
            index.update((), (), stamp)

    def _keep(self, index: WordIndex) -> None:
        """Write the index to its file. Where that cannot be, it is made again the next time."""
        with suppress(OSError, LocalStoreError):
            write_private(self.file, self._store.seal_beside(_FILE, index.pack()))
        self._unkept = 0


def _documents(records: Iterable[StoredRecord]) -> Iterable[IndexedEntry]:
    for record in records:
        entry = entry_of(record, conflict=False)
        yield IndexedEntry(record.record_id, entry.title or "", entry.body, Facts.of(entry))


def _ranked(index: WordIndex, asked: Plan) -> list[_Ranked]:
    """Return the entries that match, in order."""
    documents = index.documents
    places = index.positions(asked_stems(asked))
    frequency = dict.fromkeys(asked.stems, 0)
    for place, fields in places.items():
        if place in documents:
            for stem in fields["title"].keys() | fields["body"].keys():
                if stem in frequency:
                    frequency[stem] += 1
    corpus = Corpus(len(documents), frequency)
    ranked = []
    # Without anything positive, whatever the filters leave is looked at.
    for place in places if asked.positive else documents:
        document = documents.get(place)
        if document is None or not fits(asked.query, document.facts):
            continue
        fields = places.get(place, _NOWHERE)
        found = match_places(asked, _NO_TEXTS, fields)
        if found is not None:
            much = coarse(asked, fields["title"], fields["body"], corpus)
            ranked.append(_Ranked(much, fine(found), document.facts.date, document.entry_id))
    ranked.sort(key=lambda each: each.entry_id)
    ranked.sort(key=lambda each: (each.coarse, each.fine, each.date), reverse=True)
    return ranked

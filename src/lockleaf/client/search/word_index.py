"""The index of the words of all entries, in segments beside the store, of which a search opens what it asks for.

What changes goes into a new segment, and is dead in the one where it stood; small segments are made into one. A
manifest says which segments there are, who is dead in them, and up to which write to the store they are.
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from lockleaf.client.errors import LocalStoreError
from lockleaf.client.records.zone_rules import zone_rules
from lockleaf.client.search.packing import IndexedEntry, Packed, Shape, UnusableIndex, packed
from lockleaf.client.search.sealed_pages import KIND, SealedPages, delete_pages
from lockleaf.client.search.segments import Segment
from lockleaf.client.store import LocalStore
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.crypto.errors import Malformed
from lockleaf.search.languages import Language

__all__ = ["NOTHING", "WordIndex"]

NOTHING = -1
_FORMAT = 3
_MANIFEST = "manifest"
_OF_ALL = b""
_NAME = 16
_MARK = 16
_MOST_SMALL = 8


class WordIndex:
    """The index of one store in one language.

    Args:
        pages: where it is kept; None: in memory, since it cannot be kept.
        language: by which words are brought to stems.
    """

    def __init__(self, store: LocalStore, pages: SealedPages | None, language: Language) -> None:
        self._store = store
        self._pages = pages
        self._fresh: dict[bytes, Packed] = {}
        self._dropped: list[bytes] = []
        self._mark = b""
        self.segments: list[Segment] = []
        self.language = language
        self.stamp = NOTHING
        """Up to which write to the store's entries it is; `NOTHING` while it is new."""
        self.unkept = 0
        """How many changes of entries are in it that are not in the file."""

    @classmethod
    def open(cls, store: LocalStore, path: Path, language: Language) -> WordIndex:
        """Return the index that lies at ``path``.

        Raises:
            UnusableIndex: there is none that can be gone on with.
        """
        if not path.exists():
            raise UnusableIndex
        index = cls(store, SealedPages(store, path), language)
        try:
            index._load()
        except UnusableIndex:
            index.close()
            raise
        return index

    @classmethod
    def new(cls, store: LocalStore, path: Path | None, language: Language) -> WordIndex:
        """Return an empty index, in place of what lies at ``path``.

        Args:
            path: None, or one that cannot be written: it is kept in memory.
        """
        return cls(store, None if path is None else _emptied(store, path), language)

    def _load(self) -> None:
        assert self._pages is not None
        try:
            made_by, self._mark, self.stamp, segments = strict_unpack(self._pages.read(_OF_ALL, _MANIFEST))
            marks = self._store.mark_beside(KIND) or b""
            usable = made_by == self._made_by() and self._mark in (marks[:_MARK], marks[_MARK:])
            if not usable:
                raise UnusableIndex
            self.segments = [self._kept(name, Shape(*shape), set(dead)) for name, shape, dead in segments]
        except (Malformed, TypeError, ValueError):
            raise UnusableIndex from None

    def _kept(self, name: bytes, shape: Shape, dead: set[int]) -> Segment:
        pages = self._pages
        assert pages is not None
        return Segment(name, shape, lambda page: pages.read(name, page), dead)

    def close(self) -> None:
        """Let go of its file."""
        if self._pages is not None:
            self._pages.close()

    @property
    def in_place(self) -> bool:
        """Whether its file is still the one that lies there."""
        return self._pages is None or self._pages.in_place

    @property
    def live(self) -> int:
        """How many entries it has."""
        return sum(each.live for each in self.segments)

    # ---- keeping it up ----

    def update(self, entries: Iterable[IndexedEntry], gone: Iterable[str], stamp: int) -> None:
        """Take in entries as they are now, and take out those that are ``gone``.

        Args:
            entries: new ones and changed ones; those that are there as they are stay.
            gone: ids.
            stamp: up to which write to the store's entries it is from now on.
        """
        where = {segment.ids[number]: (segment, number) for segment in self.segments for number in segment.numbers()}

        def changed() -> Iterable[IndexedEntry]:
            for each in entries:
                found = where.pop(each.entry_id, None)
                if found is not None:
                    segment, number = found
                    if segment.digest(number) == each.digest:
                        continue
                    self._bury(segment, number)
                self.unkept += 1
                yield each

        self._add(changed())
        for entry_id in gone:
            if (found := where.get(entry_id)) is not None:
                self._bury(*found)
                self.unkept += 1
        self.stamp = stamp

    def _bury(self, segment: Segment, number: int) -> None:
        segment.dead.add(number)

    def _add(self, entries: Iterable[IndexedEntry]) -> None:
        for each in packed(entries, self.language):
            name = os.urandom(_NAME)
            self._fresh[name] = each
            self.segments.append(Segment(name, each.shape, each.read, set()))

    def merge(self, load: Callable[[Sequence[str]], Iterable[IndexedEntry]]) -> None:
        """Make segments into one where too many are small, and drop those of which all is dead.

        Args:
            load: gives those entries of these ids that are there.
        """
        small = sorted((each for each in self.segments if each.is_small), key=lambda each: each.live)
        chosen = small[:_MOST_SMALL] if len(small) > _MOST_SMALL else [each for each in small if not each.live]
        if not chosen:
            return
        ids = [each.ids[number] for each in chosen for number in each.numbers()]
        self._add(load(ids))
        for each in chosen:
            self.segments.remove(each)
            if self._fresh.pop(each.name, None) is None:
                self._dropped.append(each.name)

    # ---- the file ----

    def keep(self) -> bool:
        """Write what is new to the file; tell whether it is there now.

        Raises:
            UnusableIndex: another program has written another index there, or the file is damaged.
        """
        if self._pages is None or not self._pages.writable:
            return False
        mark = os.urandom(_MARK)
        try:
            with self._pages.transaction():
                self._require_same()
                for name, each in self._fresh.items():
                    self._pages.write(name, each.pages)
                self._pages.delete(self._dropped)
                segments = [
                    [each.name, [each.shape.count, each.shape.size, each.shape.parts], sorted(each.dead)]
                    for each in self.segments
                ]
                manifest = pack([self._made_by(), mark, self.stamp, segments])
                self._pages.write(_OF_ALL, {_MANIFEST: manifest})
                # A store that is put back to before this counts its writes anew from there, and has not this mark. If
                # the program ends here, it has that of the present file as well.
                self._store.set_mark_beside(KIND, self._mark + mark if self._mark else mark + mark)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise UnusableIndex from None
            return False
        except LocalStoreError:
            return False
        self._mark = mark
        self.segments = [
            self._kept(each.name, each.shape, each.dead) if each.name in self._fresh else each for each in self.segments
        ]
        self._fresh, self._dropped, self.unkept = {}, [], 0
        return True

    def _require_same(self) -> None:
        """Make sure that the file is as it was when it was read."""
        assert self._pages is not None
        there = b""
        with suppress(UnusableIndex, Malformed):
            there = strict_unpack(self._pages.read(_OF_ALL, _MANIFEST))[1]
        if there != self._mark:
            raise UnusableIndex

    def _made_by(self) -> list[object]:
        return [
            _FORMAT,
            self._store.name,
            self.language.name,
            # Other versions of these cut texts into other words, or bring words to other stems.
            version("snowballstemmer"),
            unicodedata.unidata_version,
            zone_rules(),
        ]


def _emptied(store: LocalStore, path: Path) -> SealedPages | None:
    """The file at ``path`` without a page, or as a new one; None where it cannot be written."""
    for _ in range(2):
        pages = None
        try:
            pages = SealedPages(store, path)
            if pages.writable:
                pages.clear()
                return pages
        except (UnusableIndex, sqlite3.Error):
            pass
        if pages is not None:
            pages.close()
        delete_pages(path)
    return None

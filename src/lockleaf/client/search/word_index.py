"""An index of the words of all entries: SQLite's FTS5, in memory, with the place of every word.

It holds stems, not texts, written as plain ASCII so that FTS5 takes them as they are. A changed entry gets a new place,
and what stands at its old one is passed over: FTS5 cannot take out what it was not told again. Once too much of it is
such waste the index is made anew.
"""

from __future__ import annotations

import functools
import hashlib
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from importlib.metadata import version

from lockleaf.client.search.filters import Facts
from lockleaf.search.languages import Language
from lockleaf.search.terms import positions

__all__ = ["NOTHING", "IndexedEntry", "Placed", "UnusableIndex", "WordIndex"]

_FORMAT = 2
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    place INTEGER PRIMARY KEY,
    entry_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    date TEXT NOT NULL,
    mood TEXT NOT NULL,
    source TEXT NOT NULL,
    tags TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE stems USING fts5(title, body, content='', columnsize=0, tokenize='ascii');
CREATE VIRTUAL TABLE places USING fts5vocab(stems, instance);
"""
NOTHING = -1
_STOP_WORD = "0"
_DIGEST = 16
_WASTE = 200
"""So many places may be waste whatever the size of the index; beyond it, a third of them."""

Positions = dict[str, list[int]]
"""Of each stem, the positions of the words that have it."""


class UnusableIndex(Exception):
    """It was made by another version of the program, of another store, in another language, or is damaged."""


@dataclass(frozen=True, slots=True)
class IndexedEntry:
    """An entry, as it is to be indexed."""

    entry_id: str
    title: str
    body: str
    facts: Facts

    @property
    def digest(self) -> bytes:
        """What tells whether anything of it has changed."""
        parts = "\0".join((self.title, *astuple(self.facts), self.body))
        return hashlib.sha256(parts.encode(errors="surrogatepass")).digest()[:_DIGEST]


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry in the index."""

    entry_id: str
    facts: Facts


class WordIndex:
    """The index of one store in one language.

    Args:
        connection: to a database in memory that has its tables.
        language: by which words are brought to stems.
    """

    def __init__(self, connection: sqlite3.Connection, language: Language) -> None:
        self._connection = connection
        self._documents: dict[int, Placed] | None = None
        self.language = language

    @classmethod
    def new(cls, store: bytes, language: Language) -> WordIndex:
        """Return an empty index.

        Args:
            store: what tells the store from others.
            language: by which words are brought to stems.
        """
        index = cls(_in_memory(), language)
        index._connection.executescript(_SCHEMA)
        index._connection.executemany(
            "INSERT INTO facts VALUES (?, ?)", [*_made_by(store, language).items(), ("stamp", NOTHING)]
        )
        index._connection.commit()
        return index

    @classmethod
    def unpack(cls, data: bytes, store: bytes, language: Language) -> WordIndex:
        """Return the index that `pack` gave.

        Raises:
            UnusableIndex: it cannot be gone on with.
        """
        if not data:
            raise UnusableIndex
        connection = _in_memory()
        try:
            connection.deserialize(data)
            found = dict(connection.execute("SELECT name, value FROM facts"))
            index = cls(connection, language)
            usable = _made_by(store, language).items() <= found.items() and isinstance(found.get("stamp"), int)
        except (sqlite3.Error, OverflowError):
            usable = False
        if not usable:
            connection.close()
            raise UnusableIndex
        return index

    def pack(self) -> bytes:
        """Return the whole index."""
        return self._connection.serialize()

    def close(self) -> None:
        """Let go of its memory."""
        self._connection.close()

    @property
    def stamp(self) -> int:
        """Up to which write to the store's entries it is; `NOTHING` while it is new."""
        return int(self._connection.execute("SELECT value FROM facts WHERE name = 'stamp'").fetchone()[0])

    @property
    def is_wasteful(self) -> bool:
        """Whether so much of it is of entries as they were that it should be made anew."""
        (live,) = self._connection.execute("SELECT count(*) FROM documents").fetchone()
        return self._last_place() - int(live) > max(_WASTE, int(live) // 2)

    def _last_place(self) -> int:
        """The place that was given last. None is given twice: what stands at it is not taken out."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = 'place'").fetchone()
        return 0 if found is None else int(found[0])

    # ---- keeping it up ----

    def update(self, documents: Iterable[IndexedEntry], gone: Iterable[str], stamp: int) -> int:
        """Take in entries as they are now, and take out those that are ``gone``; return how many of both changed it.

        Args:
            documents: new ones and changed ones; those that are there as they are stay.
            gone: ids.
            stamp: up to which write to the store's entries it is from now on.
        """
        changed = 0
        self._documents = None
        place = self._last_place()
        with self._connection:
            execute = self._connection.execute
            for entry_id in gone:
                changed += execute("DELETE FROM documents WHERE entry_id = ?", (entry_id,)).rowcount
            for each in documents:
                digest = each.digest
                found = execute("SELECT digest FROM documents WHERE entry_id = ?", (each.entry_id,)).fetchone()
                if found is not None and found[0] == digest:
                    continue
                changed += 1
                place += 1
                execute(
                    "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (place, each.entry_id, digest, *astuple(each.facts)),
                )
                execute(
                    "INSERT INTO stems (rowid, title, body) VALUES (?, ?, ?)",
                    (place, self._written(each.title), self._written(each.body)),
                )
            execute("INSERT OR REPLACE INTO facts VALUES ('stamp', ?), ('place', ?)", (stamp, place))
        return changed

    def compact(self) -> None:
        """Bring it to its smallest form; after many entries were taken in."""
        with self._connection:
            self._connection.execute("INSERT INTO stems (stems) VALUES ('optimize')")
        self._connection.execute("VACUUM")

    def _written(self, text: str) -> str:
        return " ".join(map(_coded, positions(text, self.language)))

    # ---- asking ----

    @property
    def documents(self) -> Mapping[int, Placed]:
        """All entries, by their places."""
        if self._documents is None:
            rows = self._connection.execute("SELECT place, entry_id, date, mood, source, tags FROM documents")
            self._documents = {place: Placed(entry_id, Facts(*facts)) for place, entry_id, *facts in rows}
        return self._documents

    def positions(self, stems: Iterable[str]) -> dict[int, Mapping[str, Positions]]:
        """Return where stems stand: by place of the entry, by field, by stem. Waste is among the places."""
        found: dict[int, Mapping[str, Positions]] = {}
        for stem in stems:
            for place, field, at in self._instances(stem):
                fields = found.get(place)
                if fields is None:
                    fields = found[place] = {"title": {}, "body": {}}
                fields[field].setdefault(stem, []).append(at)
        return found

    def _instances(self, stem: str) -> Iterator[tuple[int, str, int]]:
        return self._connection.execute('SELECT doc, col, "offset" FROM places WHERE term = ?', (_coded(stem),))


def _in_memory() -> sqlite3.Connection:
    # Used by any thread, one at a time: whoever holds it has a lock.
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    # Nothing of it is ever written to a file by SQLite itself.
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _made_by(store: bytes, language: Language) -> dict[str, bytes | str | int]:
    return {
        "format": _FORMAT,
        "store": store,
        "language": language.name,
        # Other versions of these cut texts into other words, or bring words to other stems.
        "stemmer": version("snowballstemmer"),
        "unicode": unicodedata.unidata_version,
    }


@functools.lru_cache(maxsize=65536)
def _coded(stem: str | None) -> str:
    """A stem as a word of ASCII letters and digits, which FTS5 does not alter; a stop word keeps its place."""
    if stem is None:
        return _STOP_WORD
    if stem.isascii() and stem.isalnum():
        return f"a{stem}"
    return f"b{stem.encode(errors='surrogatepass').hex()}"

"""Where the index of words is kept: sealed pages in an SQLite file of their own, beside the store.

SQLite sees bytes under names that say nothing of a word, and keeps what is written together or not at all. Each page is
sealed under the store's key for its place, so that none can stand in another's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.search.packing import Pages, UnusableIndex
from lockleaf.client.store import LocalStore
from lockleaf.client.store.read_only import may_write

__all__ = ["KIND", "SealedPages", "delete_pages"]

KIND = "search"
_SCHEMA = "CREATE TABLE IF NOT EXISTS pages (segment BLOB NOT NULL, page TEXT NOT NULL, sealed BLOB NOT NULL)"
_INDEX = "CREATE UNIQUE INDEX IF NOT EXISTS pages_place ON pages (segment, page)"
_WAIT = 2.0
_CACHE_KIB = 1024


class SealedPages:
    """The pages of one index. Used by any thread, one at a time.

    Args:
        store: seals and opens.
        path: the file.

    Raises:
        UnusableIndex: it is no file of such pages, or there is none and none can be made.
    """

    def __init__(self, store: LocalStore, path: Path) -> None:
        self._store = store
        self._path = path
        self.writable = may_write(path) if path.exists() else os.access(path.parent, os.W_OK)
        try:
            self._connection = self._connected(path)
        except (OSError, sqlite3.Error):
            raise UnusableIndex from None
        try:
            self._prepare()
        except sqlite3.Error:
            self._connection.close()
            raise UnusableIndex from None
        self._file = _identity(path)

    @property
    def in_place(self) -> bool:
        """Whether its file is still the one that lies there: new keys delete it."""
        return self._file is not None and self._file == _identity(self._path)

    def _connected(self, path: Path) -> sqlite3.Connection:
        if self.writable:
            # SQLite gives its journal the mode of the file.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        place = f"file:{quote(str(path))}{'' if self.writable else '?immutable=1'}"
        return sqlite3.connect(place, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if self.writable:
            execute("PRAGMA temp_store=MEMORY")
            # What a loss of power takes is made again; what it tears does not open.
            execute("PRAGMA synchronous=NORMAL")
            execute(_SCHEMA)
            execute(_INDEX)

    def read(self, segment: bytes, page: str) -> bytes:
        """Return a page.

        Raises:
            UnusableIndex: there is none, or not the one that was written there.
        """
        try:
            row = self._connection.execute(
                "SELECT sealed FROM pages WHERE segment = ? AND page = ?", (segment, page)
            ).fetchone()
            if row is not None and isinstance(row[0], bytes):
                return self._store.open_beside(_place(segment, page), row[0])
        except (sqlite3.Error, StoreDamaged):
            raise UnusableIndex from None
        raise UnusableIndex

    def write(self, segment: bytes, pages: Pages) -> None:
        """Write pages of a segment, over those that are there; within `transaction`."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO pages (segment, page, sealed) VALUES (?, ?, ?)",
            (
                (segment, page, self._store.seal_beside(_place(segment, page), data))
                for page, data in sorted(pages.items())
            ),
        )

    def delete(self, segments: Iterable[bytes]) -> None:
        """Delete all pages of segments; within `transaction`."""
        self._connection.executemany("DELETE FROM pages WHERE segment = ?", ((each,) for each in segments))

    def clear(self) -> None:
        """Delete every page.

        Raises:
            sqlite3.Error: the file is damaged, or another program is writing.
        """
        with self.transaction():
            self._connection.execute("DELETE FROM pages")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is written within, or nothing.

        Raises:
            sqlite3.Error: it cannot be kept, or another program is writing.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _place(segment: bytes, page: str) -> str:
    return f"{KIND}/{segment.hex()}/{page}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def delete_pages(path: Path) -> None:
    """Delete the file ``path`` of an index, and what SQLite keeps beside it; where that cannot be, it stays."""
    for file in (path, path.with_name(f"{path.name}-journal")):
        with suppress(OSError):
            file.unlink()

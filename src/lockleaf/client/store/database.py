"""The SQLite file under the local store: one connection, real transactions, errors by name."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lockleaf.client.errors import (
    DiskFull,
    JournalMoved,
    LocalStoreError,
    ReadOnlyFolder,
    StoreDamaged,
    StoreLocked,
    SyncAlreadyRunning,
)
from lockleaf.client.profile.private_files import full_disk_by_name, locked
from lockleaf.client.store.read_only import ReadOnlyFile, may_write
from lockleaf.client.store.schema import SCHEMA, SCHEMA_VERSION, UPGRADES

__all__ = ["Database", "account_of"]

BUSY_SECONDS = 15.0
_FULL = {sqlite3.SQLITE_FULL}
# A quota, a limit on the size of files, and a full disk when the index of the WAL is made are told in this way.
_REFUSED = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def _named(error: sqlite3.Error) -> LocalStoreError:
    """The error of ours for one of SQLite's. Its text is dropped: it may quote values."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in _FULL or extended in _REFUSED:
        return DiskFull()
    if code == sqlite3.SQLITE_READONLY:
        return ReadOnlyFolder()
    if code in _LOCKED:
        return StoreLocked()
    if code in _DAMAGED:
        return StoreDamaged()
    return LocalStoreError(getattr(error, "sqlite_errorname", type(error).__name__))


@contextmanager
def _errors_by_name() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _named(error) from None


class Database:
    """One SQLite file with one connection, used by any thread, one at a time.

    WAL lets a reader in another process go on while this one writes; ``synchronous=FULL`` means that a committed
    transaction survives the loss of power.

    Args:
        path: the file. Made with mode 0600 when ``create``; otherwise it must be there. One in a folder that takes no
            writes, such as a backup, is read, and nothing is put beside it.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._watched, self._account, self._closed = False, None, False
        if create:
            with full_disk_by_name():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                # SQLite gives its WAL and index the mode of the main file.
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        elif not path.exists():
            raise StoreDamaged("the file is not there")
        self._read_only = None if may_write(path) else ReadOnlyFile(path)
        with _errors_by_name():
            self._connection = self._connected()
        try:
            with _errors_by_name():
                self._prepare()
            self._watched, self._account = True, self.account()
        except BaseException:
            self.close()
            raise

    def _connected(self) -> sqlite3.Connection:
        if self._read_only is not None:
            return self._read_only.connect()
        return sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )

    def _prepare(self) -> None:
        execute = self._connection.execute
        if self._read_only is not None:
            execute("PRAGMA query_only=ON")
            if self._version() != SCHEMA_VERSION:
                raise ReadOnlyFolder("the journal was written by another version of Lockleaf")
            return
        execute("PRAGMA journal_mode=WAL")
        execute("PRAGMA synchronous=FULL")
        execute("PRAGMA foreign_keys=ON")
        execute("PRAGMA trusted_schema=OFF")
        # What was deleted or replaced is overwritten, not left in free pages.
        execute("PRAGMA secure_delete=ON")
        if self._version() == SCHEMA_VERSION:
            return
        with self.transaction():
            # Another process may have been faster.
            version = self._version()
            if version == 0:
                self._run(SCHEMA)
            elif version in range(1, SCHEMA_VERSION + 1):
                for earlier in range(version, SCHEMA_VERSION):
                    self._run(UPGRADES[earlier])
            else:
                raise LocalStoreError("it was written by another version of Lockleaf")
            execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _run(self, statements: str) -> None:
        for statement in statements.split(";\n"):
            self._connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: whatever is written within is there after it, or, with any exception, none of it.

        Within another transaction of the same thread it is part of that one.

        Raises:
            StoreLocked: another process kept the file for longer than 15 seconds.
            DiskFull: there is no space.
            ReadOnlyFolder: something is written, and the file may only be read.
        """
        with self._lock, _errors_by_name():
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN" if self._read_only is not None else "BEGIN IMMEDIATE")
            self._depth = 1
            try:
                self.require_same_account()
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    def account(self) -> str | None:
        """Return the id of the account under whose keys a journal was put that had been begun without one."""
        row = self.row("SELECT value FROM properties WHERE name = 'account'")
        return row[0] if row else None

    def set_account(self, user_id: str) -> None:
        """Note, in the transaction that seals everything anew, under which account's keys that is."""
        self.write("INSERT INTO properties (name, value) VALUES ('account', ?)", (user_id,))
        self.watch_account()

    def watch_account(self) -> None:
        """Take what is noted for what this program knows."""
        self._account = self.account()

    def require_same_account(self) -> None:
        """Make sure that the keys that this program knows are still those of the file.

        Raises:
            JournalMoved: another program put it under an account's keys.
        """
        if not self._watched or (self._closed and not self.path.exists()):
            return
        # A draft may be sealed after the store was closed.
        if (account_of(self.path) if self._closed else self.account()) != self._account:
            raise JournalMoved

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """Within, what another process keeps is not waited for.

        Raises:
            StoreLocked: another process is writing.
        """
        with self._lock:
            self._connection.execute("PRAGMA busy_timeout=0")
            try:
                yield
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._lock, _errors_by_name():
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        with self._lock, _errors_by_name():
            return self._connection.execute(sql, parameters).fetchone()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement that writes, in the transaction that is open or in its own; return the rows it touched."""
        with self.transaction():
            return self._connection.execute(sql, parameters).rowcount

    def write_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of ``parameters``, in the transaction that is open or in its own."""
        with self.transaction():
            self._connection.executemany(sql, parameters)

    def check(self) -> None:
        """Read the whole file.

        Raises:
            StoreDamaged: it is not as SQLite left it.
        """
        if self.row("PRAGMA quick_check")[0] != "ok":
            raise StoreDamaged

    @contextmanager
    def only_sync(self) -> Iterator[None]:
        """Hold the right to sync this file among all processes.

        Raises:
            SyncAlreadyRunning: somebody else holds it.
        """
        with locked(self.path.with_name(self.path.name + ".sync"), otherwise=SyncAlreadyRunning):
            yield

    def close(self) -> None:
        """Close the file. Nothing of the store can be used afterwards."""
        with self._lock:
            self._closed = True
            self._connection.close()
            if self._read_only is not None:
                self._read_only.close()


def account_of(path: Path) -> str | None:
    """Return the id of the account under whose keys the store at ``path`` was put; needs no key.

    None of one that has no account yet, and of one that began with an account.
    """
    database = Database(path)
    try:
        return database.account()
    finally:
        database.close()

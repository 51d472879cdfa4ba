"""The local store as a whole: one file, one keyring, and the stores of its tables."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lockleaf.client.errors import LocalStoreError, StoreDamaged
from lockleaf.client.store.accepted_payloads import AcceptedPayloads
from lockleaf.client.store.database import Database
from lockleaf.client.store.media_queue import MediaQueue
from lockleaf.client.store.open_conflicts import ConflictStore
from lockleaf.client.store.outbox import Outbox
from lockleaf.client.store.record_table import Records
from lockleaf.client.store.replaced_texts import EarlierStore
from lockleaf.client.store.schema import SEALED_COLUMNS
from lockleaf.client.store.sealing import LocalSeal, place
from lockleaf.client.store.verified_history import HistoryStore
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.keyring import Keyring
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.store import contributions, inbox_items
else:
    # What is written and read every day asks for neither.
    contributions = late("lockleaf.client.store.contributions")
    inbox_items = late("lockleaf.client.store.inbox_items")

__all__ = ["LocalStore", "SealAnew", "holds_alone", "local_keys"]

_KEYRING = "keyring"
SealAnew = Callable[[str, bytes], bytes]
"""Takes the name of a file beside the store and its sealed bytes, and returns them under the keys to come."""
BESIDE = ("search", "search-journal", "order")
"""Files beside the store, sealed as it is, that are made of what is in it: the index of words, the order of dates."""


def local_keys(keyring: Keyring) -> dict[int, bytes]:
    """Return the local keys (32 bytes each) by key id: what the keychain holds, and `LocalStore.open` takes."""
    return {entry.key_id: entry.local_key for entry in keyring.entries}


def holds_alone(path: Path) -> bool:
    """Tell whether the store at ``path`` may hold what is nowhere else; needs no key.

    That is so where an edit or a file was never sent, where a text was replaced before a server had it, and where the
    server's history was last found wrong: then nothing here is known to be there.
    """
    if not path.exists():
        return False
    try:
        database = Database(path)
    except LocalStoreError:
        return True
    try:
        if HistoryStore(database).doubt() is not None:
            return True
        waiting = "SELECT EXISTS (SELECT 1 FROM records WHERE pending) OR EXISTS (SELECT 1 FROM outbox)"
        waiting += " OR EXISTS (SELECT 1 FROM media WHERE state = 'upload') OR EXISTS (SELECT 1 FROM earlier)"
        return bool(database.row(waiting)[0])
    except LocalStoreError:
        return True
    finally:
        database.close()


class LocalStore:
    """The journal as it lies on this device, content sealed under the local key.

    ``records``, ``outbox``, ``accepted``, ``conflicts``, ``earlier``, ``inbox``, ``contributions``, ``media`` and
    ``history`` are its parts; `transaction` binds writes in several of them together. Methods block; asynchronous
    callers run them in a thread.
    """

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal
        seal.ask_first = database.require_same_account
        self.records = Records(database, seal)
        self.outbox = Outbox(database, seal)
        self.accepted = AcceptedPayloads(database)
        self.conflicts = ConflictStore(database, seal)
        self.earlier = EarlierStore(database, seal)
        self.media = MediaQueue(database, seal)
        self.history = HistoryStore(database)
        packed = self.get_secret(_KEYRING)
        if packed is None:
            raise StoreDamaged("it has no keyring")
        try:
            self._keyring = Keyring.unpack(packed)
        except Malformed:
            raise StoreDamaged from None

    @cached_property
    def inbox(self) -> inbox_items.InboxStore:
        """What arrived for the account and waits for a decision."""
        return inbox_items.InboxStore(self._database)

    @cached_property
    def contributions(self) -> contributions.Contributions:
        """What stands in the sums that the server keeps, and what is to be told of it."""
        return contributions.Contributions(self._database, self._seal)

    @classmethod
    def create(cls, path: Path, keyring: Keyring) -> LocalStore:
        """Make a new store for ``keyring``; a file that is there, and what lies beside it, is replaced.

        Raises:
            DiskFull: there is no space.
        """
        for name in (path.name, *(f"{path.name}-{kind}" for kind in ("wal", "shm", "journal", *BESIDE))):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(name).unlink()
        database = Database(path, create=True)
        seal = LocalSeal(local_keys(keyring))
        try:
            database.write(
                "INSERT INTO secrets (name, sealed) VALUES (?, ?)",
                (_KEYRING, seal.seal(place("secrets", "sealed", _KEYRING), keyring.pack())),
            )
            return cls(database, seal)
        except BaseException:
            database.close()
            raise

    @classmethod
    def open(cls, path: Path, local_keys: Mapping[int, bytes]) -> LocalStore:
        """Open the store at ``path`` with the local keys (32 bytes each) by key id.

        Raises:
            StoreDamaged: there is no store, it is damaged, or other keys seal it.
            StoreLocked: another process keeps it.
        """
        if not local_keys:
            raise StoreDamaged("no key is given")
        database = Database(path)
        try:
            return cls(database, LocalSeal(local_keys))
        except BaseException:
            database.close()
            raise

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def keyring(self) -> Keyring:
        """The account's keyring, as it was last kept here."""
        return self._keyring

    def rekey(self, keyring: Keyring) -> None:
        """Keep ``keyring`` in place of the present one, and seal every row again under its newest local key.

        All in one transaction: after a crash either the old keys open the store or the new ones.
        """
        keys = local_keys(self._keyring) | local_keys(keyring)
        both, new = LocalSeal(keys), LocalSeal({keyring.newest.key_id: keyring.newest.local_key})
        with self._database.transaction():
            self._seal_all_again(keyring, both, new)
            if keyring.newest.key_id != self._keyring.newest.key_id:
                self.history.forget_own_checkpoint()
            self._keyring = keyring
            self._seal.adopt(both)
        self._drop_beside()

    def move(self, keyring: Keyring, user_id: str, change: Callable[[SealAnew], None]) -> None:
        """Put the journal of no account under the keys of an account, and never under both: their ids are the same.

        All in one transaction. Other programs that have the store open raise `JournalMoved` from then on.

        Args:
            user_id: of the account.
            change: called first, within the transaction, for what is to be otherwise there.
        """
        before, present = self._keyring, LocalSeal(local_keys(self._keyring))
        new = LocalSeal(local_keys(keyring))

        def seal_anew(name: str, sealed: bytes) -> bytes:
            where = place("beside", name)
            return new.seal(where, present.open(where, sealed))

        try:
            with self._database.transaction():
                change(seal_anew)
                self._seal_all_again(keyring, present, new)
                self._database.set_account(user_id)
                self._keyring = keyring
                self._seal.adopt(new)
        except BaseException:
            self._keyring = before
            self._seal.adopt(present)
            self._database.watch_account()
            raise
        self._drop_beside()

    def _seal_all_again(self, keyring: Keyring, old: LocalSeal, new: LocalSeal) -> None:
        self._store_secret(_KEYRING, keyring.pack(), old)
        for table, identity, columns in SEALED_COLUMNS:
            for column in columns:
                self._seal_again(table, identity, column, old, new)

    def _drop_beside(self) -> None:
        """Delete what would be left under the old key. It is made again from what is in the store."""
        for kind in BESIDE:
            self.path.with_name(f"{self.path.name}-{kind}").unlink(missing_ok=True)

    def _seal_again(self, table: str, identity: tuple[str, ...], column: str, old: LocalSeal, new: LocalSeal) -> None:
        names = ", ".join(identity)
        rows = self._database.rows(f"SELECT {column}, {names} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608
        condition = " AND ".join(f"{name} = ?" for name in identity)
        self._database.write_many(
            f"UPDATE {table} SET {column} = ? WHERE {condition}",  # noqa: S608
            [
                (new.seal(place(table, column, *row), old.open(place(table, column, *row), sealed)), *row)
                for sealed, *row in rows
            ],
        )

    def get_secret(self, name: str) -> bytes | None:
        """Return a secret that was kept with `set_secret`."""
        row = self._database.row("SELECT sealed FROM secrets WHERE name = ?", (name,))
        return self._seal.open(place("secrets", "sealed", name), row[0]) if row else None

    def set_secret(self, name: str, value: bytes | None) -> None:
        """Keep ``value`` sealed under ``name``; None forgets it."""
        if name == _KEYRING:
            raise ValueError("the keyring is replaced by rekey")
        self._store_secret(name, value, self._seal)

    def _store_secret(self, name: str, value: bytes | None, seal: LocalSeal) -> None:
        if value is None:
            self._database.write("DELETE FROM secrets WHERE name = ?", (name,))
            return
        self._database.write(
            "INSERT OR REPLACE INTO secrets (name, sealed) VALUES (?, ?)",
            (name, seal.seal(place("secrets", "sealed", name), value)),
        )

    @property
    def name(self) -> bytes:
        """What tells this store from every other one, 16 random bytes."""
        return bytes(self._database.row("SELECT value FROM properties WHERE name = 'store'")[0])

    def mark_beside(self, name: str) -> bytes | None:
        """Return what `set_mark_beside` last kept for a file of this ``name`` beside the store."""
        row = self._database.row("SELECT value FROM properties WHERE name = ?", (f"beside {name}",))
        return bytes(row[0]) if row else None

    def set_mark_beside(self, name: str, mark: bytes) -> None:
        """Keep a ``mark``, random bytes that are in the file too: a store put back to before then has another one.

        Raises:
            StoreLocked: another process is writing; it is not waited for.
        """
        with self._database.without_waiting():
            self._database.write("INSERT OR REPLACE INTO properties VALUES (?, ?)", (f"beside {name}", mark))

    def seal_beside(self, name: str, data: bytes) -> bytes:
        """Return ``data`` sealed, for a file of this ``name`` beside the store.

        Raises:
            JournalMoved: another program put the journal under an account's keys.
        """
        self._database.require_same_account()
        return self._seal.seal(place("beside", name), data)

    def open_beside(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed with `seal_beside` for a file of this ``name``.

        Raises:
            StoreDamaged: the bytes were altered, or sealed under a key that is not here.
        """
        return self._seal.open(place("beside", name), sealed)

    def transaction(self) -> AbstractContextManager[None]:
        """All writes within are kept together or not at all."""
        return self._database.transaction()

    def only_sync(self) -> AbstractContextManager[None]:
        """Hold the right to sync this store among all processes.

        Raises:
            SyncAlreadyRunning: another sync holds it.
        """
        return self._database.only_sync()

    def check(self) -> None:
        """Read the whole file.

        Raises:
            StoreDamaged: it is not as it was written.
        """
        self._database.check()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

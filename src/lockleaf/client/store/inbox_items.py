"""Inbox items on this device: kept as the server gave them, so that they can be looked at and decided without it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from lockleaf.client.store.database import Database

__all__ = ["InboxState", "InboxStore", "StoredInboxItem"]

InboxState = Literal["waiting", "accepted", "refused"]

_COLUMNS = "item_id, provider, received_at, item, state, record_id, detached"


@dataclass(frozen=True, slots=True)
class StoredInboxItem:
    """One item.

    ``item`` is the age file to the account's recipient. ``state`` is ``waiting`` until the user decides, and then the
    decision until the server knows of it; ``record_id`` is the entry that an accepted one became. ``detached``: the
    server does not have it any more, although nobody decided.
    """

    item_id: str
    provider: str
    received_at: str
    item: bytes
    state: InboxState = "waiting"
    record_id: str | None = None
    detached: bool = False


class InboxStore:
    """Reads and writes items. The keyring alone opens them, so that they are sealed at rest as they came."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, items: Iterable[StoredInboxItem]) -> None:
        """Keep items; those that are there already stay as they are."""
        self._database.write_many(
            f"INSERT OR IGNORE INTO inbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            [
                (
                    item.item_id,
                    item.provider,
                    item.received_at,
                    item.item,
                    item.state,
                    item.record_id,
                    item.detached,
                )
                for item in items
            ],
        )

    def in_state(self, *states: InboxState) -> list[StoredInboxItem]:
        """Return the items in ``states``, oldest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM inbox WHERE state IN ({', '.join('?' * len(states))})"  # noqa: S608
            " ORDER BY received_at, item_id",
            states,
        )
        return [_read(row) for row in rows]

    def ids(self) -> set[str]:
        """Return the ids of all items, in whatever state."""
        return {row[0] for row in self._database.rows("SELECT item_id FROM inbox")}

    def count(self) -> int:
        """Return how many items wait for a decision."""
        return int(self._database.row("SELECT count(*) FROM inbox WHERE state = 'waiting'")[0])

    def decide(self, item_id: str, state: InboxState, record_id: str | None = None) -> None:
        """Keep a decision; a detached item is then done with, since nobody has to be told."""
        self._database.write("UPDATE inbox SET state = ?, record_id = ? WHERE item_id = ?", (state, record_id, item_id))
        self._database.write("DELETE FROM inbox WHERE item_id = ? AND detached AND state <> 'waiting'", (item_id,))

    def keep_only(self, listed: Set[str]) -> None:
        """Forget what the server lists no more: another device decided. Detached items stay."""
        absent = self.ids() - listed
        self._database.write_many(
            "DELETE FROM inbox WHERE item_id = ? AND NOT detached", [(item_id,) for item_id in absent]
        )
        self._database.write_many("UPDATE inbox SET detached = 0 WHERE item_id = ?", [(each,) for each in listed])

    def remove(self, item_ids: Iterable[str]) -> None:
        """Forget items."""
        self._database.write_many("DELETE FROM inbox WHERE item_id = ?", [(item_id,) for item_id in item_ids])

    def detach(self, *, decided: bool) -> None:
        """Keep what waits though the server may have given it up.

        Args:
            decided: what somebody decided about is done with.
        """
        if decided:
            self._database.write("DELETE FROM inbox WHERE state <> 'waiting'")
        self._database.write("UPDATE inbox SET detached = 1 WHERE state = 'waiting'")


def _read(row: Sequence[Any]) -> StoredInboxItem:
    return StoredInboxItem(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]))

"""Conflicts: versions of a record that could not be merged and wait for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from lockleaf.client.store.database import Database
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.sealing import LocalSeal, place

__all__ = ["ConflictStore", "StoredConflict", "conflict_id_of"]

_COLUMNS = (
    "conflict_id, server_id, collection, record_id, base_revision, deleted, device_id, detected_at, own, state, doc,"
    " parent, first_id, written_at, sealed_parent, payload_hash, key_id, authentic"
)


def conflict_id_of(payload_hash: bytes) -> str:
    """Return the id under which every device shows the conflict of the version with this payload hash."""
    return payload_hash[:16].hex()


@dataclass(slots=True)
class StoredConflict:
    """A version that was refused by a merge.

    ``content`` is None for a deletion. ``own`` is a version written on this device. ``state``: ``open`` until the user
    decides, ``resolved`` until the server knows, then ``closed``; a closed one of this device keeps its text.
    ``parent`` is the payload hash of the revision that it follows, as long as it is still to be sealed for the server;
    ``first_id`` is the id that it had until then. ``written_at``, ``sealed_parent``, ``payload_hash`` and ``key_id``
    are of its sealed form. Not ``authentic`` is what a retired key sealed and this device had not seen before: whoever
    has an old keyring can have made it.
    """

    conflict_id: str
    server_id: str | None
    collection: str
    record_id: str
    base_revision: int
    deleted: bool
    device_id: str
    detected_at: str
    own: bool
    state: Literal["open", "resolved", "closed"]
    content: dict[str, Any] | None
    parent: bytes | None = None
    first_id: str | None = None
    written_at: str | None = None
    sealed_parent: bytes | None = None
    payload_hash: bytes | None = None
    key_id: int = 0
    authentic: bool = True


class ConflictStore:
    """Reads and writes conflicts; content passes through the local seal."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    def put(self, conflict: StoredConflict) -> None:
        """Write one conflict whole."""
        self._database.write(
            f"INSERT OR REPLACE INTO conflicts ({_COLUMNS}) VALUES ({', '.join('?' * 18)})",  # noqa: S608
            (
                conflict.conflict_id,
                conflict.server_id,
                conflict.collection,
                conflict.record_id,
                conflict.base_revision,
                conflict.deleted,
                conflict.device_id,
                conflict.detected_at,
                conflict.own,
                conflict.state,
                self._seal.pack(place("conflicts", "doc", conflict.conflict_id), conflict.content),
                conflict.parent,
                conflict.first_id,
                conflict.written_at,
                conflict.sealed_parent,
                conflict.payload_hash,
                conflict.key_id,
                conflict.authentic,
            ),
        )

    def get(self, conflict_id: str) -> StoredConflict | None:
        """Return one conflict, in whatever state."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM conflicts WHERE conflict_id = ?",  # noqa: S608
            (conflict_id,),
        )
        return self._read(row) if row else None

    def in_state(self, *states: str) -> list[StoredConflict]:
        """Return the conflicts in ``states``, oldest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM conflicts WHERE state IN ({', '.join('?' * len(states))})"  # noqa: S608
            " ORDER BY detected_at, conflict_id",
            states,
        )
        return [self._read(row) for row in rows]

    def unsealed(self) -> list[StoredConflict]:
        """Return the open conflicts that were found on this device and never sealed for the server, oldest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM conflicts WHERE parent IS NOT NULL AND state = 'open' ORDER BY detected_at"  # noqa: S608
        )
        return [self._read(row) for row in rows]

    def sealed(self, conflict: StoredConflict, change: Outgoing, **facts: Any) -> None:
        """Keep a conflict on under the id that its sealed version has on every device; ``facts`` of it are new."""
        self.remove(conflict.conflict_id)
        self.put(
            replace(
                conflict,
                conflict_id=conflict_id_of(change.payload_hash),
                first_id=conflict.first_id or conflict.conflict_id,
                payload_hash=change.payload_hash,
                key_id=change.key_id,
                **facts,
            )
        )

    def unsent_count(self) -> int:
        """Return how many open versions wait to be sent to the server as conflicts."""
        row = self._database.row(
            "SELECT (SELECT count(*) FROM conflicts WHERE parent IS NOT NULL AND state = 'open')"
            " + (SELECT count(*) FROM outbox WHERE kind = 'conflict')"
        )
        return int(row[0])

    def record_ids(self) -> set[str]:
        """Return the records with an open conflict."""
        return {row[0] for row in self._database.rows("SELECT record_id FROM conflicts WHERE state = 'open'")}

    def set_state(self, conflict_id: str, state: Literal["open", "resolved", "closed"]) -> None:
        """Move a conflict to another state."""
        self._database.write("UPDATE conflicts SET state = ? WHERE conflict_id = ?", (state, conflict_id))

    def open_about(self, collection: str, record_id: str) -> list[StoredConflict]:
        """Return the open conflicts about one record."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM conflicts WHERE collection = ? AND record_id = ? AND state = 'open'",  # noqa: S608
            (collection, record_id),
        )
        return [self._read(row) for row in rows]

    def close(self, conflict: StoredConflict) -> None:
        """Let go of a conflict about which somebody decided. A text written on this device is kept, but not shown."""
        if conflict.own:
            self.set_state(conflict.conflict_id, "closed")
        else:
            self.remove(conflict.conflict_id)

    def set_server_id(self, conflict_id: str, server_id: str | None) -> None:
        """Remember the id that the server gave to a conflict; None: it lists it no longer."""
        self._database.write("UPDATE conflicts SET server_id = ? WHERE conflict_id = ?", (server_id, conflict_id))

    def detach(self, *, decided: bool) -> None:
        """Keep open conflicts though the server may know none of them any more.

        Args:
            decided: of those about which somebody decided it has not to be told either.
        """
        self._database.write("UPDATE conflicts SET server_id = NULL WHERE state = 'open'")
        if decided:
            self._database.write("UPDATE conflicts SET server_id = NULL, state = 'closed' WHERE state = 'resolved'")

    def remove(self, conflict_id: str) -> None:
        """Forget a conflict."""
        self._database.write("DELETE FROM conflicts WHERE conflict_id = ?", (conflict_id,))

    def _read(self, row: Sequence[Any]) -> StoredConflict:
        return StoredConflict(
            conflict_id=row[0],
            server_id=row[1],
            collection=row[2],
            record_id=row[3],
            base_revision=row[4],
            deleted=bool(row[5]),
            device_id=row[6],
            detected_at=row[7],
            own=bool(row[8]),
            state=row[9],
            content=self._seal.unpack(place("conflicts", "doc", row[0]), row[10]),
            parent=row[11],
            first_id=row[12],
            written_at=row[13],
            sealed_parent=row[14],
            payload_hash=row[15],
            key_id=row[16],
            authentic=bool(row[17]),
        )

"""Changes that are sealed and wait to be confirmed: a retry sends the bytes that stand here, never new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lockleaf.client.store.database import Database
from lockleaf.client.store.sealing import LocalSeal, place
from lockleaf.crypto.envelope import parse

__all__ = ["Outbox", "Outgoing", "Standing"]

Standing = Literal["merged", "replaced", "closed"]
"""Why a version is no conflict: its content lives on in the record, or was decided against; it was sealed anew as the
same conflict; the server said that it is closed."""

_LABEL = 16
_COLUMNS = (
    "payload_hash, collection, record_id, kind, base_revision, parent, payload, labels, source, occurred_at, deleted,"
    " client_updated_at, generation, doc, counted, device, resealed"
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A sealed change.

    ``edit`` is the change of a pending record; ``conflict`` is a version that could not be merged, sent so that the
    server keeps it as an open conflict. ``content`` is what the payload holds, None for a tombstone; ``generation``
    is the record's at the time of sealing. ``counted`` names the census under whose key this device counts the change
    once it is accepted, None if it does not. ``device`` wrote it, this one where it is None; ``resealed``: the content
    is the server's own, sealed again under the newest key.
    """

    payload_hash: bytes
    collection: str
    record_id: str
    kind: Literal["edit", "conflict"]
    base_revision: int
    parent: bytes
    payload: bytes
    labels: tuple[bytes, ...]
    source: str | None
    occurred_at: str | None
    deleted: bool
    client_updated_at: str
    generation: int
    content: dict[str, Any] | None
    counted: str | None = None
    device: str | None = None
    resealed: bool = False

    @property
    def key_id(self) -> int:
        """Of the master key that sealed it."""
        return parse(self.payload).key_id

    @property
    def key(self) -> tuple[str, str]:
        """Collection and record id."""
        return self.collection, self.record_id


class Outbox:
    """Reads and writes sealed changes, and remembers those whose content was merged into a later one."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    def add(self, changes: Iterable[Outgoing]) -> None:
        """Keep ``changes`` until they are taken out."""
        self._database.write_many(
            f"INSERT INTO outbox ({_COLUMNS}) VALUES ({', '.join('?' * 17)})",  # noqa: S608
            [
                (
                    change.payload_hash,
                    change.collection,
                    change.record_id,
                    change.kind,
                    change.base_revision,
                    change.parent,
                    change.payload,
                    b"".join(change.labels),
                    change.source,
                    change.occurred_at,
                    change.deleted,
                    change.client_updated_at,
                    change.generation,
                    self._seal.pack(place("outbox", "doc", change.payload_hash), change.content),
                    change.counted,
                    change.device,
                    change.resealed,
                )
                for change in changes
            ],
        )

    def of_records(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Outgoing]]:
        """Return the waiting changes of those of ``keys`` (collection, record id) that have any."""
        found: dict[tuple[str, str], list[Outgoing]] = {}
        for collection, record_id in keys:
            rows = self._database.rows(
                f"SELECT {_COLUMNS} FROM outbox WHERE collection = ? AND record_id = ? ORDER BY place",  # noqa: S608
                (collection, record_id),
            )
            if rows:
                found[collection, record_id] = [self._read(row) for row in rows]
        return found

    def get(self, payload_hash: bytes) -> Outgoing | None:
        """Return one waiting change."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM outbox WHERE payload_hash = ?", (payload_hash,))  # noqa: S608
        return self._read(row) if row else None

    def waiting(self, limit: int, *, after: int = 0) -> list[tuple[int, Outgoing]]:
        """Return up to ``limit`` waiting changes in the order in which they were sealed, each with its place in it."""
        rows = self._database.rows(
            f"SELECT place, {_COLUMNS} FROM outbox WHERE place > ? ORDER BY place LIMIT ?",  # noqa: S608
            (after, limit),
        )
        return [(row[0], self._read(row[1:])) for row in rows]

    def labelled(self) -> list[Outgoing]:
        """Return the waiting edits that bear labels."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE kind = 'edit' AND length(labels) > 0"  # noqa: S608
        )
        return [self._read(row) for row in rows]

    def count(self) -> int:
        """Return how many changes wait."""
        return int(self._database.row("SELECT count(*) FROM outbox")[0])

    def remove(self, payload_hashes: Iterable[bytes]) -> None:
        """Take changes out: the server has them."""
        self._database.write_many("DELETE FROM outbox WHERE payload_hash = ?", [(item,) for item in payload_hashes])

    def absorb(self, change: Outgoing, standing: Standing = "merged") -> None:
        """Take out a change that will not be sent again, because its content lives on in a merged one.

        It may have reached the server all the same and wait there as a conflict, which is then already resolved.
        """
        self.settle(change.payload_hash, change.key, standing)
        self.remove((change.payload_hash,))

    def settle(self, payload_hash: bytes, key: tuple[str, str], standing: Standing) -> None:
        """Remember that the version of a record with this payload hash is no conflict, and why."""
        self._database.write(
            "INSERT OR REPLACE INTO absorbed (payload_hash, collection, record_id, standing) VALUES (?, ?, ?, ?)",
            (payload_hash, *key, standing),
        )

    def absorb_edits(self) -> None:
        """Take out every edit, to be sealed anew: what they say of the history is not so any more."""
        self._database.write(
            "INSERT OR IGNORE INTO absorbed (payload_hash, collection, record_id)"
            " SELECT payload_hash, collection, record_id FROM outbox WHERE kind = 'edit'"
        )
        self._database.write("DELETE FROM outbox WHERE kind = 'edit'")

    def absorbed(self) -> dict[bytes, Standing]:
        """Return the payload hashes of what is no conflict, and why."""
        return dict(self._database.rows("SELECT payload_hash, standing FROM absorbed"))

    def doubt_closed(self) -> None:
        """Take nothing for closed at the server any more: it was put back to an older state."""
        self._database.write("UPDATE absorbed SET standing = 'merged' WHERE standing = 'closed'")

    def as_conflict(self, payload_hash: bytes) -> None:
        """Keep sending a change, but as a version for the server's conflicts."""
        self._database.write("UPDATE outbox SET kind = 'conflict' WHERE payload_hash = ?", (payload_hash,))

    def _read(self, row: Sequence[Any]) -> Outgoing:
        labels = row[7]
        return Outgoing(
            payload_hash=row[0],
            collection=row[1],
            record_id=row[2],
            kind=row[3],
            base_revision=row[4],
            parent=row[5],
            payload=row[6],
            labels=tuple(labels[start : start + _LABEL] for start in range(0, len(labels), _LABEL)),
            source=row[8],
            occurred_at=row[9],
            deleted=bool(row[10]),
            client_updated_at=row[11],
            generation=row[12],
            content=self._seal.unpack(place("outbox", "doc", row[0]), row[13]),
            counted=row[14],
            device=row[15],
            resealed=bool(row[16]),
        )

"""Attachments of which the server is still to hear: sealed bytes that wait for their upload, and deletions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.store.database import Database
from lockleaf.client.store.sealing import LocalSeal, place

__all__ = ["MediaQueue", "MediaState", "QueuedObject"]

MediaState = Literal["upload", "delete", "deleted", "restore"]

_COLUMNS = "media_id, entry_id, state, announced, refused, changed_at, doc, for_good, recipient, replaces, after_entry"


@dataclass(frozen=True, slots=True)
class QueuedObject:
    """An object and what is still to be done about it.

    Attributes:
        media_id: its UUID as lower-case text.
        entry_id: of the entry that it belongs to.
        state: ``upload``: the server does not have all of it; ``delete``, ``restore``: the server is to be told;
            ``deleted``: it has been told, and what can be brought back is remembered here.
        changed_at: since when, RFC 3339.
        media_type: of the plain bytes.
        sealed_size, sealed_sha256: of the age file.
        parts: size and SHA-256 of each part of it, in order; none where it is sent in one piece.
        attachment: as it stands in the map of its entry; None for a thumbnail.
        announced: the server may know of it.
        refused: the code with which the server refused it.
        for_good: of one in state ``delete``: it is not to be brought back by anybody.
        recipient: to which it is sealed; None where that is not known.
        replaces: of one in state ``upload``: the object whose place it takes in its entry once the server has it.
        after_entry: of one in state ``delete``: the server is told only when it has the entry as it is here.
    """

    media_id: str
    entry_id: str
    state: MediaState
    changed_at: str
    media_type: str
    sealed_size: int
    sealed_sha256: bytes
    parts: tuple[tuple[int, bytes], ...] = ()
    attachment: dict[str, Any] | None = None
    announced: bool = False
    refused: str | None = None
    for_good: bool = False
    recipient: str | None = None
    replaces: str | None = None
    after_entry: bool = False


class MediaQueue:
    """Reads and writes them; what they hold of entries passes through the local seal."""

    def __init__(self, database: Database, seal: LocalSeal) -> None:
        self._database = database
        self._seal = seal

    def put(self, media: Iterable[QueuedObject]) -> None:
        """Write media whole, over what was there; one that is there keeps its place in the order."""
        self._database.write_many(
            f"INSERT INTO media ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
            " ON CONFLICT (media_id) DO UPDATE SET entry_id = excluded.entry_id, state = excluded.state,"
            " announced = excluded.announced, refused = excluded.refused, changed_at = excluded.changed_at,"
            " doc = excluded.doc, for_good = excluded.for_good, recipient = excluded.recipient,"
            " replaces = excluded.replaces, after_entry = excluded.after_entry",
            [self._written(media_object) for media_object in media],
        )

    def get(self, media_id: str) -> QueuedObject | None:
        """Return one object."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM media WHERE media_id = ?", (media_id,))  # noqa: S608
        return self._read(row) if row else None

    def in_state(self, *states: MediaState) -> list[QueuedObject]:
        """Return the media in ``states``, in the order in which they came."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM media WHERE state IN ({', '.join('?' * len(states))})"  # noqa: S608
            " ORDER BY place",
            states,
        )
        return [self._read(row) for row in rows]

    def count(self) -> int:
        """Return how many media wait for the server to hear of them."""
        return int(self._database.row("SELECT count(*) FROM media WHERE state <> 'deleted'")[0])

    def is_empty(self) -> bool:
        """Tell whether there is no row at all, in whatever state."""
        return self._database.row("SELECT 1 FROM media LIMIT 1") is None

    def known(self, media_id: str) -> bool:
        """Tell whether there is a row of an object."""
        return self._database.row("SELECT 1 FROM media WHERE media_id = ?", (media_id,)) is not None

    def announce(self, media_id: str, announced: bool) -> None:
        """Note that the server may know of an object, or does not any more."""
        self._database.write("UPDATE media SET announced = ? WHERE media_id = ?", (announced, media_id))

    def refuse(self, media_id: str, code: str | None) -> None:
        """Note with which code the server refused an object; None takes that back."""
        self._database.write("UPDATE media SET refused = ? WHERE media_id = ?", (code, media_id))

    def settle(self, media_object: QueuedObject, state: MediaState | None, now: str) -> bool:
        """Go on from what ``media_object`` said to another state, or forget it; tell whether it still said so."""
        if state is None:
            done = self._database.write(
                "DELETE FROM media WHERE media_id = ? AND state = ?", (media_object.media_id, media_object.state)
            )
        else:
            done = self._database.write(
                "UPDATE media SET state = ?, refused = NULL, changed_at = ? WHERE media_id = ? AND state = ?",
                (state, now, media_object.media_id, media_object.state),
            )
        return done > 0

    def forget_deleted(self, before: str) -> list[str]:
        """Forget media that were deleted before a time (RFC 3339, in UTC); return their ids."""
        rows = self._database.rows("SELECT media_id FROM media WHERE state = 'deleted' AND changed_at < ?", (before,))
        self._database.write_many("DELETE FROM media WHERE media_id = ?", rows)
        return [row[0] for row in rows]

    def _written(self, media_object: QueuedObject) -> tuple[Any, ...]:
        doc = [
            media_object.media_type,
            media_object.sealed_size,
            media_object.sealed_sha256,
            [list(part) for part in media_object.parts],
            media_object.attachment,
        ]
        return (
            media_object.media_id,
            media_object.entry_id,
            media_object.state,
            media_object.announced,
            media_object.refused,
            media_object.changed_at,
            self._seal.pack(place("media", "doc", media_object.media_id), doc),
            media_object.for_good,
            media_object.recipient,
            media_object.replaces,
            media_object.after_entry,
        )

    def _read(self, row: Sequence[Any]) -> QueuedObject:
        try:
            media_type, sealed_size, sealed_sha256, parts, attachment = self._seal.unpack(
                place("media", "doc", row[0]), row[6]
            )
        except ValueError:
            raise StoreDamaged from None
        return QueuedObject(
            media_id=row[0],
            entry_id=row[1],
            state=row[2],
            changed_at=row[5],
            media_type=media_type,
            sealed_size=sealed_size,
            sealed_sha256=sealed_sha256,
            parts=tuple((size, digest) for size, digest in parts),
            attachment=attachment,
            announced=bool(row[3]),
            refused=row[4],
            for_good=bool(row[7]),
            recipient=row[8],
            replaces=row[9],
            after_entry=bool(row[10]),
        )

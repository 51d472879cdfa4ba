"""The SQL of an account's media."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from lockleaf.server.platform.db.keyset import fetch_page
from lockleaf.server.platform.db.scoped import OnConnection
from lockleaf.server.platform.holdings import Usage
from lockleaf.server.platform.paging import Page, Window
from lockleaf.server.records import usage

__all__ = ["USAGE", "MediaRepository", "StoredMedia", "Which", "new_key", "stage", "stage_all"]

Which = Literal["false", "true", "all"]

_GET = "SELECT * FROM media WHERE user_id = $1 AND media_id = $2"

_HOLD = _GET + " FOR UPDATE"

_TOUCH = """
UPDATE media SET touched_at = $3 WHERE user_id = $1 AND media_id = $2 RETURNING *
"""

# By which this database knows its own objects: their keys begin with it. It stands apart from the accounts' tables,
# which may lie on other nodes, and so do the removals: each is asked by a statement of its own.
_OURS = "SELECT value FROM installation WHERE name = 'objects'"

_ADD = """
WITH added AS (
INSERT INTO media (
  user_id, media_id, object_key, media_type, size, sha256, parts, entry_id, file_name, state, created_at, touched_at
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10,
  'uploading', $9::timestamptz, $9::timestamptz
RETURNING *
), counted AS (
  UPDATE heads SET media_bytes = media_bytes + $5 WHERE user_id = $1
)
SELECT * FROM added
"""

_TAKE_UPLOAD = """
UPDATE media SET upload_id = coalesce(upload_id, $4)
WHERE user_id = $1 AND media_id = $2 AND object_key = $3 AND state = 'uploading'
RETURNING *
"""

_RENEW = """
WITH held AS (
  SELECT object_key, upload_id FROM media
  WHERE user_id = $1 AND media_id = $2 AND object_key = $3 AND state = 'uploading' FOR UPDATE
), renewed AS (
  UPDATE media m SET upload_id = NULL, object_key = $4 FROM held WHERE m.user_id = $1 AND m.media_id = $2
)
SELECT object_key, upload_id FROM held
"""

_COMPLETE = """
UPDATE media SET state = 'stored', completed_at = coalesce(completed_at, $4::timestamptz), upload_id = NULL
WHERE user_id = $1 AND media_id = $2 AND object_key = $3
RETURNING *
"""

_SETTLE = """
UPDATE media SET state = 'stored', completed_at = $6::timestamptz, object_key = $4::text, sha256 = $5
WHERE user_id = $1 AND media_id = $2 AND object_key = $3 AND state = 'uploading'
RETURNING *
"""

_MARK = """
UPDATE media SET deleted_at = coalesce(deleted_at, $3::timestamptz)
WHERE user_id = $1 AND media_id = $2 AND state = 'stored'
RETURNING *
"""

_UNMARK = """
UPDATE media SET deleted_at = NULL WHERE user_id = $1 AND media_id = $2 AND state = 'stored' RETURNING *
"""

_DROP = """
WITH gone AS (
  DELETE FROM media WHERE user_id = $1 AND media_id = $2 RETURNING object_key, upload_id, size
), counted AS (
  UPDATE heads SET media_bytes = media_bytes - (SELECT coalesce(sum(size), 0) FROM gone) WHERE user_id = $1
)
SELECT object_key, upload_id FROM gone
"""

_DROP_UNBEGUN = """
WITH gone AS (
  DELETE FROM media
  WHERE user_id = $1 AND media_id = $2 AND state = 'uploading' AND parts IS NOT NULL AND upload_id IS NULL
  RETURNING size
), counted AS (
  UPDATE heads SET media_bytes = media_bytes - (SELECT coalesce(sum(size), 0) FROM gone) WHERE user_id = $1
)
SELECT
"""

_DROP_ALL = """
WITH gone AS (
  DELETE FROM media WHERE user_id = $1 RETURNING object_key, upload_id, size
), counted AS (
  UPDATE heads SET media_bytes = media_bytes - (SELECT coalesce(sum(size), 0) FROM gone) WHERE user_id = $1
)
SELECT object_key, upload_id FROM gone
"""

_STAGE = """
INSERT INTO media_removals (object_key, upload_id) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (object_key) DO NOTHING
"""

USAGE = Usage("media_bytes", "SELECT user_id, sum(size) AS bytes FROM media GROUP BY user_id")
"""The declared sizes of all files together: unfinished and deleted ones count too."""

_LIST = "SELECT * FROM media WHERE user_id = $1 AND ($2::uuid IS NULL OR entry_id = $2)"
_WHICH: dict[Which, str] = {
    "false": f"{_LIST} AND deleted_at IS NULL",
    "true": f"{_LIST} AND deleted_at IS NOT NULL",
    "all": _LIST,
}


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file as the table has it."""

    media_id: UUID
    object_key: str
    media_type: str
    size: int
    sha256: bytes | None
    parts: bytes | None
    upload_id: str | None
    entry_id: UUID | None
    file_name: bytes | None
    state: Literal["uploading", "stored"]
    created_at: datetime
    completed_at: datetime | None
    deleted_at: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> StoredMedia:
        """Return what a row of the table says."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})


def new_key(*, beside: str = "") -> str:
    """Return the random end of an object's key (32 hexadecimal digits), or a whole key of the same database.

    Args:
        beside: a key of that database.
    """
    end = secrets.token_hex(16)
    return beside[: -len(end)] + end


async def stage(connection: asyncpg.Connection, object_key: str, upload_id: str | None) -> None:
    """Note an object that the store shall delete, and an upload that it shall forget."""
    await connection.execute(_STAGE, [object_key], [upload_id])


async def stage_all(connection: asyncpg.Connection, gone: Sequence[asyncpg.Record]) -> None:
    """Note the objects of rows that are gone, each with its ``object_key`` and ``upload_id``, as `stage` does."""
    if gone:
        await connection.execute(_STAGE, [row["object_key"] for row in gone], [row["upload_id"] for row in gone])


class MediaRepository(OnConnection):
    """The media of one account, on a connection."""

    async def get(self, media_id: UUID) -> StoredMedia | None:
        """Return a file."""
        return await self._one(_GET, media_id)

    async def hold(self, media_id: UUID) -> StoredMedia | None:
        """Return a file as it stays until the transaction ends; it may be dropped."""
        await usage.hold(self._connection, self._user_id)
        return await self._one(_HOLD, media_id)

    async def touch(self, media_id: UUID, now: datetime) -> StoredMedia | None:
        """Return a file, and note that its client was heard of."""
        return await self._one(_TOUCH, media_id, now)

    async def add(
        self,
        media_id: UUID,
        *,
        key: str,
        media_type: str,
        size: int,
        sha256: bytes | None,
        parts: bytes | None,
        entry_id: UUID | None,
        file_name: bytes | None,
        now: datetime,
    ) -> StoredMedia:
        """Keep a declaration; ``key`` is the random end of the object's key (32 hexadecimal digits)."""
        key = await self._connection.fetchval(_OURS) + key
        added = await self._one(_ADD, media_id, key, media_type, size, sha256, parts, entry_id, now, file_name)
        if added is None:
            raise RuntimeError("the database gave no row back")
        return added

    async def take_upload(self, media_id: UUID, object_key: str, upload_id: str) -> StoredMedia | None:
        """Note the store's word for an upload in parts, unless there is one; return the file if it is unfinished."""
        return await self._one(_TAKE_UPLOAD, media_id, object_key, upload_id)

    async def renew(self, media_id: UUID, old_key: str, *, key: str) -> None:
        """Begin an unfinished upload anew, at another place; what lies at the old one shall be deleted.

        Args:
            old_key: where it is now. Where it is no longer there, somebody else was faster and nothing is done.
            key: the random end of the new key (32 hexadecimal digits).
        """
        key = await self._connection.fetchval(_OURS) + key
        await stage_all(self._connection, await self._connection.fetch(_RENEW, self._user_id, media_id, old_key, key))

    async def complete(self, media_id: UUID, object_key: str, now: datetime) -> StoredMedia | None:
        """Let a file exist whose object is whole; None if it is gone, or to be made of another object by now."""
        return await self._one(_COMPLETE, media_id, object_key, now)

    async def settle(
        self, media_id: UUID, object_key: str, *, key: str, sha256: bytes, now: datetime
    ) -> StoredMedia | None:
        """Let a file exist as the copy of what was sent; None if it is gone, or was completed by somebody else.

        Args:
            object_key: where its bytes were sent; what lies there shall be deleted.
            key, sha256: of the copy.
        """
        settled = await self._one(_SETTLE, media_id, object_key, key, sha256, now)
        if settled is not None:
            await stage(self._connection, object_key, None)
        return settled

    async def mark_deleted(self, media_id: UUID, now: datetime) -> StoredMedia | None:
        """Delete a stored file for the time being."""
        return await self._one(_MARK, media_id, now)

    async def restore(self, media_id: UUID) -> StoredMedia | None:
        """Take a deletion back."""
        return await self._one(_UNMARK, media_id)

    async def drop(self, media_id: UUID) -> bool:
        """Delete a file for good, and stage the removal of its object; tell whether it was there."""
        await usage.hold(self._connection, self._user_id)
        gone = await self._connection.fetch(_DROP, self._user_id, media_id)
        await stage_all(self._connection, gone)
        return bool(gone)

    async def drop_unbegun(self, media_id: UUID) -> None:
        """Forget a file in parts whose upload nobody has begun."""
        await usage.hold(self._connection, self._user_id)
        await self._connection.execute(_DROP_UNBEGUN, self._user_id, media_id)

    async def drop_all(self) -> int:
        """Delete all files for good, and stage the removal of their objects; return how many there were."""
        await usage.hold(self._connection, self._user_id)
        gone = await self._connection.fetch(_DROP_ALL, self._user_id)
        await stage_all(self._connection, gone)
        return len(gone)

    async def bytes_used(self) -> int:
        """Return the declared sizes of all files together: unfinished and deleted ones count too."""
        return await usage.kept_of(self._connection, self._user_id, USAGE)

    async def page(self, window: Window, *, which: Which, entry_id: UUID | None) -> Page[asyncpg.Record]:
        """Return a page of the files, latest declared first."""
        order = ("created_at", "media_id")
        given = (self._user_id, entry_id)
        return await fetch_page(self._connection, _WHICH[which], given, window, *order, descending=True)

    async def _one(self, statement: str, *arguments: object) -> StoredMedia | None:
        row = await self._connection.fetchrow(statement, self._user_id, *arguments)
        return None if row is None else StoredMedia.of(row)

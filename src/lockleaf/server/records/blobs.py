"""What the endpoints of whole blobs, vault and backups, share.

Their payloads are not envelopes: the server makes them of a request's fields, and so it makes their changes as well,
each following the record as it is behind the lock. A deletion takes the earlier revisions with it, since no endpoint of
theirs brings anything back; a record that is made anew after it has the revisions of its new life alone. The leaves
stay, as all leaves do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.crypto.history import payload_hash
from lockleaf.server.platform.db.keyset import fetch_page
from lockleaf.server.platform.paging import Page, Window
from lockleaf.server.records.writer import AccountRecords, Base
from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Change, Record

__all__ = [
    "Decided",
    "delete",
    "delete_all",
    "find_accepted",
    "find_decided",
    "follow",
    "read",
    "read_version",
    "versions",
]


async def follow(store: AccountRecords, current: Record | None, change: Change) -> tuple[int, datetime]:
    """Write the next revision of a record, and return it and its time.

    What is kept of the record from before a deletion is forgotten then.

    Arguments:
        current: the record, behind the lock of the account's history; None for a new one.
        change: that follows it.

    Raises:
        PayloadTooLarge, ChangeRejected, KeyRetired: the store does not take it.
        QuotaExceeded: the account would hold more than it may.
    """
    pushed = await store.put_all([change])
    if current is not None and current.deleted:
        await _forget(store.connection, store.user_id, change.collection, [change.record_id], now=store.clock())
    return pushed.outcomes[0].revision or 0, pushed.at


async def delete(store: AccountRecords, current: Record) -> None:
    """Delete the ``current`` record, and what is kept of its earlier revisions."""
    await store.put_all([store.change(current.collection, current.record_id, current, b"", deleted=True)])
    await _forget(store.connection, store.user_id, current.collection, [current.record_id], now=store.clock())


_ALIVE = """
SELECT record_id, revision, payload_hash FROM records
WHERE user_id = $1 AND collection = $2 AND NOT deleted ORDER BY record_id
"""


async def delete_all(store: AccountRecords, collection: str) -> tuple[int, int]:
    """Delete every record of a collection, its earlier revisions, and its kept conflicts; return how many of the
    first and of the last there were.

    Raises:
        TierRequired: the account's tier holds no records.
    """
    await store.current(collection, "")
    alive = await store.connection.fetch(_ALIVE, store.user_id, collection)
    for first in range(0, len(alive), MAX_BATCH_CHANGES):
        await store.put(
            [
                store.change(
                    collection, row["record_id"], Base(row["revision"], row["payload_hash"]), b"", deleted=True
                )
                for row in alive[first : first + MAX_BATCH_CHANGES]
            ]
        )
    await _forget(store.connection, store.user_id, collection, None, now=store.clock())
    conflicts = await store.connection.fetchval(_DROP_CONFLICTS, store.user_id, collection)
    store.tx.wake(store.user_id)
    return len(alive), conflicts


_DROP_CONFLICTS = """
WITH dropped AS (
  DELETE FROM conflicts WHERE user_id = $1 AND collection = $2 RETURNING octet_length(payload) AS bytes
), counted AS (
  UPDATE heads SET record_bytes = record_bytes - (SELECT coalesce(sum(bytes), 0) FROM dropped) WHERE user_id = $1
)
SELECT count(*) FROM dropped
"""

_FORGET = """
WITH dropped AS (
  DELETE FROM revisions WHERE user_id = $1 AND collection = $2 {which} RETURNING octet_length(packed) AS bytes
), counted AS (
  UPDATE heads SET record_bytes = record_bytes - (SELECT coalesce(sum(bytes), 0) FROM dropped) WHERE user_id = $1
)
UPDATE records SET purged_at = $3 WHERE user_id = $1 AND collection = $2 {which} AND deleted AND purged_at IS NULL
"""
_FORGET_SOME = _FORGET.format(which="AND record_id = ANY($4::text[])")
_FORGET_ALL = _FORGET.format(which="")


async def _forget(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_ids: list[str] | None, *, now: datetime
) -> None:
    if record_ids is None:
        await connection.execute(_FORGET_ALL, user_id, collection, now)
    else:
        await connection.execute(_FORGET_SOME, user_id, collection, now, record_ids)


# Of what a record has beside its payload there are a few KiB at most: labels, names, times.
_BESIDE_PAYLOAD = 8192

# Sizes are known without reading what is measured. Only where one fits, the leaves are gone through for the digest:
# a blob may have thousands of large revisions, and what is sent again is rare.
_OF_THAT_SIZE = """
SELECT EXISTS (
  SELECT FROM revisions
  WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND octet_length(packed) BETWEEN $4 AND $5
)
"""
_WITH_PAYLOAD = """
SELECT v.packed FROM changes c
JOIN LATERAL (
  SELECT packed FROM revisions v
  WHERE v.user_id = $1 AND v.collection = $2 AND v.record_id = $3 AND v.revision = c.revision OFFSET 0
) v ON true
WHERE c.user_id = $1 AND c.collection = $2 AND c.record_id = $3 AND c.payload_hash = $4
ORDER BY c.revision DESC LIMIT 1
"""


async def find_accepted(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, payload: bytes
) -> Record | None:
    """Return the earlier revision that has this very payload: what is sent again was accepted then."""
    size = len(payload)
    if not await connection.fetchval(_OF_THAT_SIZE, user_id, collection, record_id, size, size + _BESIDE_PAYLOAD):
        return None
    packed = await connection.fetchval(_WITH_PAYLOAD, user_id, collection, record_id, payload_hash(payload))
    return None if packed is None else Record.model_validate(unpack(packed))


@dataclass(frozen=True, slots=True)
class Decided:
    """A refused version that somebody decided about; ``revision`` is what it became, None where it was not chosen."""

    conflict_id: UUID
    revision: int | None


_DECIDED = """
SELECT conflict_id, CASE WHEN chosen_version = 'local' THEN coalesce(remote_revision, 0) + 1 END AS revision
FROM conflicts
WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND payload_hash = $4 AND resolved_at IS NOT NULL
"""


async def find_decided(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, payload: bytes
) -> Decided | None:
    """Return what was decided about this very payload: sent again, it must not undo the decision."""
    row = await connection.fetchrow(_DECIDED, user_id, collection, record_id, payload_hash(payload))
    return None if row is None else Decided(row["conflict_id"], row["revision"])


_LATEST = "SELECT packed FROM records WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND NOT deleted"


async def read(connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str) -> Record | None:
    """Return a record that is there, None for one that is not or was deleted."""
    packed = await connection.fetchval(_LATEST, user_id, collection, record_id)
    return None if packed is None else Record.model_validate(unpack(packed))


# A deleted record has no revision to read: what is kept of them is looked for behind the record itself.
_VERSION = """
SELECT CASE WHEN r.revision = $4 THEN r.packed ELSE (
  SELECT v.packed FROM revisions v
  WHERE v.user_id = $1 AND v.collection = $2 AND v.record_id = $3 AND v.revision = $4
) END
FROM records r WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id = $3 AND NOT r.deleted
"""

_VERSIONS = """
SELECT * FROM (
  SELECT revision, updated_at AS at FROM records
  WHERE user_id = $1 AND collection = $2 AND record_id = $3 AND NOT deleted
  UNION ALL
  SELECT v.revision, v.at FROM revisions v
  WHERE v.user_id = $1 AND v.collection = $2 AND v.record_id = $3 AND EXISTS (
    SELECT FROM records r WHERE r.user_id = $1 AND r.collection = $2 AND r.record_id = $3 AND NOT r.deleted
  )
) AS versions WHERE true
"""


async def read_version(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, revision: int
) -> Record | None:
    """Return one revision of a record that is there."""
    packed = await connection.fetchval(_VERSION, user_id, collection, record_id, revision)
    return None if packed is None else Record.model_validate(unpack(packed))


async def versions(
    connection: asyncpg.Connection, user_id: UUID, collection: str, record_id: str, window: Window
) -> Page[asyncpg.Record]:
    """Return a page of the revisions of a record that is there, newest first, each with its time."""
    key = (user_id, collection, record_id)
    return await fetch_page(connection, _VERSIONS, key, window, "revision", descending=True)

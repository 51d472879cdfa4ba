"""The SQL of connections, and of what went through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from uuid import UUID

import asyncpg

from lockleaf.server.platform.db.keyset import fetch_page
from lockleaf.server.platform.paging import Page, Window

__all__ = [
    "IntegrationRepository",
    "PostRepository",
    "StoredIntegration",
    "StoredPost",
    "application",
    "keep_application",
]

_PUT = """
INSERT INTO integrations AS i (user_id, integration_id, provider, account_key, sealed, state, connected_at)
VALUES ($1, $2, $3, $4, $5, 'connected', $6)
RETURNING *
"""
_RECONNECT = """
UPDATE integrations SET account_key = $3, sealed = $4, state = 'connected', connected_at = $5, paused_until = NULL,
  last_error = NULL
WHERE user_id = $1 AND integration_id = $2 RETURNING *
"""
_BY_ACCOUNT = "SELECT * FROM integrations WHERE user_id = $1 AND account_key = ANY ($2) FOR UPDATE"
_ALL = "SELECT * FROM integrations WHERE user_id = $1"
_ONE = "SELECT * FROM integrations WHERE user_id = $1 AND integration_id = $2"
_UNKNOWN = """
SELECT integration_id, count(*) AS unknown FROM external_posts
WHERE user_id = $1 AND direction = 'out' AND state IN ('unknown', 'intended') GROUP BY integration_id
"""
_PULLED = """
UPDATE integrations SET position = $3, pulled_at = coalesce($4, pulled_at), paused_until = $5, last_error = NULL
WHERE user_id = $1 AND integration_id = $2
"""
# Of the token that was used: one that took its place meanwhile is none the worse.
_FAILED = """
UPDATE integrations SET last_error = $4, paused_until = coalesce($5, paused_until), state = $6
WHERE user_id = $1 AND integration_id = $2 AND (sealed = $3 OR $6 <> 'reconnect_required')
"""

_POST = "SELECT * FROM external_posts WHERE user_id = $1 AND post_id = $2"
_POST_KEYS = "SELECT post_key FROM external_posts WHERE user_id = $1 AND post_key = ANY ($2)"
_PUSH = "SELECT * FROM external_posts WHERE user_id = $1 AND push_key = ANY ($2) AND state <> 'refused'"
_ADD = """
INSERT INTO external_posts (
  user_id, post_id, integration_id, provider, direction, state, post_key, push_key, text_key, entry_id, sealed,
  noted_at, settled_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_IN_DOUBT = """
SELECT * FROM external_posts
WHERE user_id = $1 AND integration_id = $2 AND direction = 'out' AND state IN ('unknown', 'intended')
"""
_LINK = """
UPDATE external_posts SET state = 'linked', post_key = $3, sealed = $4, settled_at = $5, text_key = NULL
WHERE user_id = $1 AND post_id = $2 AND state IN ('intended', 'unknown')
"""
_SETTLE = """
UPDATE external_posts SET state = $3 WHERE user_id = $1 AND post_id = $2 AND state IN ('intended', 'unknown')
"""


@dataclass(frozen=True, slots=True)
class StoredIntegration:
    """A connection as the table has it."""

    user_id: UUID
    integration_id: UUID
    provider: str
    account_key: bytes
    sealed: bytes = field(repr=False)
    position: bytes | None
    state: str
    connected_at: datetime
    pulled_at: datetime | None
    paused_until: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> StoredIntegration:
        """Return what a row says."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post as the table has it."""

    post_id: UUID
    integration_id: UUID
    provider: str
    direction: str
    state: str
    post_key: bytes | None = None
    push_key: bytes | None = None
    text_key: bytes | None = None
    entry_id: UUID | None = None
    sealed: bytes | None = field(default=None, repr=False)
    noted_at: datetime | None = None
    settled_at: datetime | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> StoredPost:
        """Return what a row says."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})


class IntegrationRepository:
    """The connections of one account, on a connection to the database."""

    def __init__(self, connection: asyncpg.Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def all(self) -> list[StoredIntegration]:
        """Return all of them."""
        return [StoredIntegration.of(row) for row in await self._connection.fetch(_ALL, self._user_id)]

    async def page(self, window: Window) -> Page[StoredIntegration]:
        """Return a page of them, oldest first."""
        page = await fetch_page(self._connection, _ALL, (self._user_id,), window, "integration_id")
        return Page([StoredIntegration.of(row) for row in page.items], page.end, page.total)

    async def get(self, integration_id: UUID, *, hold: bool = False) -> StoredIntegration | None:
        """Return one; with ``hold`` it stays as it is until the transaction ends."""
        statement = f"{_ONE} FOR UPDATE" if hold else _ONE
        row = await self._connection.fetchrow(statement, self._user_id, integration_id)
        return None if row is None else StoredIntegration.of(row)

    async def put(
        self, integration_id: UUID, provider: str, account_keys: Sequence[bytes], sealed: bytes, now: datetime
    ) -> StoredIntegration:
        """Keep a connection; that to the same account at the network takes its place again under its own id.

        Args:
            account_keys: digests of the account under each root, the newest first.
        """
        known = await self._connection.fetchrow(_BY_ACCOUNT, self._user_id, account_keys)
        if known is None:
            row = await self._connection.fetchrow(
                _PUT, self._user_id, integration_id, provider, account_keys[0], sealed, now
            )
        else:
            row = await self._connection.fetchrow(
                _RECONNECT, self._user_id, known["integration_id"], account_keys[0], sealed, now
            )
        return StoredIntegration.of(row)

    async def unknown(self) -> dict[UUID, int]:
        """Return how many pushes of each connection are in doubt."""
        rows = await self._connection.fetch(_UNKNOWN, self._user_id)
        return {row["integration_id"]: row["unknown"] for row in rows}

    async def reseal(self, integration_id: UUID, sealed: bytes) -> None:
        """Replace what is sealed of a connection."""
        await self._connection.execute(
            "UPDATE integrations SET sealed = $3 WHERE user_id = $1 AND integration_id = $2",
            self._user_id, integration_id, sealed,
        )  # fmt: skip

    async def advance(
        self, integration_id: UUID, position: bytes | None, *, pulled_at: datetime | None, paused_until: datetime | None
    ) -> None:
        """Note how far a connection was read, and when it was read to its end."""
        await self._connection.execute(_PULLED, self._user_id, integration_id, position, pulled_at, paused_until)

    async def fail(self, used: StoredIntegration, code: str, *, paused_until: datetime | None, state: str) -> None:
        """Note what the use of a connection ended with."""
        await self._connection.execute(
            _FAILED, self._user_id, used.integration_id, used.sealed, code, paused_until, state
        )

    async def delete(self, integration_id: UUID) -> bool:
        """Forget a connection; tell whether it was there."""
        done = await self._connection.execute(
            "DELETE FROM integrations WHERE user_id = $1 AND integration_id = $2", self._user_id, integration_id
        )
        return not done.endswith(" 0")

    async def delete_all(self) -> int:
        """Forget all connections, and all that went through them; return how many connections there were."""
        await self._connection.execute("DELETE FROM external_posts WHERE user_id = $1", self._user_id)
        done = await self._connection.execute("DELETE FROM integrations WHERE user_id = $1", self._user_id)
        return int(done.split()[-1])


class PostRepository:
    """What went through the connections of one account, on a connection to the database.

    Whoever adds to it holds the integration: of two, the second sees what the first has added.
    """

    def __init__(self, connection: asyncpg.Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id

    async def known(self, post_keys: Sequence[bytes]) -> set[bytes]:
        """Return those of some digests that belong to a post which came in or went out."""
        rows = await self._connection.fetch(_POST_KEYS, self._user_id, post_keys)
        return {row["post_key"] for row in rows}

    async def get(self, post_id: UUID) -> StoredPost | None:
        """Return a post by our own id."""
        row = await self._connection.fetchrow(_POST, self._user_id, post_id)
        return None if row is None else StoredPost.of(row)

    async def push(self, push_keys: Sequence[bytes]) -> StoredPost | None:
        """Return the push of an entry to a target, if one was begun and not refused."""
        row = await self._connection.fetchrow(_PUSH, self._user_id, push_keys)
        return None if row is None else StoredPost.of(row)

    async def in_doubt(self, integration_id: UUID) -> list[StoredPost]:
        """Return the pushes of a connection of which nobody knows what became."""
        rows = await self._connection.fetch(_IN_DOUBT, self._user_id, integration_id)
        return [StoredPost.of(row) for row in rows]

    async def add(self, post: StoredPost) -> None:
        """Keep a post, or an intent."""
        await self._connection.execute(
            _ADD, self._user_id, post.post_id, post.integration_id, post.provider, post.direction, post.state,
            post.post_key, post.push_key, post.text_key, post.entry_id, post.sealed, post.noted_at, post.settled_at,
        )  # fmt: skip

    async def link(self, post_id: UUID, post_key: bytes, sealed: bytes, now: datetime) -> bool:
        """Note what a push became; tell whether it was in doubt until now."""
        done: str = await self._connection.execute(_LINK, self._user_id, post_id, post_key, sealed, now)
        return done.endswith(" 1")

    async def settle(self, post_id: UUID, state: str) -> None:
        """Note that a push is in doubt (``unknown``), or certain not to have been published (``refused``)."""
        await self._connection.execute(_SETTLE, self._user_id, post_id, state)


async def application(connection: asyncpg.Connection, instance: str, redirect_uri: str) -> bytes | None:
    """Return our application at an instance, sealed."""
    found: bytes | None = await connection.fetchval(
        "SELECT sealed FROM integration_applications WHERE instance = $1 AND redirect_uri = $2", instance, redirect_uri
    )
    return found


async def keep_application(
    connection: asyncpg.Connection, instance: str, redirect_uri: str, sealed: bytes | None, now: datetime
) -> None:
    """Keep our application at an instance; None forgets it."""
    if sealed is None:
        await connection.execute(
            "DELETE FROM integration_applications WHERE instance = $1 AND redirect_uri = $2", instance, redirect_uri
        )
        return
    await connection.execute(
        "INSERT INTO integration_applications (instance, redirect_uri, sealed, registered_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (instance, redirect_uri) DO UPDATE SET sealed = excluded.sealed",
        instance, redirect_uri, sealed, now,
    )  # fmt: skip

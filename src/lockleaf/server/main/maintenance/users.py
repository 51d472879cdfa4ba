"""What an operator does about single accounts: looking, quotas, disabling, signing out, deleting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.auth import sessions
from lockleaf.server.main.app import build_parts, close_parts
from lockleaf.server.main.maintenance.errors import MaintenanceError
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.events import CHANNEL
from lockleaf.server.platform.holdings import Holdings, delete_above
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.quota import UNLIMITED

__all__ = [
    "UNLIMITED",
    "AccountUnknown",
    "User",
    "delete",
    "find",
    "list_users",
    "set_disabled",
    "set_quota",
    "sign_out",
]

_SESSION = {"application_name": "lockleaf-admin"}
_PORTION = 200
_PAGE = """
SELECT user_id, email, email_shown AS login_name, custody, privacy_tier, created_at, disabled_at, quota_bytes
FROM accounts WHERE (email, user_id) > ($1, $2) AND ($3::uuid IS NULL OR user_id = $3) ORDER BY email, user_id LIMIT $4
"""
# Sums by account, for one portion of accounts at a time: each node adds up those that it has.
_HELD = (
    """
SELECT user_id, count(*) FILTER (WHERE NOT revoked AND expires_at > now()) AS sessions,
  max(last_used_at) AS last_used_at
FROM sessions WHERE user_id = ANY ($1) GROUP BY user_id
""",
    """
SELECT user_id, count(*) FILTER (WHERE NOT deleted) AS records FROM records WHERE user_id = ANY ($1) GROUP BY user_id
""",
    "SELECT user_id, record_bytes, media_bytes FROM heads WHERE user_id = ANY ($1)",
)
_NOTHING_HELD = {"sessions": 0, "last_used_at": None, "records": 0, "record_bytes": 0, "media_bytes": 0}
_FIND = "SELECT user_id FROM email_directory WHERE email = $1"
# The time is an argument: Citus lets no condition of an update call a function whose value changes.
_DISABLE = """
UPDATE accounts SET disabled_at = CASE WHEN $2::timestamptz IS NOT NULL THEN coalesce(disabled_at, $2) END
WHERE user_id = $1
"""
_QUOTA = "UPDATE accounts SET quota_bytes = $2 WHERE user_id = $1"


class AccountUnknown(MaintenanceError):
    """There is no account of that name."""


@dataclass(frozen=True, slots=True)
class User:
    """An account as its operator sees it. There is nothing here that anybody wrote.

    Attributes:
        login_name: the email or name, as its user writes it.
        quota_bytes: its own, -1 for any number; None where it has that of the server.
        sessions: that go on.
        last_used_at: when any of them was used last.
        records: that are not deleted, of every collection.
    """

    user_id: UUID
    login_name: str
    custody: str
    privacy_tier: str
    created_at: datetime
    disabled_at: datetime | None
    quota_bytes: int | None
    sessions: int
    last_used_at: datetime | None
    records: int
    record_bytes: int
    media_bytes: int

    @property
    def bytes_held(self) -> int:
        """What counts against its quota, but for metrics."""
        return self.record_bytes + self.media_bytes


async def list_users(url: str, *, one: UUID | None = None) -> AsyncIterator[User]:
    """Yield the accounts of a database, by email."""
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    after: tuple[str, UUID] = ("", UUID(int=0))
    try:
        while True:
            rows = await connection.fetch(_PAGE, *after, one, _PORTION)
            users: dict[UUID, dict[str, Any]] = {row["user_id"]: _NOTHING_HELD | dict(row) for row in rows}
            for statement in _HELD:
                for row in await connection.fetch(statement, list(users)):
                    users[row["user_id"]].update(row)
            for found in users.values():
                yield User(**{name: value for name, value in found.items() if name != "email"})
            if len(rows) < _PORTION:
                return
            after = rows[-1]["email"], rows[-1]["user_id"]
    finally:
        await connection.close()


async def find(url: str, who: str) -> User:
    """Return an account by its email, its name, or its id.

    Raises:
        AccountUnknown: there is none.
    """
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        user_id = await connection.fetchval(_FIND, normalise_email(who))
    finally:
        await connection.close()
    if user_id is None:
        try:
            user_id = UUID(who)
        except ValueError:
            user_id = UUID(int=0)
    async for user in list_users(url, one=user_id):
        return user
    raise AccountUnknown("There is no account of that email, name or id here. lockleaf admin users list shows all.")


async def set_disabled(url: str, user_id: UUID, *, disabled: bool) -> None:
    """Let nobody into an account from now on, or let its sessions go on."""
    await _execute(url, _DISABLE, user_id, datetime.now(UTC) if disabled else None)


async def set_quota(url: str, user_id: UUID, quota_bytes: int | None) -> None:
    """Give an account a quota of its own, `UNLIMITED` for any number of bytes; None takes it back."""
    await _execute(url, _QUOTA, user_id, quota_bytes)


async def _execute(url: str, statement: str, user_id: UUID, value: Any) -> None:
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        await connection.execute(statement, user_id, value)
        await _wake(connection, user_id)
    finally:
        await connection.close()


async def sign_out(settings: Settings, url: str, user_id: UUID) -> None:
    """End every session of an account, at once."""
    async with _transaction(settings, url, user_id) as (_, tx):
        await sessions.delete_all(tx, user_id)


async def delete(settings: Settings, url: str, user_id: UUID) -> None:
    """Delete an account with everything in it, as its own user would; what lies in the store goes with the sweep."""
    async with _transaction(settings, url, user_id) as (parts, tx):
        await accounts.lock(tx.session, user_id)
        await accounts.delete(tx.session, user_id)
        await delete_above(tx, user_id, parts[Holdings], None)
        await sessions.delete_all(tx, user_id)


@asynccontextmanager
async def _transaction(settings: Settings, url: str, user_id: UUID) -> AsyncIterator[tuple[Parts, Transaction]]:
    """Give a transaction with the parts of a process; live streams of the account look again behind it."""
    parts = build_parts(settings, url)
    try:
        async with parts[Database].transaction() as tx:
            yield parts, tx
        async with parts[Database].transaction() as tx:
            await _wake(tx.connection, user_id)
    finally:
        await close_parts(parts)


async def _wake(connection: asyncpg.Connection, user_id: UUID) -> None:
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, user_id.hex)

"""An operator's copy of an account's history, to go back to it later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from lockleaf.crypto.history import epoch_head

__all__ = ["Backup", "WholeBackup"]

CREDENTIALS = "verifier_hash, kdf, keyring, keyring_version, kek_salt, recipient, signing_key"


class Backup:
    """An operator's copy of an account's history as it is now, to go back to it later.

    Args:
        connection: to the server's database.
        user_id: the account's.
        also: tables that it holds besides those of the history.
    """

    tables = ("heads", "epochs", "changes", "records", "revisions", "conflicts", "checkpoints", "epoch_statements")

    def __init__(self, connection: asyncpg.Connection, user_id: UUID | str, also: Sequence[str] = ()) -> None:
        self.tables = (*self.tables, *also)
        self._connection = connection
        self._user_id = UUID(str(user_id))

    async def take(self) -> None:
        for table in self.tables:
            await self._connection.execute(f"DROP TABLE IF EXISTS kept_{table}")
            await self._connection.execute(
                f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table} WHERE user_id = $1", self._user_id
            )

    async def end_epoch(self, epoch: str) -> None:
        """Begin an epoch at the present head, and give up everything from before it; nobody signs that."""
        await self.take()
        async with self._connection.transaction():
            for table in ("changes", "records", "revisions", "conflicts", "checkpoints"):
                await self._connection.execute(f"DELETE FROM {table} WHERE user_id = $1", self._user_id)
            await self._connection.execute("UPDATE epochs SET ended = true WHERE user_id = $1", self._user_id)
            await self._begin(epoch)

    async def restore(self, epoch: str | None) -> None:
        """Go back; with ``epoch``, begin it as a restored server does."""
        async with self._connection.transaction():
            for table in self.tables:
                await self._connection.execute(f"DELETE FROM {table} WHERE user_id = $1", self._user_id)
                await self._connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            if epoch is None:
                return
            await self._begin(epoch)

    async def _begin(self, epoch: str) -> None:
        row = await self._connection.fetchrow("SELECT seq, head FROM heads WHERE user_id = $1", self._user_id)
        assert row is not None
        await self._connection.execute(
            "INSERT INTO epochs (user_id, epoch, from_seq, from_head) VALUES ($1, $2, $3, $4)",
            self._user_id,
            epoch,
            row["seq"],
            row["head"],
        )
        await self._connection.execute(
            "UPDATE heads SET epoch = $2, head = $3 WHERE user_id = $1",
            self._user_id,
            epoch,
            epoch_head(epoch, row["seq"], row["head"]),
        )


class WholeBackup(Backup):
    """A copy of an account with its credentials and sessions, as a copy of the whole database has them."""

    def __init__(self, connection: asyncpg.Connection, user_id: UUID | str) -> None:
        super().__init__(connection, user_id, also=("recovery_codes", "signing_keys", "sessions", "session_keys"))

    async def take(self) -> None:
        await super().take()
        await self._connection.execute(
            f"CREATE TEMP TABLE kept_credentials AS SELECT {CREDENTIALS} FROM accounts WHERE user_id = $1",
            self._user_id,
        )

    async def restore(self, epoch: str | None) -> None:
        await super().restore(epoch)
        await self._connection.execute(
            f"UPDATE accounts SET ({CREDENTIALS}) = (SELECT {CREDENTIALS} FROM kept_credentials) WHERE user_id = $1",
            self._user_id,
        )

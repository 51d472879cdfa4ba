"""The one transaction of a request, a job or a test, whichever way its statements go, and what follows its commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from lockleaf.server.platform.errors import DomainError

__all__ = ["CommitThenRefuse", "Transaction"]


class CommitThenRefuse(Exception):
    """Raised in a transaction whose writes are to stay although what was asked for is refused with ``error``."""

    def __init__(self, error: DomainError) -> None:
        super().__init__()
        self.error = error


class Transaction:
    """A transaction that has begun. ``Database.transaction`` makes it, commits it, and does what waits for that.

    Attributes:
        connection: asyncpg's, for hot SQL.
    """

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.woken: set[UUID] = set()
        self.calls: list[Callable[[], object]] = []
        self._engine = engine
        self._pooled = pooled
        self._session: AsyncSession | None = None

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session on the same connection, in the same transaction; made when it is first asked for."""
        if self._session is None:
            shared = Connection(self._engine.sync_engine, connection=self._pooled)
            self._session = AsyncSession(AsyncConnection(self._engine, shared), expire_on_commit=False)
        return self._session

    def after_commit(self, call: Callable[[], object]) -> None:
        """Have something called once the commit has succeeded, and never otherwise. The same is called once."""
        if call not in self.calls:
            self.calls.append(call)

    def wake(self, user_id: UUID) -> None:
        """Have the live streams of an account look again once the commit has succeeded."""
        self.woken.add(user_id)

    async def begin(self) -> None:
        """Begin, so that both ways of making statements know of it."""
        adapted: Any = self._pooled.dbapi_connection
        transaction = self.connection.transaction()
        await transaction.start()
        adapted._transaction = transaction

    async def commit(self) -> None:
        """Flush what the session holds, and commit."""
        if self._session is not None:
            await self._session.commit()
            await self._session.close()
        await self._end("commit")

    async def roll_back(self) -> None:
        """Take everything back."""
        if self._session is not None:
            await self._session.close()
        await self._end("rollback")

    async def _end(self, how: str) -> None:
        adapted: Any = self._pooled.dbapi_connection
        transaction = None if adapted is None else adapted._transaction
        if transaction is not None:  # otherwise the session has ended it, or the connection is lost
            adapted._transaction = None
            await getattr(transaction, how)()

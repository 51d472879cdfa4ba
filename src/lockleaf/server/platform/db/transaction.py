"""The one transaction of a request, a job or a test, whichever way its statements go, and what follows its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
    """A transaction. ``Database.transaction`` makes it, commits it, and does what waits for that.

    Args:
        connect: takes a connection from the pool.
    """

    def __init__(self, engine: AsyncEngine, connect: Callable[[], Awaitable[PoolProxiedConnection]]) -> None:
        self.woken: set[UUID] = set()
        self.calls: list[Callable[[], object]] = []
        self._engine = engine
        self._connect = connect
        self._pooled: PoolProxiedConnection | None = None
        self._session: AsyncSession | None = None

    @property
    def connection(self) -> asyncpg.Connection:
        """The connection of asyncpg, for hot SQL."""
        connection: Any = self._begun.driver_connection
        return connection

    @property
    def session(self) -> AsyncSession:
        """SQLAlchemy's session on the same connection, in the same transaction; made when it is first asked for."""
        if self._session is None:
            shared = Connection(self._engine.sync_engine, connection=self._begun)
            self._session = AsyncSession(AsyncConnection(self._engine, shared), expire_on_commit=False)
        return self._session

    @property
    def _begun(self) -> PoolProxiedConnection:
        if self._pooled is None:
            raise RuntimeError("this transaction has not begun")
        return self._pooled

    def after_commit(self, call: Callable[[], object]) -> None:
        """Have something called once the commit has succeeded, and never otherwise. The same is called once."""
        if call not in self.calls:
            self.calls.append(call)

    def wake(self, user_id: UUID) -> None:
        """Have the live streams of an account look again once the commit has succeeded."""
        self.woken.add(user_id)

    async def begin(self) -> None:
        """Take a connection and begin, so that both ways of making statements know of it; nothing if it has begun."""
        if self._pooled is not None:
            return
        self._pooled = await self._connect()
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

    def release(self) -> None:
        """Give the connection back to the pool, if there is one."""
        pooled = self._pooled
        if pooled is not None and pooled.is_valid:
            if self.connection.is_in_transaction():  # its end was cut short: nobody may go on in it
                pooled.invalidate()
            pooled.close()

    async def _end(self, how: str) -> None:
        adapted: Any = None if self._pooled is None else self._pooled.dbapi_connection
        transaction = None if adapted is None else adapted._transaction
        if transaction is not None:  # otherwise the session has ended it, or the connection is lost
            adapted._transaction = None
            await getattr(transaction, how)()

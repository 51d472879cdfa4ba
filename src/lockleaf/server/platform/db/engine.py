"""The connections to PostgreSQL: one pool for transactions, one for single reading statements."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import PoolProxiedConnection, event, exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from lockleaf.server.platform.db.connections import OF_SEVERAL_NODES, asyncpg_url, connect
from lockleaf.server.platform.db.errors import DRIVER_ERRORS
from lockleaf.server.platform.db.transaction import CommitThenRefuse, Transaction
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.settings import DatabaseSettings

__all__ = ["Database", "ReadSession", "asyncpg_url", "driver", "driver_of", "session_settings", "sqlalchemy_url"]


IDLE_SECONDS = 600
"""How long a connection may rest before PostgreSQL closes it."""


class ReadSession(AsyncSession):
    """A session whose connection PostgreSQL itself holds to reading, unless a pooler is in between. Each statement sees
    its own snapshot.
    """


def sqlalchemy_url(url: str) -> str:
    """Return ``url`` with the driver that we use, whatever spelling of PostgreSQL it began with."""
    _, separator, rest = url.partition("://")
    # SQLAlchemy hands parameters on under asyncpg's names, of which this one differs from PostgreSQL's.
    return f"postgresql+asyncpg{separator}{re.sub(r'(?<=[?&])sslmode=', 'ssl=', rest)}"


def session_settings(settings: DatabaseSettings, *, distributed: bool = False) -> dict[str, str]:
    """Return PostgreSQL's settings for the connections of requests, by name.

    Args:
        distributed: whether the database is one of several nodes. A connection of ours finds that out by itself.
    """
    return {
        "jit": "off",
        # Our statements look things up by their keys, whatever the values and however many rows there are. Planning
        # them anew each time costs more than most of them do; and a plan that reads a whole table, made while the
        # table was small, would be kept while it grows.
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "statement_timeout": str(int(settings.statement_timeout_seconds * 1000)),
        "lock_timeout": str(int(settings.lock_timeout_seconds * 1000)),
        "idle_in_transaction_session_timeout": "60000",
        **(OF_SEVERAL_NODES if distributed else {}),
    }


class Database:
    """The two pools of a process.

    Args:
        url: ``postgresql://...`` of the database, unless the settings name a pooler in front of it.
        settings: sizes and timeouts.
        wake: told of each account whose live streams shall look again, after the commit of what changed it.

    Attributes:
        distributed: whether it is one of several nodes, so that a statement has to name one account; known once there
            is a connection.
    """

    def __init__(
        self, url: str, settings: DatabaseSettings, wake: Callable[[UUID], object] = lambda user_id: None
    ) -> None:
        self._wake = wake
        self.distributed = False
        self.writing = self._engine(url, settings, read_only=False)
        self.reading = self._engine(url, settings, read_only=True)
        self.read_sessions = async_sessionmaker(self.reading, class_=ReadSession, expire_on_commit=False)

    def _engine(self, url: str, settings: DatabaseSettings, *, read_only: bool) -> AsyncEngine:
        options: dict[str, Any] = {}
        connection: dict[str, Any] = {"timeout": 10, "async_creator_fn": self._connect}
        told = {"application_name": "lockleaf"}
        if settings.pooler_url is not None:
            url = settings.pooler_url.get_secret_value()
            # The next transaction has another session, with neither the settings of this one, which the pooler's own
            # configuration has to say, nor its prepared statements: each is sent without a name, and parsed again.
            connection |= {
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": lambda: "",
            }
        else:
            told |= session_settings(settings) | {"idle_session_timeout": str(IDLE_SECONDS * 1000)}
            if read_only:
                told["default_transaction_read_only"] = "on"
        if read_only:
            # A reading statement needs no transaction around it: without one it costs a single round trip.
            options["isolation_level"] = "AUTOCOMMIT"
        engine = create_async_engine(
            sqlalchemy_url(url),
            # SQLAlchemy closes a connection of the overflow as soon as it comes back, and under load opens it again a
            # moment later, which costs more than the request. Here all are kept, the last used is used first, and
            # PostgreSQL closes those that rest.
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_use_lifo=True,
            pool_timeout=settings.pool_timeout_seconds,
            hide_parameters=True,  # an exception's text must hold no user's value
            connect_args={"server_settings": told, **connection},
            **options,
        )
        if settings.pre_ping:
            _ask_rested_connections(engine, settings.pre_ping_after_seconds)
        return engine

    async def _connect(self, *args: Any, **options: Any) -> asyncpg.Connection:
        connection = await connect(*args, **options)
        self.distributed = connection.distributed
        return connection

    @asynccontextmanager
    async def transaction(self, *, begun: bool = True) -> AsyncIterator[Transaction]:
        """One transaction: committed at the end, rolled back on any exception.

        Once it is committed, what waits for that is called, and the accounts that changed are woken. `CommitThenRefuse`
        commits too, and raises its error then.

        Args:
            begun: whether it has begun; otherwise it takes no connection until its ``begin`` is called, which slow
                work in front of it need not hold.
        """
        tx = Transaction(self.writing, self._taken)
        refusal: DomainError | None = None
        try:
            if begun:
                await tx.begin()
            try:
                yield tx
            except CommitThenRefuse as refused:
                refusal = refused.error
            except BaseException:
                await tx.roll_back()
                raise
            await tx.commit()
        finally:
            tx.release()
        for call in tx.calls:
            call()
        for user_id in tx.woken:
            self._wake(user_id)
        if refusal is not None:
            raise refusal

    async def _taken(self) -> PoolProxiedConnection:
        with _in_the_drivers_words():
            return await self.writing.raw_connection()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[ReadSession]:
        """A session for single reading statements."""
        async with self.read_sessions() as session:
            yield session

    @asynccontextmanager
    async def read_driver(self) -> AsyncIterator[asyncpg.Connection]:
        """The asyncpg connection of a reading session, without the session: for what runs at every request."""
        with _in_the_drivers_words():
            pooled = await self.reading.raw_connection()
        try:
            yield pooled.driver_connection
        finally:
            pooled.close()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection that only reads, and to which the database stays as it is at the first statement."""
        with _in_the_drivers_words():
            pooled = await self.reading.raw_connection()
        connection: Any = pooled.driver_connection
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            if connection.is_in_transaction():  # its end was cut short: nobody may go on in it
                pooled.invalidate()
            pooled.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.writing.dispose()
        await self.reading.dispose()


@contextmanager
def _in_the_drivers_words() -> Iterator[None]:
    """Let what asyncpg raised come through as it was.

    SQLAlchemy's adapter wraps it, and the wrapping is turned into an exception that callers know only where SQLAlchemy
    itself runs a statement.
    """
    try:
        yield
    except AsyncAdapt_asyncpg_dbapi.Error as error:
        raise error.__cause__ or error from None


def _ask_rested_connections(engine: AsyncEngine, after_seconds: float) -> None:
    """Replace dead connections before they are handed out.

    SQLAlchemy's own pre-ping opens a transaction for each question, three round trips before every request. A
    connection that was busy a moment ago is alive, or is known to be closed without asking; only rested ones are asked.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def _note(dbapi_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["rested_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _check(dbapi_connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        connection: asyncpg.Connection = dbapi_connection.driver_connection
        if connection.is_closed():
            raise exc.DisconnectionError("the connection was closed")
        if time.monotonic() - record.info.get("rested_since", time.monotonic()) < after_seconds:
            return
        try:
            dbapi_connection.run_async(lambda raw: raw.fetchval("SELECT 1", timeout=5))
        except (OSError, TimeoutError, *DRIVER_ERRORS) as error:
            raise exc.DisconnectionError("the connection does not answer") from error


async def driver(session: AsyncSession) -> asyncpg.Connection:
    """Return the asyncpg connection under ``session``, within the session's transaction.

    For hot paths: a prepared statement with arrays as arguments costs a fraction there. The transaction must have
    begun: asyncpg's statements before the session's first one would stand alone, and survive a rollback.
    """
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    adapted: Any = raw.dbapi_connection
    if not isinstance(session, ReadSession) and adapted._transaction is None:
        with _in_the_drivers_words():
            await adapted._start_transaction()
    driver_connection: asyncpg.Connection = raw.driver_connection
    return driver_connection


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """Return the asyncpg connection under ``connection``."""
    found: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    return found

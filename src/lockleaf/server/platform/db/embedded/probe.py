"""Short conversations with the embedded PostgreSQL, from synchronous code.

Each runs an event loop of its own in a thread of its own, so that it works from a caller that has a running loop too.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.folders import PORT

__all__ = ["ADMINISTRATOR", "ROLE", "answering_data_directory", "ensure_database", "wait_until_ready"]

ADMINISTRATOR = "postgres"
"""The superuser of the cluster. Lockleaf uses it to create databases and for nothing else."""

ROLE = "lockleaf"
"""The role that Lockleaf works as. It owns its databases and is no superuser: a query that went wrong can neither read
the machine's files through PostgreSQL nor switch on the logging of statements."""

_DATABASE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_T = TypeVar("_T")


def _run(conversation: Coroutine[Any, Any, _T]) -> _T:
    outcome: list[_T] = []
    failure: list[BaseException] = []

    def target() -> None:
        try:
            outcome.append(asyncio.run(conversation))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=target, name="lockleaf-postgres-probe", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


async def _connect(socket_dir: Path, database: str = "postgres") -> asyncpg.Connection:
    return await asyncpg.connect(host=str(socket_dir), port=PORT, user=ADMINISTRATOR, database=database, timeout=60)


def wait_until_ready(socket_dir: Path, check: Callable[[], None]) -> None:
    """Wait until PostgreSQL answers a query, and create the role that Lockleaf works as if it is not there.

    Args:
        socket_dir: folder of the socket.
        check: called before each attempt; ends the waiting by raising.

    """

    async def conversation() -> None:
        pause = 0.01
        while True:
            check()
            try:
                connection = await _connect(socket_dir)
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                # No socket yet, or recovery going on: it takes the time it takes.
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.25)
                continue
            try:
                if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
                    await connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            finally:
                await connection.close()
            return

    _run(conversation())


def ensure_database(socket_dir: Path, name: str) -> bool:
    """Create the database `name`, owned by `ROLE`, if it is not there; True if it was created.

    Raises:
        EmbeddedPostgresError: the name is not one of lower-case letters, digits and underscores, at most 63.

    """
    if _DATABASE_NAME.fullmatch(name) is None:
        raise EmbeddedPostgresError(
            f"{name!r} is not a database name: use 1 to 63 lower-case letters, digits and underscores, "
            "the first of them not a digit."
        )

    async def conversation() -> bool:
        connection = await _connect(socket_dir)
        try:
            if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                return False
            await connection.execute(f'CREATE DATABASE "{name}" OWNER {ROLE}')
        except asyncpg.DuplicateDatabaseError:
            return False  # another thread was faster
        else:
            return True
        finally:
            await connection.close()

    return _run(conversation())


def answering_data_directory(socket_dir: Path) -> Path | None:
    """Ask the PostgreSQL behind a socket for its data directory; None if none answers."""

    async def conversation() -> Path | None:
        try:
            connection = await _connect(socket_dir)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return None
        try:
            return Path(str(await connection.fetchval("SHOW data_directory")))
        finally:
            await connection.close()

    return _run(conversation())

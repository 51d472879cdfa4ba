"""Why a database cannot be used, in a sentence: the text of a driver's error can hold its address, and a password."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import asyncpg

__all__ = ["BEHIND_A_POOLER", "DatabaseUnusable", "why_unusable"]

BEHIND_A_POOLER = (
    "DATABASE_URL leads to a pooler such as PgBouncer, on which the server cannot listen for news or hold locks. Name "
    "PostgreSQL itself there, and the pooler in LOCKLEAF_DATABASE__POOLER_URL."
)
_SILENT = "The database of DATABASE_URL does not answer."
_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "PostgreSQL refuses the user or the password of DATABASE_URL. Characters such as @ : / # in a password are "
        "written as %40 %3A %2F %23.",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "PostgreSQL has no database of the name in DATABASE_URL. Make it (createdb), or correct the name behind the "
        "last slash.",
    ),
    (
        asyncpg.InsufficientPrivilegeError,
        "The user of DATABASE_URL may not do this in that database. It has to own it, or have CREATE on its schema "
        "public.",
    ),
    (
        asyncpg.TooManyConnectionsError,
        "PostgreSQL takes no more connections. Raise its max_connections, or lower LOCKLEAF_DATABASE__POOL_SIZE.",
    ),
    (
        asyncpg.CannotConnectNowError,
        "PostgreSQL at DATABASE_URL is starting or stopping. Try again in a moment.",
    ),
    (asyncpg.ProtocolViolationError, BEHIND_A_POOLER),  # it refuses settings that PostgreSQL knows
    (
        ssl.SSLError,
        "The encrypted connection to the database of DATABASE_URL fails: sslmode in it, or the server's certificate, "
        "is not what the other side wants.",
    ),
    (
        socket.gaierror,
        f"{_SILENT} Nobody knows a machine of the name in it: check the host.",
    ),
    (
        ConnectionRefusedError,
        f"{_SILENT} Nothing listens at its host and port: check both (5432 is PostgreSQL's usual port), and that "
        "PostgreSQL runs.",
    ),
    (
        FileNotFoundError,
        f"{_SILENT} There is no socket in the folder that it names as host: check that, and that PostgreSQL runs.",
    ),
    (
        TimeoutError,
        f"{_SILENT} It may be the wrong host or port, or a firewall in between.",
    ),
    (
        (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError),
        f"{_SILENT} What listens at its host and port broke the conversation off: perhaps it is no PostgreSQL.",
    ),
    (OSError, f"{_SILENT} Check the address, and that it runs."),
    (asyncpg.PostgresError, "The database of DATABASE_URL refuses. PostgreSQL's own log says why."),
)


class DatabaseUnusable(Exception):
    """The database cannot be used. The message says why, and what to do; it holds nothing of the address."""


def why_unusable(error: BaseException) -> str | None:
    """Return why the database cannot be used, in sentences; None where the error is not about that.

    Args:
        error: of asyncpg, of SQLAlchemy around it, or of the system.
    """
    for each in _behind(error):
        for kinds, reason in _REASONS:
            if isinstance(each, kinds):
                return reason
    return None


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error was raised from, the innermost first: the driver's own says most."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or getattr(cause, "orig", None) or cause.__context__
    yield from reversed(found)

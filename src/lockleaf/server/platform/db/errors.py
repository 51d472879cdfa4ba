"""What the database may refuse to do for anybody."""

from __future__ import annotations

import asyncpg

from lockleaf.server.platform.errors import OverQuota, Unavailable
from lockleaf.wire.problems import ErrorCode

__all__ = ["DRIVER_ERRORS", "DatabaseBusy", "DatabaseUnavailable", "StorageFull"]

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises. The last one, which is none of the others, it raises for a statement on a connection that
PostgreSQL has just declared dead, in the moment before its end is noticed."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer. Nothing of this request was kept; send it again in a few seconds."""

    code = ErrorCode.DATABASE_UNAVAILABLE


class DatabaseBusy(Unavailable):
    """The database is too busy. Nothing of this request was kept; send it again in a few seconds."""

    code = ErrorCode.DATABASE_BUSY


class StorageFull(OverQuota):
    """The server's disk is full. Nothing of this request was kept; its operator has to free space."""

    code = ErrorCode.STORAGE_FULL

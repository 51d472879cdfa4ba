"""Making a server's database and store as small as what they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass

import asyncpg

from lockleaf.server.main.app import build_parts, close_parts
from lockleaf.server.main.features import SCHEDULES
from lockleaf.server.main.maintenance.distribution import OTHERS
from lockleaf.server.main.maintenance.errors import DatabaseInUse, MaintenanceError
from lockleaf.server.main.tables import metadata
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.jobs.queue import TABLES
from lockleaf.server.platform.settings import Settings

__all__ = ["ASIDE", "Compacted", "Sizes", "compact", "drop_aside", "size_aside"]

ASIDE = re.compile(r"before_\d{8}t\d{6}")
"""The name of a schema that a restore set aside."""
_SESSION = {"application_name": "lockleaf-admin", "statement_timeout": "0"}
_SIZES = """
SELECT pg_database_size(current_database()) AS database,
  (SELECT coalesce(sum(size), 0) FROM media WHERE state = 'stored')::bigint AS files
"""
_SIZE_ASIDE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes that the database takes on its disk, and attached files in the store."""

    database: int
    files: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a database and a store took before and after."""

    before: Sizes
    after: Sizes


async def compact(settings: Settings, url: str, *, full: bool) -> Compacted:
    """Do at once what upkeep does by the clock, and let PostgreSQL use again, or give back, what became free.

    What upkeep drops is what it would drop within a day: sessions and archives that have expired, jobs that ended long
    ago, what was deleted longer ago than the setting says, uploads that nobody goes on with, objects that nobody knows.

    Args:
        full: write every table anew, so that the disk gets back what is free. Nobody else can use it meanwhile.

    Raises:
        DatabaseInUse: it should be written anew, and servers or workers are connected.
        StoreUnavailable: the store does not answer.
        OSError, asyncpg.PostgresError: the database does not.
    """
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        others = await connection.fetchval(OTHERS)
        if full and others:
            raise DatabaseInUse(
                f"{others} connections of servers or workers are open to this database, and would wait until every "
                "table is written anew. Stop them, or run it without --full."
            )
        before = await _sizes(connection)
        parts = build_parts(settings, url)
        try:
            for schedule in SCHEDULES:
                if schedule.drops:
                    await parts.call(schedule.run)
        finally:
            await close_parts(parts)
        how = "FULL, ANALYZE" if full else "ANALYZE"
        for table in (*metadata.tables, *TABLES):
            await connection.execute(f"VACUUM ({how}) {table}")
        return Compacted(before, await _sizes(connection))
    finally:
        await connection.close()


async def size_aside(url: str, name: str) -> int:
    """Return how many bytes a schema takes that a restore set aside.

    Raises:
        MaintenanceError: there is no such schema.
    """
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        if ASIDE.fullmatch(name) is None or not await connection.fetchval(
            "SELECT to_regnamespace($1) IS NOT NULL", name
        ):
            raise MaintenanceError(f"No restore has set {name} aside. lockleaf admin doctor names what there is.")
        size: int = await connection.fetchval(_SIZE_ASIDE, name)
        return size
    finally:
        await connection.close()


async def drop_aside(url: str, name: str) -> None:
    """Delete a schema that a restore set aside; raises as `size_aside`."""
    await size_aside(url, name)
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        await connection.execute(f'DROP SCHEMA "{name}" CASCADE')
    finally:
        await connection.close()


async def _sizes(connection: asyncpg.Connection) -> Sizes:
    row = await connection.fetchrow(_SIZES)
    assert row is not None
    return Sizes(row["database"], row["files"])

"""Spreading a database over several nodes with Citus: every table of accounts' data by its account.

What belongs to nobody, and what is asked for before anybody is known, stays on the coordinator: the directory of
emails, invitations, the queue and its jobs, facts of the installation. They are small.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import asyncpg

from lockleaf.server.main.maintenance.errors import DatabaseInUse, MaintenanceError
from lockleaf.server.main.tables import metadata
from lockleaf.server.platform.db.connections import EXTENSION, asyncpg_url, connect
from lockleaf.server.platform.db.migrate import require_current
from lockleaf.server.platform.jobs.queue import TABLES

__all__ = [
    "COLUMN",
    "DISTRIBUTED",
    "OTHERS",
    "SHARDS",
    "Spread",
    "distribute",
    "distribute_new",
    "examine_spread",
    "spread_of",
]

COLUMN = "user_id"
SHARDS = 32
"""Into how many parts each table goes unless the operator says another number: as many nodes can share them."""
_FIRST = "accounts"
"""The table beside whose parts those of the others lie, so that everything of an account is on one node."""
_KEPT = frozenset({"jobs"})
"""Tables of accounts that stay on the coordinator: jobs lie beside the queue, which is asked for all of them."""

DISTRIBUTED = (
    _FIRST,
    *sorted(
        name
        for name, table in metadata.tables.items()
        if next(iter(table.primary_key.columns)).name == COLUMN and name not in _KEPT | {_FIRST}
    ),
)
"""The tables that are spread: those whose key begins with the account."""

_SESSION = {"application_name": "lockleaf-admin", "statement_timeout": "0"}
_NODES = "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards AND noderole = 'primary'"
_SPREAD = """
SELECT table_name::text AS name, shard_count FROM citus_tables
WHERE citus_table_type = 'distributed' AND distribution_column = $1
"""
_THERE = "SELECT to_regclass($1) IS NOT NULL"
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'lockleaf%'
  AND application_name <> 'lockleaf-admin'
"""
"""Counts the connections of servers and workers."""
_DISTRIBUTE = "SELECT create_distributed_table($1, $2, colocate_with => $3, shard_count => $4)"
_EMPTY_SHELL = "SELECT truncate_local_data_after_distributing_table($1)"


@dataclass(frozen=True, slots=True)
class Spread:
    """How a database is spread, or will be.

    Attributes:
        nodes: that hold parts of it.
        shards: parts of each table; 0 while nothing is spread.
        spread, waiting: tables that are, and that are not yet.
        kept: tables that stay on the coordinator.
        others: connections of servers and workers.
    """

    nodes: int
    shards: int
    spread: tuple[str, ...]
    waiting: tuple[str, ...]
    kept: tuple[str, ...]
    others: int


async def examine_spread(url: str) -> Spread:
    """Look at a database that is to be spread, or is.

    Raises:
        MaintenanceError: it has not the extension, or no nodes are known to it.
        SchemaBehind: it has not the schema of this version.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    await require_current(url)
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        if not connection.distributed:
            raise MaintenanceError(
                f"The database does not have the extension {EXTENSION}, so it can have one node only. Nothing was "
                f"changed. Install Citus on every node, CREATE EXTENSION {EXTENSION} in this database on each, make "
                "them known to the first with citus_add_node, and run this again."
            )
        return await spread_of(connection)
    finally:
        await connection.close()


async def distribute(url: str, *, shards: int = SHARDS) -> Spread:
    """Spread every table of accounts' data that is not spread yet, in one transaction; return how it is then.

    Args:
        url: of the database on the coordinator.
        shards: how many parts each table gets, if this is the first time; later ones follow the first.

    Raises:
        MaintenanceError: as `examine_spread`.
        DatabaseInUse: servers or workers are connected.
        OSError, asyncpg.PostgresError: nothing was changed.
    """
    before = await examine_spread(url)
    if not before.nodes:
        raise MaintenanceError(
            "No node is known that takes parts of the tables. Nothing was changed. Add some on this database: "
            "SELECT citus_add_node('host', 5432), for each."
        )
    if not before.waiting:
        return before
    if before.others:
        raise DatabaseInUse(
            f"{before.others} connections of servers or workers are open to this database. Nothing was changed. Stop "
            "them, and run this again."
        )
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        await _distribute(connection, before.waiting, shards)
        return replace(await spread_of(connection), waiting=before.waiting)
    finally:
        await connection.close()


async def distribute_new(url: str) -> tuple[str, ...]:
    """Spread the tables that a migration has added to a database that is spread; return their names.

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer, or does not let it be done.
    """
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    try:
        if not connection.distributed:
            return ()
        found = await spread_of(connection)
        if not found.spread:
            return ()
        there = tuple([name for name in found.waiting if await connection.fetchval(_THERE, name)])
        await _distribute(connection, there, found.shards)
        return there
    finally:
        await connection.close()


async def spread_of(connection: asyncpg.Connection) -> Spread:
    """Return how a database that has the extension is spread."""
    nodes = await connection.fetchval(_NODES)
    rows = await connection.fetch(_SPREAD, COLUMN)
    shards = {row["name"].rpartition(".")[2]: row["shard_count"] for row in rows}
    spread = tuple(name for name in DISTRIBUTED if name in shards)
    waiting = tuple(name for name in DISTRIBUTED if name not in shards)
    kept = tuple(sorted({*metadata.tables, *TABLES} - {*DISTRIBUTED}))
    others = await connection.fetchval(OTHERS)
    return Spread(nodes, max(shards.values(), default=0), spread, waiting, kept, others)


async def _distribute(connection: asyncpg.Connection, tables: tuple[str, ...], shards: int) -> None:
    async with connection.transaction():
        # One connection to each node: those of several would not see what this transaction has made of a table.
        await connection.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
        for name in tables:
            beside, parts = ("none", shards) if name == _FIRST else (_FIRST, None)
            await connection.execute(_DISTRIBUTE, name, COLUMN, beside, parts)
    for name in tables:
        await connection.execute(_EMPTY_SHELL, name)

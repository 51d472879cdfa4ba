"""Checks of a server's database: that it answers and is up to date, what waits in it, and what hangs."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from lockleaf.server.main.maintenance.distribution import spread_of
from lockleaf.server.main.maintenance.findings import Finding, Surroundings, good, problem, skipped, warning
from lockleaf.server.main.restoration import MARK
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.migrate import RevisionUnknown, head_revision, require_known
from lockleaf.server.platform.observability.queue import observe
from lockleaf.server.platform.server_keys import load_keys

__all__ = ["backup", "clock", "connections", "database", "files", "leftovers", "locks", "queue", "schema"]

OLDEST = 15
"""The earliest major version of PostgreSQL."""
LOOKED_FOR = 50
_SILENT = "SELECT DISTINCT to_nodename, to_nodeport FROM citus_check_cluster_node_health() WHERE result IS NOT TRUE"
# The last change of each account by its number: nothing else finds it without reading all.
_NEWEST_TIME = """
SELECT greatest(
  (SELECT max(last_used_at) FROM sessions), (SELECT max(created_at) FROM accounts),
  (SELECT max(c.at) FROM heads h JOIN changes c ON c.user_id = h.user_id AND c.seq = h.seq)
)
"""
_CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
  current_setting('max_connections')::int AS most
"""
# What Citus has prepared on a node it ends by itself.
_LOCKS = r"""
SELECT count(*) FILTER (WHERE xact_start < clock_timestamp() - interval '5 minutes'
    AND application_name <> 'lockleaf-admin') AS old,
  count(*) FILTER (WHERE wait_event_type = 'Lock' AND state_change < clock_timestamp() - interval '30 seconds')
    AS waiting,
  (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database() AND gid NOT LIKE 'citus\_%') AS prepared
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_FAILED = """
SELECT count(*) FROM jobs WHERE state = 'failed' AND finished_at > clock_timestamp() - interval '1 day'
"""
_NEWEST = "SELECT object_key, size FROM media WHERE state = 'stored' ORDER BY completed_at DESC NULLS LAST LIMIT $1"
_FACT = "SELECT value FROM installation WHERE name = $1"
_ASIDE = r"""
SELECT n.nspname AS name, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
WHERE n.nspname LIKE 'before\_%' GROUP BY n.nspname ORDER BY n.nspname
"""


async def database(found: Surroundings) -> Finding:
    """Say whether it answers, and which version it is."""
    if found.connection is None:
        return problem(f"it does not answer: {found.why_not}", "Until it does, devices keep what is written.")
    version = await found.connection.fetchval("SHOW server_version")
    if found.connection.get_server_version().major < OLDEST:
        return problem(f"it is PostgreSQL {version}", f"Use PostgreSQL {OLDEST} or later.")
    size = await found.connection.fetchval("SELECT pg_database_size(current_database())")
    says = f"PostgreSQL {version} answers; {size / 2**20:,.0f} MiB"
    return await _nodes(found.connection, says) if found.connection.distributed else good(says)


async def _nodes(connection: asyncpg.Connection, says: str) -> Finding:
    """Say how a database is spread over its nodes."""
    silent = [f"{row[0]}:{row[1]}" for row in await connection.fetch(_SILENT)]
    if silent:
        return problem(
            f"{says}; of its nodes these do not answer: {', '.join(silent)}",
            "Start them, and see that they let this one in: accounts whose data they have cannot be used.",
        )
    found = await spread_of(connection)
    if not found.spread:
        return warning(
            f"{says}; it has Citus, and everything is on one node", "lockleaf admin distribute spreads it, if it shall."
        )
    told = f"{says} on the coordinator, {len(found.spread)} tables in {found.shards} parts on {found.nodes} other nodes"
    if found.waiting:
        return problem(f"{told}; not spread are {', '.join(found.waiting)}", "lockleaf admin distribute")
    return good(told)


async def schema(found: Surroundings) -> Finding:
    """Say whether the database has the schema of this version, and whether a restore was not finished."""
    if found.connection is None:
        return skipped()
    if not await found.connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return warning("the database is empty", "The first `lockleaf serve` makes its schema, or `admin migrate`.")
    present = await found.connection.fetchval("SELECT version_num FROM alembic_version")
    if present != head_revision():
        try:
            require_known(present)
        except RevisionUnknown:
            return problem(f"it is of a later version ({present})", "Start the version of Lockleaf that made it.")
        own = found.settings.database.url is None
        do = "Start the server: it brings it up to date." if own else "lockleaf admin migrate"
        return problem(f"it is {present}, and this version needs {head_revision()}", do)
    if await found.connection.fetchval(_FACT, MARK) is not None:
        return warning("a restore was not finished", "Start the server, which finishes it, or run `admin restored`.")
    return good(f"{present}, as this version needs")


async def clock(found: Surroundings) -> Finding:
    """Hold this machine's clock against the database's, and against the newest time that was written down by it."""
    if found.connection is None:
        return skipped()
    now = await found.connection.fetchval("SELECT clock_timestamp()")
    off = abs((now - found.now).total_seconds())
    do = "Set the clock by the network (chrony, systemd-timesyncd): tokens, jobs and archives go by it."
    if off > 60:
        return problem(f"this machine and the database's differ by {off:,.0f} seconds", do)
    newest = await found.connection.fetchval(_NEWEST_TIME) if await found.has("heads") else None
    ahead = (newest - found.now).total_seconds() if newest is not None else 0
    if ahead > 300:
        return problem(
            f"the clock was put back: something was written {ahead / 60:,.0f} minutes later than now",
            f"If it is right now, it was fast before, and this passes by itself. Otherwise: {do}",
        )
    if off > 5:
        return warning(f"this machine and the database's differ by {off:,.0f} seconds", do)
    return good("this machine and the database agree")


async def connections(found: Surroundings) -> Finding:
    """Say how many of the database's connections are taken."""
    if found.connection is None:
        return skipped()
    row = await found.connection.fetchrow(_CONNECTIONS)
    assert row is not None
    says = f"{row['used']} of {row['most']} are taken"
    if row["used"] > 0.85 * row["most"]:
        return warning(says, "Raise max_connections, or lower LOCKLEAF_DATABASE__POOL_SIZE.")
    return good(says)


async def locks(found: Surroundings) -> Finding:
    """Say whether something holds or waits for a lock longer than anything of the server's does."""
    if found.connection is None:
        return skipped()
    row = await found.connection.fetchrow(_LOCKS)
    assert row is not None
    do = "SELECT pid, application_name, xact_start, wait_event FROM pg_stat_activity shows them; end one that hangs."
    if row["prepared"]:
        return problem(f"{row['prepared']} prepared transactions hold locks", "Lockleaf prepares none: roll them back.")
    if row["waiting"]:
        return problem(f"{row['waiting']} statements have waited for a lock for half a minute", do)
    if row["old"]:
        return warning(f"{row['old']} transactions are open for five minutes", do)
    return good("none is held or waited for long")


async def queue(found: Surroundings) -> Finding:
    """Say how long jobs wait, and how many failed."""
    if found.connection is None or not await found.has("jobs"):
        return skipped()
    waiting = await observe(found.connection)
    failed = await found.connection.fetchval(_FAILED)
    oldest = max(waiting.overdue_seconds.values(), default=0.0)
    present = sum(waiting.present.values())
    says = f"{present:,} {'job waits or runs' if present == 1 else 'jobs wait or run'}, {failed:,} failed within a day"
    if oldest > 600:
        return problem(
            f"{says}; the oldest has waited for {oldest / 60:,.0f} minutes",
            "See that a `lockleaf worker` runs, or a server with its own database, and what its log says.",
        )
    if failed:
        return warning(says, "The worker's log names the errors; their users can ask for the jobs again.")
    return good(says)


async def files(found: Surroundings) -> Finding:
    """Look for the newest attached files in the store."""
    if found.connection is None or not await found.has("media"):
        return skipped()
    rows = await found.connection.fetch(_NEWEST, LOOKED_FOR)
    objects = open_store(found.settings, load_keys(found.settings), Clock())
    try:
        there = [await objects.stat(row["object_key"]) for row in rows]
    finally:
        await objects.close()
    missing = sum(one is None or one.size != row["size"] for one, row in zip(there, rows, strict=True))
    if missing:
        return problem(
            f"of the newest {len(rows)} attached files in the database, not in the store or not whole: {missing}",
            "See that LOCKLEAF_BLOBS__* name the store that was used; `admin restore` puts back what a backup has.",
        )
    newest = "the newest attached file is" if len(rows) == 1 else f"the newest {len(rows)} attached files are"
    return good(f"{newest} in the store" if rows else "there are none yet")


async def backup(found: Surroundings) -> Finding:
    """Say how old the last backup is."""
    if found.connection is None or not await found.has("installation"):
        return skipped()
    value = await found.connection.fetchval(_FACT, "last_backup")
    if value is None:
        return warning("there was none yet", "lockleaf admin backup PATH, each night; see `back up a server`.")
    age = found.now - datetime.fromisoformat(value)
    says = f"the last one is {age.days} days old" if age.days else "the last one is less than a day old"
    if age > timedelta(days=2):
        return warning(says, "See why the scheduled backup does not run, or run `lockleaf admin backup` by hand.")
    return good(says)


async def leftovers(found: Surroundings) -> Finding:
    """Say what restores, and the move to another PostgreSQL, have set aside."""
    if found.connection is None:
        return skipped()
    clusters = sorted(each.name for each in found.settings.data_dir.glob("postgres.*.before-*"))
    if clusters:
        return warning(
            f"set aside when the database was moved to this PostgreSQL: {', '.join(clusters)} in the data folder",
            "When the server has run well for a while, delete them.",
        )
    rows = await found.connection.fetch(_ASIDE)
    if not rows:
        return good("no database is set aside")
    size = sum(row["bytes"] for row in rows) / 2**20
    names = ", ".join(row["name"] for row in rows)
    return warning(
        f"set aside by restores: {names} ({size:,.0f} MiB)",
        "When nothing in it is missed any more: lockleaf admin compact --drop-aside NAME.",
    )

"""Putting a server back to a backup: its files first, then its database in one transaction, then a new epoch.

What is there is set aside in a schema of its own and never deleted. From it come, where it is of the same installation,
what no backup can have: attached files that were sent since, and which sessions were ended since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from lockleaf.server.main.maintenance.distribution import OTHERS, spread_of
from lockleaf.server.main.maintenance.errors import BackupUnreadable, DatabaseInUse, DatabaseNotEmpty, MaintenanceError
from lockleaf.server.main.maintenance.manifest import DATABASE
from lockleaf.server.main.maintenance.recounting import recount
from lockleaf.server.main.maintenance.sources import ListedFile, Source
from lockleaf.server.main.restoration import finish
from lockleaf.server.main.tables import metadata
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.dump import load
from lockleaf.server.platform.db.dump_tools import find_tools
from lockleaf.server.platform.db.migrate import RevisionUnknown, migrate, require_known
from lockleaf.server.platform.jobs.queue import TABLES
from lockleaf.server.records.restores import Declared

__all__ = ["Present", "Restored", "examine", "load_database", "restore"]

_SESSION = {"application_name": "lockleaf-admin", "statement_timeout": "0"}
_TABLES = """
SELECT count(*) FILTER (WHERE relname = ANY ($1)) AS ours, count(*) FILTER (WHERE relname <> ALL ($1)) AS foreign_tables
FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')
"""
_PRESENT = """
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM records) AS records,
  (SELECT max(at) FROM changes) AS last_change, (SELECT count(*) FROM changes WHERE at > $1) AS changes_since,
  (SELECT count(*) FROM accounts WHERE created_at > $1) AS accounts_since
"""
_COLUMNS = """
SELECT string_agg(quote_ident(ours.attname), ', ' ORDER BY ours.attnum) FROM pg_attribute ours
WHERE ours.attrelid = to_regclass('public.' || $1) AND ours.attnum > 0 AND NOT ours.attisdropped
  AND EXISTS (
    SELECT FROM pg_attribute theirs
    WHERE theirs.attrelid = to_regclass($2 || '.' || $1) AND theirs.attname = ours.attname
      AND theirs.attnum > 0 AND NOT theirs.attisdropped
  )
"""
# An account that has the secret and the keys of then: its sessions open it.
_SAME = """
SELECT a.user_id FROM public.accounts a JOIN {aside}.accounts b ON b.user_id = a.user_id
WHERE a.verifier_hash = b.verifier_hash AND a.kek_salt IS NOT DISTINCT FROM b.kek_salt
  AND a.keyring IS NOT DISTINCT FROM b.keyring
"""
_END_SESSIONS = "DELETE FROM {table}"
_CARRY_SESSIONS = (
    "INSERT INTO public.{table} ({columns}) SELECT {columns} FROM {aside}.{table} WHERE user_id IN ({same})"
)
_SENT_SINCE = """
SELECT b.user_id, b.media_id, b.object_key, b.size FROM {aside}.media b JOIN public.accounts a ON a.user_id = b.user_id
WHERE b.state = 'stored' AND NOT EXISTS (
  SELECT FROM public.media m WHERE m.user_id = b.user_id AND m.media_id = b.media_id AND m.state = 'stored'
)
"""
_CARRY_MEDIA = """
INSERT INTO public.media ({columns}) SELECT {columns} FROM {aside}.media WHERE user_id = $1 AND media_id = $2
"""
_FORGET_MEDIA = "DELETE FROM public.media WHERE user_id = $1 AND media_id = $2"


@dataclass(frozen=True, slots=True)
class Present:
    """What is where a backup is to be restored.

    Attributes:
        tables: in the schema ``public``; with none there is nothing to set aside.
        others: connections of servers and workers.
        changes_since, accounts_since: what the backup does not have.
    """

    tables: int
    others: int
    accounts: int = 0
    records: int = 0
    last_change: datetime | None = None
    changes_since: int = 0
    accounts_since: int = 0


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        declared: accounts that go on in a new epoch.
        aside: the schema in which the former database is; None where there was none.
        files_put, files_there: attached files that were put into the store, and that it had.
        files_absent: those that neither the backup nor the store has.
        files_since: those that were sent after the backup, and are still there.
        sessions: that go on.
    """

    declared: Declared
    aside: str | None
    files_put: int
    files_there: int
    files_absent: int
    files_since: int
    sessions: int


async def examine(url: str, source: Source) -> Present:
    """Look at the database in which a backup is to be restored.

    Raises:
        MaintenanceError: it holds somebody else's tables, or is spread over several nodes.
    """
    connection = await _connect(url)
    try:
        ours = [*metadata.tables, *TABLES, "alembic_version"]
        found = await connection.fetchrow(_TABLES, ours)
        assert found is not None
        others = await connection.fetchval(OTHERS)
        if found["foreign_tables"]:
            raise MaintenanceError(
                f"There are {found['foreign_tables']} tables in this database that are not Lockleaf's. Nothing was "
                "changed. Give it a database of its own, and restore there."
            )
        if connection.distributed and (await spread_of(connection)).spread:
            raise MaintenanceError(
                "This database is spread over several nodes. Nothing was changed. Restore into a new, empty one, and "
                "spread that with `lockleaf admin distribute`."
            )
        tables = found["ours"]
        if await connection.fetchval("SELECT to_regclass('public.accounts') IS NULL"):
            return Present(tables, others)
        row = await connection.fetchrow(_PRESENT, source.manifest.moment)
        assert row is not None
        return Present(tables, others, **dict(row))
    finally:
        await connection.close()


async def restore(
    url: str,
    store: ObjectStore,
    source: Source,
    *,
    replace: bool = False,
    before_database: Callable[[], object] = lambda: None,
) -> Restored:
    """Restore a backup. Interrupted, it can be run again.

    Args:
        url: of a database in which no server works.
        store: for its attached files.
        replace: set aside what is there, if somebody has an account in it.
        before_database: called when nothing speaks against it any more, and the files are there.

    Raises:
        BackupDamaged, BackupUnreadable, IdentityRequired: the backup cannot be used. Nothing was changed.
        DatabaseNotEmpty, DatabaseInUse: nothing was changed either.
        DumpToolsMissing, DumpError: the database does not take it. Only attached files were added.
        StoreUnavailable, StorageFull: the store does not take a file.
    """
    require_readable(source)
    source.check_parts()
    present = await examine(url, source)
    if present.others:
        raise DatabaseInUse(
            f"{present.others} connections of servers or workers are open to this database. Stop all of them, and run "
            "the restore again: what they write meanwhile would be in the database that is set aside."
        )
    if present.accounts and not replace:
        raise DatabaseNotEmpty(
            f"There are {present.accounts:,} accounts in this database already. Nothing was changed. With --replace it "
            "is set aside in a schema of its own, and the backup takes its place."
        )
    put, there, absent = await _restore_files(store, source)
    aside = f"before_{datetime.now(UTC):%Y%m%dt%H%M%S}" if present.tables else None
    before_database()
    await load_database(url, source, aside=aside)
    await migrate(url)
    since = sessions = 0
    connection, reading = await _connect(url), await _connect(url)
    try:
        if aside is None or not present.accounts:
            await _end_sessions(connection)
            if aside is not None:  # tables of ours, in which nobody had an account
                await connection.execute(f"DROP SCHEMA {aside} CASCADE")
                aside = None
        else:
            sessions = await _carry_sessions(connection, aside)
            since = await _carry_media(connection, reading, store, aside, source.manifest.installation)
        await recount(connection)
    finally:
        await reading.close()
        await connection.close()
    declared = await finish(url)
    assert declared is not None
    return Restored(declared, aside, put, there, absent, since, sessions)


def require_readable(source: Source) -> None:
    """Return if this version can restore a backup.

    Raises:
        BackupUnreadable: a later version made it.
    """
    try:
        require_known(source.manifest.schema)
    except RevisionUnknown:
        raise BackupUnreadable(
            f"The backup is of Lockleaf {source.manifest.version}, which is later than this one: its database has "
            f"schema {source.manifest.schema}. Install that version, and restore with it."
        ) from None


async def load_database(url: str, source: Source, *, aside: str | None) -> None:
    """Put a backup's database into the schema ``public``, whose content gets the name ``aside``; all of it, or nothing.

    Raises:
        DumpToolsMissing, DumpError, BackupDamaged, IdentityRequired: nothing was changed.
    """
    connection = await _connect(url)
    try:
        major = connection.get_server_version().major
    finally:
        await connection.close()
    before = [] if aside is None else [f'ALTER SCHEMA public RENAME TO "{aside}"', "CREATE SCHEMA public"]
    at = source.manifest.moment.isoformat()  # made of a time: the text of a manifest is no part of a statement
    after = [
        "DELETE FROM public.installation WHERE name IN ('restored', 'last_backup')",
        f"INSERT INTO public.installation VALUES ('restored', '{at}'), ('last_backup', '{at}')",  # noqa: S608
    ]
    await load(url, find_tools(major), source.pieces(DATABASE), before=before, after=after)


async def _connect(url: str) -> asyncpg.Connection:
    return await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)


# ---- files ----


async def _restore_files(store: ObjectStore, source: Source) -> tuple[int, int, int]:
    """Put into the store what it lacks; return how many were put there, were there, and are nowhere."""
    put = there = absent = 0
    for listed in source.listed():
        if await _is_there(store, listed):
            there += 1
        elif listed.sha256 is None:
            absent += 1
        else:
            await store.upload(listed.key, source.file(listed), size=listed.size)
            put += 1
    return put, there, absent


async def _is_there(store: ObjectStore, listed: ListedFile) -> bool:
    found = await store.stat(listed.key)
    if found is None or found.size != listed.size:
        return False
    return listed.sha256 is None or found.sha256 is None or found.sha256.hex() == listed.sha256


# ---- what the former database knows ----


async def _columns(connection: asyncpg.Connection, table: str, aside: str) -> str:
    columns: str | None = await connection.fetchval(_COLUMNS, table, aside)
    if not columns:
        raise MaintenanceError(f"The database that was set aside as {aside} has no table {table}.")
    return columns


async def _end_sessions(connection: asyncpg.Connection) -> None:
    """End all sessions: which of them had been ended since the backup, nobody knows."""
    for table in ("session_keys", "sessions"):
        await connection.execute(_END_SESSIONS.format(table=table))


async def _carry_sessions(connection: asyncpg.Connection, aside: str) -> int:
    """Let those sessions go on that were good before the restore, of accounts whose password and keys are the same."""
    async with connection.transaction():
        await _end_sessions(connection)
        for table in ("sessions", "session_keys"):
            columns = await _columns(connection, table, aside)
            same = _SAME.format(aside=aside)
            await connection.execute(_CARRY_SESSIONS.format(table=table, columns=columns, aside=aside, same=same))
    count: int = await connection.fetchval("SELECT count(*) FROM sessions")
    return count


async def _carry_media(
    connection: asyncpg.Connection, reading: asyncpg.Connection, store: ObjectStore, aside: str, installation: str
) -> int:
    """Go on knowing the attached files that were sent since the backup and are in the store; return how many."""
    theirs = await connection.fetchval(f"SELECT value FROM {aside}.installation WHERE name = 'objects'")  # noqa: S608
    if theirs != installation:
        return 0
    columns = await _columns(connection, "media", aside)
    carried = 0
    async with reading.transaction():
        async for row in reading.cursor(_SENT_SINCE.format(aside=aside), prefetch=500):
            found = await store.stat(row["object_key"])
            if found is None or found.size != row["size"]:
                continue
            place = row["user_id"], row["media_id"]
            async with connection.transaction():
                await connection.execute(_FORGET_MEDIA, *place)
                await connection.execute(_CARRY_MEDIA.format(columns=columns, aside=aside), *place)
            carried += 1
    return carried

"""Proving that a backup can be restored: it is, in a scratch database, and everything in it is checked."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from lockleaf.server.main.maintenance.chains import check_histories
from lockleaf.server.main.maintenance.errors import BackupDamaged
from lockleaf.server.main.maintenance.manifest import Manifest
from lockleaf.server.main.maintenance.restore import load_database, require_readable
from lockleaf.server.main.maintenance.sources import Source
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.embedded import EmbeddedPostgres
from lockleaf.server.platform.db.migrate import migrate

__all__ = ["Verified", "verify"]

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found.

    Attributes:
        files, file_bytes: attached files that were read and hashed.
        wrong: what is wrong, and how often; nothing in a backup that can be relied on.
    """

    manifest: Manifest
    accounts: int
    records: int
    changes: int
    files: int
    file_bytes: int
    wrong: dict[str, int] = field(default_factory=dict)


async def verify(source: Source, scratch: Path) -> Verified:
    """Restore a backup to a scratch place, and check its parts, its files, and every history in its database.

    Args:
        scratch: a folder that is there, in which a database is made, and which is left as it was.

    Raises:
        BackupDamaged, BackupUnreadable, IdentityRequired: it cannot be restored at all.
        DumpToolsMissing, DumpError: its database does not load.
        EmbeddedPostgresError: there is no database to load it into.
    """
    require_readable(source)
    source.check_parts()
    wrong: Counter[str] = Counter()
    files, size = await _check_files(source, wrong)
    with (
        tempfile.TemporaryDirectory(prefix="verify-", dir=scratch) as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=False) as postgres,
    ):
        url = postgres.dsn()
        await load_database(url, source, aside="empty")
        await migrate(url)
        connection = await connect(asyncpg_url(url), timeout=20)
        try:
            found = await check_histories(connection)
            await _check_list(connection, source, wrong)
        finally:
            await connection.close()
    wrong += found.wrong
    counts = source.manifest.counts
    if (found.accounts, found.records, found.changes, found.heads) != (
        counts.accounts,
        counts.records,
        counts.changes,
        counts.heads,
    ):
        wrong["database that does not hold what the manifest says"] += 1
    return Verified(source.manifest, found.accounts, found.records, found.changes, files, size, dict(+wrong))


async def _check_files(source: Source, wrong: Counter[str]) -> tuple[int, int]:
    """Read every attached file; return how many are right, and what they take."""
    files = size = 0
    for listed in source.listed():
        if listed.sha256 is None:
            if source.manifest.with_files:
                wrong["attached file that the store did not have"] += 1
            continue
        try:
            async for _ in source.file(listed):
                pass
        except BackupDamaged:
            wrong["attached file that is missing or damaged"] += 1
        else:
            files, size = files + 1, size + listed.size
    return files, size


async def _check_list(connection: asyncpg.Connection, source: Source, wrong: Counter[str]) -> None:
    """Hold the list of files against what the database knows."""
    await connection.execute("CREATE TEMPORARY TABLE listed (key text PRIMARY KEY)")
    rows: list[tuple[str]] = []
    for listed in source.listed():
        rows.append((listed.key,))
        if len(rows) == _AT_ONCE:
            await connection.copy_records_to_table("listed", records=rows)
            rows = []
    await connection.copy_records_to_table("listed", records=rows)
    wrong["attached file that the list leaves out"] += await connection.fetchval(
        "SELECT count(*) FROM media WHERE state = 'stored' AND object_key NOT IN (SELECT key FROM listed)"
    )

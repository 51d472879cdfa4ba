"""Moving a cluster of an earlier major version of PostgreSQL to this one, by dump and restore.

PostgreSQL reads no cluster of another major version. So the earlier programs, where they are on this machine, run the
old cluster; what they give goes straight into a new one, table by table counted; and the new one takes the old one's
name, which is set aside under another and never deleted.

    <data>/upgrade                      a data folder of its own while the new cluster is filled
    <data>/upgrade.json                 written before the folders change their names, removed behind it
    <data>/postgres.15.before-20261129  the old cluster afterwards
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import asyncpg

from lockleaf.server.platform.db.dump import DumpError, Tools, dump, load
from lockleaf.server.platform.db.embedded import leftover, probe
from lockleaf.server.platform.db.embedded.account import Account
from lockleaf.server.platform.db.embedded.binaries import POSTGRES_MAJOR, Binaries, installed_elsewhere
from lockleaf.server.platform.db.embedded.cluster import order_for, postgres_arguments, sync_folder
from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.folders import PORT, DataFolder
from lockleaf.server.platform.db.embedded.process import GuardedProcess

__all__ = ["NewCluster", "upgrade_if_older"]

_PATIENCE = 120.0
_SPACE = 1.3
"""How much space a new cluster needs, in sizes of the old one: its indexes are built, its log is kept."""
_MARK = "upgrade.json"
_DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"
_SCHEMAS = r"""
SELECT nspname FROM pg_namespace
WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%' ORDER BY nspname
"""
_TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\\_%' ORDER BY 1
"""


class NewCluster(Protocol):
    """A running PostgreSQL of this version in a data folder of its own."""

    def dsn(self, database: str = ..., *, role: str = ...) -> str:
        """Return the address of a database."""
        ...

    def ensure_database(self, name: str) -> None:
        """Create a database if it is not there."""
        ...


def upgrade_if_older(
    folder: DataFolder,
    account: Account | None,
    ours: Binaries,
    log: Any,
    begin: Callable[[Path], AbstractContextManager[NewCluster]],
) -> None:
    """Put a cluster of this version, with all that is in it, in the place of one of an earlier version.

    Args:
        ours: the programs of this version.
        begin: starts a new cluster in a data folder, and stops it at the end.

    Raises:
        EmbeddedPostgresError: it cannot be moved; the old cluster is as it was.
    """
    _finish_exchange(folder)
    version = _older_version(folder.cluster)
    if version is not None:
        _upgrade(folder, account, version, Tools(ours.folder, ours.major), log, begin)


def _older_version(cluster: Path) -> int | None:
    """Return the major version of a cluster that is earlier than this one; None for any other, or none."""
    try:
        version = int((cluster / "PG_VERSION").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return version if version < POSTGRES_MAJOR else None


def _finish_exchange(folder: DataFolder) -> None:
    """Give the clusters their names where that was interrupted, and remove what an interrupted upgrade left."""
    mark, new = folder.root / _MARK, folder.root / "upgrade" / "postgres"
    with contextlib.suppress(FileNotFoundError):
        aside = folder.root / json.loads(mark.read_bytes())["aside"]
        if new.is_dir():
            if folder.cluster.is_dir() and not aside.exists():
                folder.cluster.rename(aside)
            if not folder.cluster.exists():
                new.rename(folder.cluster)
        sync_folder(folder.root)
        mark.unlink()
    _remove_unfinished(folder)


def _upgrade(
    folder: DataFolder,
    account: Account | None,
    version: int,
    tools: Tools,
    log: Any,
    begin: Callable[[Path], AbstractContextManager[NewCluster]],
) -> None:
    old = _programs(folder, version)
    _require_space(folder)
    log.info("postgres_upgrade_begins", version=version, to=POSTGRES_MAJOR)
    leftover.stop_leftover(folder.cluster, _PATIENCE)
    _remove_unfinished(folder)
    with _running(folder, old, account) as source, begin(folder.root / "upgrade") as new:
        _in_thread(lambda: asyncio.run(_copy_all(source, new, tools)))
    aside = f"postgres.{version}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    mark = folder.root / _MARK
    draft = mark.with_suffix(".draft")
    draft.write_text(json.dumps({"aside": aside}), encoding="ascii")
    draft.replace(mark)
    sync_folder(folder.root)
    _finish_exchange(folder)
    log.info("postgres_upgraded", version=version, to=POSTGRES_MAJOR, aside=str(folder.root / aside))


def _programs(folder: DataFolder, version: int) -> Binaries:
    for found in installed_elsewhere():
        if found.major == version and os.access(found.postgres, os.X_OK):
            return found
    raise EmbeddedPostgresError(
        f"The database in {folder.cluster} was made by PostgreSQL {version}, and this Lockleaf brings PostgreSQL "
        f"{POSTGRES_MAJOR}. Nothing was changed. It is moved by itself where the programs of PostgreSQL {version} are: "
        f"install them (postgresql-{version} on Debian), or have their folder in PATH, and start again. Or make a "
        "backup with the Lockleaf that made it (lockleaf admin backup), move the folder away, and restore the backup "
        "with this one (lockleaf admin restore)."
    )


def _require_space(folder: DataFolder) -> None:
    size = sum(os.lstat(Path(parent) / name).st_size for parent, _, names in os.walk(folder.cluster) for name in names)
    free = shutil.disk_usage(folder.root).free
    if free < size * _SPACE:
        raise EmbeddedPostgresError(
            f"The database in {folder.cluster} has to be moved to PostgreSQL {POSTGRES_MAJOR}, for which its disk "
            f"needs {size * _SPACE / 2**20:,.0f} MiB; {free / 2**20:,.0f} MiB are free. Nothing was changed. Free "
            "some space, and start again."
        )


@contextlib.contextmanager
def _running(folder: DataFolder, old: Binaries, account: Account | None) -> Iterator[Callable[[str], str]]:
    """Run the old cluster; give what makes the address of one of its databases."""
    socket_dir = folder.make_socket_folder(account)
    argv = postgres_arguments(old, folder.cluster, socket_dir)
    order = order_for(argv, account, (old.postgres, folder.cluster, socket_dir), signal.SIGINT)
    process = GuardedProcess(order, folder.log, patience=_PATIENCE)

    def check() -> None:
        if not process.is_alive():
            said = " / ".join(process.last_words()) or "it said nothing"
            raise EmbeddedPostgresError(
                f"The earlier PostgreSQL in {old.folder} does not start on {folder.cluster}: {said}. Nothing was "
                f"changed; more is in {folder.log}."
            )

    try:
        probe.wait_until_ready(socket_dir, check)
        yield lambda name: f"postgresql://{probe.ADMINISTRATOR}@/{name}?host={quote(str(socket_dir))}&port={PORT}"
    finally:
        process.stop()
        folder.remove_socket_folder()


async def _copy_all(source: Callable[[str], str], new: NewCluster, tools: Tools) -> None:
    for (database,) in await _fetch(source("postgres"), _DATABASES):
        await asyncio.to_thread(new.ensure_database, database)
        old_url, new_url = source(database), new.dsn(database)
        for (schema,) in await _fetch(old_url, _SCHEMAS):
            try:
                before = [] if schema == "public" else [f'CREATE SCHEMA "{schema}"']
                dumped = dump(old_url, tools, schema=schema)
                await load(new_url, tools, dumped, schema=schema, before=before)
            except DumpError as error:
                raise EmbeddedPostgresError(
                    f"The database {database} could not be moved to PostgreSQL {POSTGRES_MAJOR}: {error} The old one "
                    "is as it was."
                ) from error
        counted = await _counts(old_url)
        if counted != await _counts(new_url):
            raise EmbeddedPostgresError(
                f"The database {database} did not come whole into PostgreSQL {POSTGRES_MAJOR}. The old one is as it "
                "was, and in force. This is a fault of the program: please report it."
            )


async def _counts(url: str) -> dict[str, int]:
    """Return how many rows each table has."""
    names = [name for (name,) in await _fetch(url, _TABLES)]
    return {name: (await _fetch(url, f"SELECT count(*) FROM {name}"))[0][0] for name in names}  # noqa: S608


async def _fetch(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


def _in_thread(work: Callable[[], None]) -> None:
    """Do it in a thread of its own: whoever starts PostgreSQL may have a running event loop."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="lockleaf-postgres-upgrade")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def _remove_unfinished(folder: DataFolder) -> None:
    shutil.rmtree(folder.root / "upgrade", ignore_errors=True)

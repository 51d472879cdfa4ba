"""The schema is what the migrations make, and can be spread over many databases by user."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.server.main.tables import schema_difference
from lockleaf.server.platform.db import migrate as migration
from lockleaf.server.platform.db.engine import driver_of, sqlalchemy_url
from lockleaf.server.platform.db.migrate import (
    RevisionUnknown,
    WrongDirection,
    downgrade,
    head_revision,
    is_current,
    migrate,
    revision_at,
    sql,
)
from lockleaf.server.platform.jobs.queue import TABLES
from tests.conftest import fresh_database

STAND_APART = {
    "email_directory",
    "installation",
    "integration_applications",
    "invitations",
    "media_removals",
    "alembic_version",
    *TABLES,
}
"""Tables that are no user's: the directory by which an email finds its account, what is said of the whole installation,
objects that the store shall delete, whoever's they were, what networks call this server, Alembic's own, and the
queue's."""

ROOT = Path(__file__).parents[2]
MIGRATIONS = Path(migration.__file__).parent / "migrations"
REVISIONS = [each.revision for each in ScriptDirectory.from_config(migration._config()).walk_revisions()][::-1]

UNIQUE_INDEXES = """
SELECT t.relname AS table, i.relname AS index, x.indisprimary AS is_primary,
       (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = x.indkey[0]) AS first_column
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = 'public' AND x.indisunique
"""

FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS table,
       (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) AS first_column,
       (SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1]) AS first_target
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


@pytest.fixture
def empty_database_url(worker_id: str) -> Iterator[str]:
    yield fresh_database(f"lockleaf_schema_{worker_id}_{secrets.token_hex(4)}")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_the_migrations_make_the_tables_that_the_code_declares(database_url: str) -> None:
    assert await schema_difference(database_url) == []


async def test_every_step_can_be_taken_back_and_taken_again(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    made = await _tables(empty_database_url)
    await downgrade(empty_database_url, "base")
    assert await revision_at(empty_database_url) is None
    assert await _tables(empty_database_url) == {"alembic_version"}
    for revision in [*REVISIONS, "head"]:
        await migrate(empty_database_url, revision)
    assert await revision_at(empty_database_url) == head_revision()
    assert await _tables(empty_database_url) == made
    assert await schema_difference(empty_database_url) == []


async def test_a_difference_between_tables_and_code_would_be_noticed(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("ALTER TABLE records DROP COLUMN source")
    await connection.close()
    assert [difference[0] for difference in await schema_difference(empty_database_url)] == ["add_column"]


async def test_the_printed_statements_do_what_the_command_does(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        middle = REVISIONS[len(REVISIONS) // 2]
        await connection.execute(sql(None, middle, forth=True))
        assert await revision_at(empty_database_url) == middle
        await connection.execute(sql(middle, "head", forth=True))
        assert await schema_difference(empty_database_url) == []
        assert sql("head", "head", forth=True).strip() == ""
        await connection.execute(sql("head", middle, forth=False))
        assert await revision_at(empty_database_url) == middle
        await connection.execute(sql(middle, "base", forth=False))
    finally:
        await connection.close()
    assert await _tables(empty_database_url) <= {"alembic_version"}


async def test_a_schema_that_is_not_there_or_lies_the_other_way_is_refused(empty_database_url: str) -> None:
    await migrate(empty_database_url, REVISIONS[0])
    for wrong in ("9999", "-1", "heads", ""):
        for go in (migrate, downgrade):
            with pytest.raises(RevisionUnknown, match=f"knows no schema {wrong}\\. It knows base, 0001, "):
                await go(empty_database_url, wrong)
    with pytest.raises(WrongDirection, match="0001, which is older than head"):
        await downgrade(empty_database_url, "head")
    with pytest.raises(WrongDirection, match="0001, which is newer than base"):
        await migrate(empty_database_url, "base")
    with pytest.raises(WrongDirection):
        sql(REVISIONS[1], REVISIONS[0], forth=True)
    assert await revision_at(empty_database_url) == REVISIONS[0]


def alembic(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the developers' command does, run in the root of the repository."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_alembic_itself_finds_no_difference(database_url: str) -> None:
    checked = await asyncio.to_thread(alembic, database_url, "check")
    assert (checked.returncode, checked.stdout) == (0, "No new upgrade operations detected.\n"), checked.stderr


async def test_alembic_itself_writes_what_is_missing(empty_database_url: str, tmp_path: Path) -> None:
    await migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("ALTER TABLE records DROP COLUMN source")
    await connection.close()
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    ini = (ROOT / "alembic.ini").read_text()
    ini = ini.replace("lockleaf.server.platform.db:migrations", str(tmp_path / "migrations"))
    (tmp_path / "alembic.ini").write_text(ini)
    named = ("--autogenerate", "--rev-id", "9999", "-m", "what is missing")
    made = await asyncio.to_thread(alembic, empty_database_url, "-c", str(tmp_path / "alembic.ini"), "revision", *named)
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "migrations" / "versions" / "9999_what_is_missing.py").read_text()
    assert 'op.add_column("records", sa.Column("source"' in text.replace("'", '"')
    assert text.count("lock_timeout") == 2
    compile(text, "9999_what_is_missing.py", "exec")


def test_the_names_of_files_tell_which_schemas_there_are() -> None:
    assert list(migration._revisions()) == REVISIONS


async def test_servers_that_start_together_migrate_once(empty_database_url: str) -> None:
    await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    engine = create_async_engine(sqlalchemy_url(empty_database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        assert await is_current(await driver_of(connection))
    await engine.dispose()


async def test_every_table_of_user_data_begins_its_primary_key_with_the_user(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(UNIQUE_INDEXES)
    primary = {row["table"]: row["first_column"] for row in rows if row["is_primary"]}
    tables = {row["tablename"] for row in await connection.fetch("SELECT * FROM pg_tables WHERE schemaname = 'public'")}
    assert tables == set(primary)
    assert {"accounts", "records", "changes", "sessions"} < tables
    assert {table for table, column in primary.items() if column != "user_id"} == STAND_APART


async def test_no_unique_index_or_foreign_key_crosses_users(connection: asyncpg.Connection) -> None:
    unique = await connection.fetch(UNIQUE_INDEXES)
    crossing = {(row["table"], row["index"]) for row in unique if row["first_column"] != "user_id"}
    assert {table for table, _ in crossing} == STAND_APART
    for row in await connection.fetch(FOREIGN_KEYS):
        assert (row["first_column"], row["first_target"]) == ("user_id", "user_id"), row["table"]


async def test_names_are_compared_by_their_bytes_on_every_machine(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name IN ('record_id', 'collection', 'email', 'device_id')"
    )
    assert rows
    assert {row["collation_name"] for row in rows} == {"C"}

"""A data folder of an earlier PostgreSQL goes on with this one: by dump and restore, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lockleaf.server.main.maintenance.backup import back_up
from lockleaf.server.main.maintenance.restore import restore
from lockleaf.server.main.maintenance.sources import open_backup
from lockleaf.server.platform.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.account import choose_account
from lockleaf.server.platform.db.embedded.binaries import Binaries, installed_elsewhere
from lockleaf.server.platform.db.embedded.cluster import order_for, postgres_arguments
from lockleaf.server.platform.db.embedded.folders import PORT, DataFolder
from lockleaf.server.platform.db.embedded.probe import ensure_database, wait_until_ready
from lockleaf.server.platform.db.embedded.process import GuardedProcess
from lockleaf.server.platform.db.migrate import migrate
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import served
from tests.support.accounts import change, register
from tests.support.media import attach, fetch
from tests.support.operated import operated


def programs(major: int) -> Binaries:
    """The programs of an earlier PostgreSQL; the test is skipped where they are not."""
    for found in installed_elsewhere():
        if found.major == major and found.initdb.exists():
            return found
    pytest.skip(f"needs the programs of PostgreSQL {major}, which are not here")


@contextlib.contextmanager
def earlier(data: Path, old: Binaries) -> Iterator[str]:
    """A cluster as a Lockleaf with an earlier PostgreSQL made it, running; the address of its database."""
    folder = DataFolder(data)
    folder.prepare()
    account = choose_account(folder.cluster)
    folder.let_pass(account)
    folder.make_cluster_folder(folder.cluster, account)
    create = [str(old.initdb), f"--pgdata={folder.cluster}", "--username=postgres", "--auth=trust", "--no-sync"]
    create += ["--encoding=UTF8", "--locale=C"]
    order = order_for(create, account, (old.initdb, folder.cluster), signal.SIGKILL)
    subprocess.run(order, check=True, capture_output=True)
    sockets = folder.make_socket_folder(account)
    argv = postgres_arguments(old, folder.cluster, sockets)
    process = GuardedProcess(order_for(argv, account, (folder.cluster, sockets), signal.SIGINT), folder.log, 30)
    try:
        wait_until_ready(sockets, lambda: None)
        ensure_database(sockets, "lockleaf")
        yield f"postgresql://lockleaf@/lockleaf?host={quote(str(sockets))}&port={PORT}"
    finally:
        process.stop()
        folder.remove_socket_folder()


def settings_for(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, data: Path) -> Settings:
    for name, value in {**environment, "DATABASE_URL": url, "LOCKLEAF_DATA_DIR": str(data)}.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize("major", [15, 16])
async def test_a_server_goes_on_with_everything_from_an_earlier_postgresql(
    major: int, server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    with earlier(data, programs(major)) as url:
        await migrate(url)
        async with served(settings_for(monkeypatch, server_environment, url, data)) as (_, http):
            owner = await register(http)
            await owner.push(change(), change())
            media_id = await attach(owner, b"a file")
            before = await owner.feed()
        # What a restore set aside goes along.
        connection: Any = await _connect(url)
        await connection.execute("CREATE SCHEMA before_x; CREATE TABLE before_x.kept AS SELECT 7 AS seven")
        await connection.close()
    postgres = EmbeddedPostgres(data, durable=False)
    await asyncio.to_thread(postgres.start)
    try:
        url = postgres.dsn()
        assert (data / "postgres" / "PG_VERSION").read_text().strip() == "18"
        (aside,) = data.glob(f"postgres.{major}.before-*")
        assert (aside / "PG_VERSION").read_text().strip() == str(major)
        await migrate(url)
        async with served(settings_for(monkeypatch, server_environment, url, data)) as (_, http):
            owner.http = http
            after = await owner.feed()
            assert (after["epoch"], after["head"], after["changes"]) == (
                before["epoch"],
                before["head"],
                before["changes"],
            )
            assert await fetch(owner, media_id) == b"a file"
            assert (await owner.push(change()))["results"][0]["seq"] == 3
        connection = await _connect(url)
        assert await connection.fetchval("SELECT seven FROM before_x.kept") == 7
        await connection.close()
    finally:
        await asyncio.to_thread(postgres.stop)
    assert not (data / "upgrade").exists()


async def _connect(url: str) -> Any:
    import asyncpg

    return await asyncpg.connect(url)


def test_without_the_earlier_programs_it_says_what_to_do_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = tmp_path / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("11\n")
    with pytest.raises(EmbeddedPostgresError, match=r"postgresql-11 on Debian.*lockleaf admin restore"):
        EmbeddedPostgres(tmp_path / "data").start()
    assert [each.name for each in cluster.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_an_exchange_that_was_cut_short_is_finished_at_the_next_start(tmp_path: Path, renamed: int) -> None:
    data = tmp_path / "data"
    with EmbeddedPostgres(data, durable=False):
        pass
    # The new one is in its place, the old one's name is `aside`: take back what was not done yet.
    new, aside = data / "upgrade" / "postgres", data / "postgres.15.before-x"
    new.parent.mkdir()
    (data / "postgres").rename(new)
    aside.mkdir()
    (aside / "PG_VERSION").write_text("15\n")
    (data / "upgrade.json").write_text(json.dumps({"aside": aside.name}))
    if renamed == 0:
        aside.rename(data / "postgres")
    if renamed == 2:
        new.rename(data / "postgres")
    with EmbeddedPostgres(data, durable=False):
        assert (data / "postgres" / "PG_VERSION").read_text().strip() == "18"
    assert (aside / "PG_VERSION").read_text() == "15\n"
    assert not (data / "upgrade.json").exists() and not new.parent.exists()


async def test_a_backup_of_this_postgresql_is_restored_in_an_earlier_one(
    server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operated(server_environment, tmp_path, monkeypatch) as site:
        await site.owner.push(change(), change())
        await site.back_up()
        with (
            earlier(tmp_path / "earlier", programs(15)) as url,
            open_backup(tmp_path / "backups", (), scratch=tmp_path) as source,
        ):
            done = await restore(url, site.store, source)
            assert (done.declared.accounts, done.aside) == (1, None)
            connection = await _connect(url)
            assert await connection.fetchval("SELECT count(*) FROM changes") == 2
            await connection.close()
            # And a backup of that one is made by the later programs.
            made = await back_up(url, site.store, tmp_path / "of the earlier")
            assert (made.manifest.counts.changes, made.manifest.server.partition(".")[0]) == (2, "15")

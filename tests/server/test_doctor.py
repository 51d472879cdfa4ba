"""What the operator's doctor finds, and what compacting drops."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from lockleaf.server.main.maintenance.compacting import compact
from lockleaf.server.main.maintenance.doctor import CHECKS, examine_server
from lockleaf.server.main.maintenance.errors import DatabaseInUse
from lockleaf.server.main.maintenance.findings import Finding, Surroundings
from lockleaf.server.platform.db.connections import connect
from lockleaf.server.platform.settings import Settings
from tests.conftest import fresh_database
from tests.support.accounts import change
from tests.support.media import attach, object_key
from tests.support.operated import Site, operated


@pytest.fixture
async def site(
    server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    async with operated(server_environment, tmp_path, monkeypatch) as site:
        yield site


async def examined(site: Site, *, ahead: timedelta = timedelta()) -> dict[str, Finding]:
    """What is found, by a clock that is so much ahead."""
    connection = await connect(site.url)
    try:
        return dict(await examine_server(Surroundings(Settings(), connection, datetime.now(UTC) + ahead)))
    finally:
        await connection.close()


def worse(findings: dict[str, Finding]) -> dict[str, str]:
    """Findings that ask for something; each says what."""
    found = {name: finding for name, finding in findings.items() if finding.level != "ok"}
    assert all(finding.do for finding in found.values() if finding.level != "skipped")
    return {name: str(finding.level) for name, finding in found.items()}


async def test_a_server_that_is_well_is_found_to_be_so(site: Site) -> None:
    await attach(site.owner, b"a file")
    await site.back_up()
    findings = await examined(site)
    # The disk is that of whoever runs the tests.
    assert {name: level for name, level in worse(findings).items() if name != "disk"} == {}
    assert findings.keys() == CHECKS.keys()


async def test_each_thing_that_is_wrong_is_named_with_what_to_do(site: Site) -> None:
    media_id = await attach(site.owner, b"a file")
    await site.store.delete([await object_key(site.parts, site.owner, media_id)])
    settings = Settings()
    (settings.data_dir / "blobs").chmod(0o755)
    connection = await asyncpg.connect(site.url)
    try:
        await connection.execute(
            "UPDATE alembic_version SET version_num = '0006';"
            "CREATE SCHEMA before_20260101t000000;"
            "UPDATE heads SET media_bytes = 1;"
            "INSERT INTO jobs (user_id, job_id, kind, state, finished_at)"
            " SELECT user_id, gen_random_uuid(), 'export', 'failed', now() FROM accounts"
        )
        findings = worse(await examined(site, ahead=timedelta(hours=1)))
        findings.pop("disk", None)
        assert findings == {
            "permissions": "problem",
            "schema": "problem",
            "clock": "problem",
            "queue": "warning",
            "files": "problem",
            "backup": "warning",
            "usage": "problem",
            "leftovers": "warning",
        }
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert "later version" in (await examined(site))["schema"].says
    finally:
        await connection.close()


async def test_a_clock_that_was_put_back_is_found_by_whatever_was_written_last(site: Site) -> None:
    await site.owner.push(change())
    connection = await asyncpg.connect(site.url)
    try:
        for table, column in (("sessions", "last_used_at"), ("accounts", "created_at"), ("changes", "at")):
            for minutes, level in ((4, "ok"), (121, "problem"), (0, "ok")):
                await connection.execute(f"UPDATE {table} SET {column} = now() + interval '1 minute' * {minutes}")
                found = (await examined(site))["clock"]
                assert found.level == level, table
                assert ("put back" in found.says) == (level == "problem")
    finally:
        await connection.close()


async def test_an_empty_database_is_named_as_such_and_nothing_else_is_wrong_with_it(
    server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await asyncio.to_thread(fresh_database, f"empty_{secrets.token_hex(4)}")
    for name, value in {**server_environment, "DATABASE_URL": url, "LOCKLEAF_DATA_DIR": str(tmp_path / "d")}.items():
        monkeypatch.setenv(name, value)
    connection = await connect(url)
    try:
        found = dict(await examine_server(Surroundings(Settings(), connection, datetime.now(UTC))))
    finally:
        await connection.close()
    assert {name for name, level in worse(found).items() if level != "skipped" and name != "disk"} == {"schema"}


async def test_a_database_that_does_not_answer_is_one_problem_and_what_hangs_on_it_is_left_out(site: Site) -> None:
    findings = dict(await examine_server(Surroundings(Settings(), None, datetime.now(UTC), "nobody listens")))
    levels = {name: str(finding.level) for name, finding in findings.items() if name != "disk"}
    assert levels.pop("database") == "problem"
    assert {name for name, level in levels.items() if level == "ok"} == {"settings", "secrets", "permissions", "store"}
    assert set(levels.values()) == {"ok", "skipped"}


async def test_compacting_drops_what_has_expired_and_asks_others_to_stop_only_where_it_writes_anew(
    site: Site, http: httpx.AsyncClient
) -> None:
    connection = await asyncpg.connect(site.url)
    try:
        await connection.execute("UPDATE sessions SET expires_at = now() - interval '1 day'")
        with pytest.raises(DatabaseInUse):
            await compact(Settings(), site.url, full=True)
        done = await compact(Settings(), site.url, full=False)
        assert await connection.fetchval("SELECT count(*) FROM sessions") == 0
        assert min(done.before.database, done.after.database) > 0
        await site.disconnect()
        await compact(Settings(), site.url, full=True)
    finally:
        await connection.close()

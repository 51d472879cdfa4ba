"""Backups of a server that serves: consistent, whole or absent, and put back so that nothing is lost on the way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pyrage
import pytest

from lockleaf.server.main.maintenance.backup import BackupMade, back_up
from lockleaf.server.main.maintenance.errors import (
    BackupDamaged,
    BackupExists,
    BackupUnreadable,
    BackupUnwritable,
    DatabaseInUse,
    DatabaseNotEmpty,
    MaintenanceError,
)
from lockleaf.server.main.maintenance.restore import load_database, restore
from lockleaf.server.main.maintenance.secrets import secrets_of
from lockleaf.server.main.maintenance.sources import moments, open_backup
from lockleaf.server.main.maintenance.verification import verify
from lockleaf.server.main.preparation import prepare
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.db.dump import DumpError
from lockleaf.server.platform.settings import Settings
from tests.support.accounts import change, following, register
from tests.support.media import attach, complete, declare, fetch, in_parts, object_key, sent, two_parts
from tests.support.operated import Site, operated


@pytest.fixture
async def site(
    server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    async with operated(server_environment, tmp_path, monkeypatch) as site:
        yield site


async def test_a_folder_keeps_several_backups_and_each_file_once(site: Site) -> None:
    one = await attach(site.owner, b"the first file")
    first = await site.back_up(keep=2)
    assert (first.copied, first.reused, first.path.stat().st_mode & 0o777) == (1, 0, 0o700)
    declared = await declare(site.owner, in_parts(parts := two_parts()))
    for part, signed in zip(parts, declared["parts"], strict=True):
        await sent(site.owner.http, signed, part)
    assert (await complete(site.owner, declared["id"])).status_code == 200
    second = await _later(site, keep=2)
    assert (second.copied, second.reused, second.manifest.files) == (1, 1, 2)
    answer = await site.owner.request("DELETE", f"/media/{one}", params={"for_good": True})
    assert answer.is_success
    third = await _later(site, keep=2)
    assert moments(site.folder / "backups") == [third.path.name, second.path.name]
    assert len(list((site.folder / "backups" / "files").rglob("*-*"))) == 2
    fourth = await _later(site, keep=1)
    assert moments(site.folder / "backups") == [fourth.path.name]
    (kept,) = (site.folder / "backups" / "files").rglob("*-*")
    assert kept.read_bytes() == b"".join(parts)
    assert await site.wrong() == {}
    metrics = await site.owner.http.get("http://lockleaf.test/metrics")
    (told,) = re.findall(r"^lockleaf_backup_age_seconds (\S+)$", metrics.text, re.MULTILINE)
    assert float(told) >= 0


async def _later(site: Site, **options: object) -> BackupMade:
    """Make another backup as soon as its name is another: they are named by their second."""
    while True:
        try:
            return await site.back_up(**options)
        except BackupExists:
            await asyncio.sleep(0.1)


async def test_what_is_deleted_while_a_backup_runs_is_in_it_and_leaves_the_store_behind_it(site: Site) -> None:
    media_id = await attach(site.owner, b"deleted meanwhile")
    key = await object_key(site.parts, site.owner, media_id)

    async def meanwhile() -> None:
        answer = await site.owner.request("DELETE", f"/media/{media_id}", params={"for_good": True})
        assert answer.is_success
        await site.owner.push(change())
        await site.parts[Removals].all_staged()
        assert await site.store.stat(key) is not None
        with pytest.raises(MaintenanceError, match="Another backup"):
            await back_up(site.url, site.store, site.folder / "other")

    made = await site.back_up(before_files=meanwhile)
    assert (made.manifest.files, made.manifest.counts.changes, made.manifest.missing) == (1, 0, ())
    assert await site.wrong() == {}
    await site.parts[Removals].all_staged()
    assert await site.store.stat(key) is None


_KILLED = """
import asyncio, sys
from pathlib import Path
from lockleaf.server.main.maintenance.backup import back_up
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.server_keys import load_keys
from lockleaf.server.platform.settings import Settings

async def wait():
    print("half", flush=True)
    await asyncio.Event().wait()

settings = Settings()
store = open_store(settings, load_keys(settings), lambda: None)
url = settings.database.url.get_secret_value()
asyncio.run(back_up(url, store, Path(sys.argv[1]), before_files=wait))
"""


@pytest.mark.parametrize("name", ["backups", "one.tar"])
async def test_a_backup_that_is_killed_leaves_none_under_its_name_and_the_next_one_clears_up(
    site: Site, name: str
) -> None:
    path = site.folder / name
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "half\n"
        process.kill()
    assert moments(path) == [] and not path.is_file()
    with pytest.raises(BackupUnreadable), open_backup(path, (), scratch=site.folder):
        pass
    while True:  # PostgreSQL has to notice that nobody holds the lock any more
        try:
            await back_up(site.url, site.store, path)
            break
        except MaintenanceError as error:
            assert "Another backup" in str(error)
            await asyncio.sleep(0.05)
    assert not list(site.folder.rglob("*.making-*"))


async def test_a_disk_without_room_is_named_and_what_was_there_stays(site: Site) -> None:
    await site.back_up()
    before = moments(site.folder / "backups")
    program = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n{_KILLED}"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, str(site.folder / "backups")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert BackupUnwritable.__name__ in done.stderr, done.stderr
    assert "there is no half backup" in done.stderr
    assert moments(site.folder / "backups") == before


async def test_a_backup_that_is_not_sealed_holds_no_secret_of_the_server(site: Site) -> None:
    kept = secrets_of(Settings())
    assert kept is not None
    await site.back_up(secrets=kept)
    roots = [
        os.environ["LOCKLEAF_SECRETS__ROOTS"],
        os.environ["LOCKLEAF_SECRETS__PRELOGIN"],
        *json.loads(kept)["roots"],
    ]
    everything = b"".join(file.read_bytes() for file in (site.folder / "backups").rglob("*") if file.is_file())
    assert [root for root in roots if root.encode() in everything] == []


async def test_a_verification_says_what_of_a_backup_is_not_right(site: Site) -> None:
    await attach(site.owner, b"a file")
    new = change()
    await site.owner.push(new, change())
    await site.owner.push(following(new))
    made = await site.back_up()
    (file,) = (site.folder / "backups" / "files").rglob("*-*")
    file.write_bytes(b"a fil!")
    assert await site.wrong() == {"attached file that is missing or damaged": 1}
    dumped = made.path / "database.dump"
    dumped.write_bytes(dumped.read_bytes()[:-1])
    with pytest.raises(BackupDamaged):
        await site.wrong()
    connection = await asyncpg.connect(site.url)
    try:
        for harm in (
            "UPDATE changes SET revision = 7 WHERE seq = 2",
            "UPDATE records SET packed = (SELECT packed FROM revisions LIMIT 1) WHERE seq = 3",
            "DELETE FROM changes WHERE seq = 3",
        ):
            await connection.execute(harm)
    finally:
        await connection.close()
    file.unlink()
    await _later(site)
    wrong = await site.wrong()
    assert wrong["history that does not lead to its head"] == 1
    assert wrong["record that is not what its history says"] == 2


async def test_a_restore_sets_aside_what_is_there_and_goes_on_with_files_and_sessions_of_since(
    site: Site, tmp_path: Path
) -> None:
    owner = site.owner
    await owner.push(change())
    deleted = await attach(owner, b"deleted since")
    await site.back_up()
    since = await attach(owner, b"sent since")
    assert (await owner.request("DELETE", f"/media/{deleted}", params={"for_good": True})).is_success
    await site.parts[Removals].all_staged()
    await owner.push(change())
    stolen = await register(owner.http)
    with open_backup(site.folder / "backups", (), scratch=tmp_path) as source:
        with pytest.raises(DatabaseInUse):
            await restore(site.url, site.store, source)
        await site.disconnect()
        with pytest.raises(DatabaseNotEmpty):
            await restore(site.url, site.store, source)
        done = await restore(site.url, site.store, source, replace=True)
    assert (done.declared.accounts, done.files_put, done.files_since, done.sessions) == (1, 1, 1, 1)
    page = await owner.feed()
    assert (page["seq"], len(page["epochs"]), page["epochs"][-1]["from_seq"]) == (1, 2, 1)
    for media_id, data in ((deleted, b"deleted since"), (since, b"sent since")):
        assert await fetch(owner, media_id) == data
    assert (await stolen.request("GET", "/auth/me")).status_code == 401
    held = (await owner.request("GET", "/auth/features")).json()["storage"]["media_used_bytes"]
    assert held == len(b"deleted since") + len(b"sent since")
    connection = await asyncpg.connect(site.url)
    try:
        assert await connection.fetchval(f"SELECT count(*) FROM {done.aside}.accounts") == 2
        assert await connection.fetchval(f"SELECT count(*) FROM {done.aside}.changes") == 2
    finally:
        await connection.close()


async def test_a_load_that_breaks_off_changes_nothing_and_one_that_was_not_finished_is_at_the_next_start(
    site: Site, tmp_path: Path
) -> None:
    await site.owner.push(change())
    before = await site.owner.feed()
    made = await site.back_up()
    dumped = made.path / "database.dump"
    whole = dumped.read_bytes()
    with open_backup(site.folder / "backups", (), scratch=tmp_path) as source:
        dumped.write_bytes(whole[: len(whole) * 9 // 10])
        with pytest.raises((BackupDamaged, DumpError)):
            await load_database(site.url, source, aside="gone")
        assert (await site.owner.feed())["head"] == before["head"]
        dumped.write_bytes(whole)
        await load_database(site.url, source, aside="gone")
    await asyncio.to_thread(prepare, site.url, False, False)
    after = await site.owner.feed()
    assert [each["from_seq"] for each in after["epochs"]] == [0, 1]
    await asyncio.to_thread(prepare, site.url, False, False)
    assert (await site.owner.feed())["epoch"] == after["epoch"]


async def test_a_sealed_backup_opens_with_its_identity_alone_and_holds_the_secrets(site: Site, tmp_path: Path) -> None:
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    await attach(site.owner, b"a file")
    made = await site.back_up(recipient=str(identity.to_public()), secrets=b"the secrets")
    assert b"PGDMP" not in (made.path / "database.dump.age").read_bytes()
    with open_backup(site.folder / "backups", (other,), scratch=tmp_path) as source, pytest.raises(BackupDamaged):
        source.check_parts()
    with open_backup(site.folder / "backups", (identity,), scratch=tmp_path) as source:
        assert source.secrets() == b"the secrets"
        assert (await verify(source, tmp_path)).wrong == {}

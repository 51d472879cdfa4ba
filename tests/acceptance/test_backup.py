"""A server is backed up while it serves and put back later: three devices lose nothing, and no attached file."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pyrage
import pytest

from lockleaf.client.errors import ServerRestored
from tests.support.installations import Installation, attach, bodies, synced

LARGE = os.urandom(9 * 1024 * 1024)
"""Sent in parts, and longer than a chunk of a backup in one file."""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


async def test_three_devices_lose_nothing_by_a_restore_and_no_attached_file(
    installation: Installation, tmp_path: Path
) -> None:
    async with installation.people() as ada:
        with installation.running():
            laptop = await ada.first()
            phone, tablet = await ada.another("phone"), await ada.another("tablet")
            before = await attach(laptop, tmp_path, "with a file", LARGE)
            for device in (phone, tablet):
                await device.sync()
            made = await asyncio.to_thread(installation.admin, "backup", str(installation.backups))
            assert (made["accounts"], made["copied"], made["missing"]) == (1, 1, 0)
            after = await attach(laptop, tmp_path, "sent after the backup", b"only the server has it")
            await phone.journal.write(body="written on the phone")
            await phone.sync()
            await laptop.sync()
            gone = (await laptop.journal.list())[0].id
            await laptop.journal.edit(gone, title="edited after the backup")
            await laptop.sync()
            refused = await asyncio.to_thread(
                installation.admin, "restore", str(installation.backups), "--replace", "--yes", code=5
            )
            assert refused["name"] == "DatabaseInUse"
        refused = installation.admin("restore", str(installation.backups), code=5)
        assert refused["name"] == "DatabaseNotEmpty"
        done = installation.admin("restore", str(installation.backups), "--replace", "--yes")
        assert (done["accounts"], done["files_since"], done["files_put"]) == (1, 1, 0)
        assert str(done["set_aside"]).startswith("before_")
        with installation.running():
            with pytest.raises(ServerRestored):
                await laptop.sync()
            for device in (laptop, phone, tablet, laptop):
                await synced(device, ada)
            expected = ["sent after the backup", "with a file", "written on the phone"]
            for device in (laptop, phone, tablet):
                assert await bodies(device) == expected
                assert (await device.journal.get(gone)).title == "edited after the backup"
            for media_id, content in ((before, LARGE), (after, b"only the server has it")):
                path = await tablet.media.download(media_id, tmp_path / media_id)
                assert path.read_bytes() == content


async def test_a_sealed_backup_in_one_file_makes_the_same_server_on_an_empty_machine(
    installation: Installation, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    key = tmp_path / "key.txt"
    key.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    file = tmp_path / "server.tar.age"
    async with installation.people() as ada:
        with installation.running():
            laptop = await ada.first()
            media_id = await attach(laptop, tmp_path, "with a file", LARGE)
            await asyncio.to_thread(installation.admin, "backup", str(file), "--to", str(identity.to_public()))
            since = await attach(laptop, tmp_path, "sent after the backup", b"lost with the server's disk")
        secrets = json.loads((installation.data / "secrets.json").read_text())
        assert (file.stat().st_mode & 0o777, file.read_bytes()[:22]) == (0o600, b"age-encryption.org/v1\n")
        installation.data.rename(tmp_path / "lost")
        assert installation.admin("restore", str(file), code=9)["name"] == "IdentityRequired"
        done = installation.admin("restore", str(file), "--identity", str(key))
        assert (done["accounts"], done["files_put"], done["secrets"]) == (1, 1, "in_force")
        assert json.loads((installation.data / "secrets.json").read_text())["prelogin"] == secrets["prelogin"]
        with installation.running():
            await synced(laptop, ada)
            phone = await ada.another("phone")
            await phone.sync()
            for kept, content in ((media_id, LARGE), (since, b"lost with the server's disk")):
                path = await phone.media.download(kept, tmp_path / kept)
                assert path.read_bytes() == content

"""A server is backed up while it serves and put back later: three devices lose nothing, and no attached file."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pyrage
import pytest

from lockleaf.client import Client
from lockleaf.client.errors import NotLoggedIn, ServerRestored, SessionRevoked
from tests.support.command_line import CommandLine
from tests.support.diarist import Diarist, diarist
from tests.support.process import RunningServer, running_server

LARGE = os.urandom(9 * 1024 * 1024)
"""Sent in parts, and longer than a chunk of a backup in one file."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Installation:
    """A server with a database of its own, which is started and stopped, and the operator's command line."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.backups = folder / "backups"
        self.port = _free_port()
        self._folder = folder
        self._cheap = {"LOCKLEAF_HASHING__MEMORY_KIB": "64", "LOCKLEAF_HASHING__ITERATIONS": "1"}
        self.operator = CommandLine(folder / "operator")

    @contextmanager
    def running(self) -> Iterator[RunningServer]:
        """The server, running on its data folder."""
        environment = {"LOCKLEAF_DATA_DIR": str(self.data), **self._cheap}
        with running_server(environment, log=self._folder / "log", port=self.port) as server:
            yield server

    @asynccontextmanager
    async def people(self) -> AsyncIterator[Diarist]:
        """Somebody with devices."""
        async with diarist(self._folder / "devices", f"http://127.0.0.1:{self.port}") as someone:
            yield someone

    def admin(self, *arguments: str, code: int = 0) -> dict[str, object]:
        """Run a command of the operator's; return its result, or its error."""
        outcome = self.operator.run(
            "--json", "admin", *arguments, "--data-dir", str(self.data), code=code, environment=self._cheap
        )
        found: dict[str, object] = outcome.error() if code else outcome.value()
        return found


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


async def attach(client: Client, folder: Path, text: str, content: bytes) -> str:
    """Write an entry with a file, and synchronise; the file's id."""
    file = folder / f"{text}.bin"
    file.write_bytes(content)
    entry = await client.journal.write(body=text)
    made = await client.media.attach(entry.id, file)
    report = await client.sync()
    assert report.media.waiting == 0
    return made.media_id


async def bodies(client: Client) -> list[str]:
    return sorted(entry.body for entry in await client.journal.list())


async def synced(client: Client, someone: Diarist) -> None:
    """Synchronise as the program advises: log in where a session has ended, accept the restore where it is asked."""
    for _ in range(3):
        try:
            await client.sync()
        except (SessionRevoked, NotLoggedIn):
            await someone.login(client)
        except ServerRestored:
            await client.sync(accept_restore=True)
        else:
            return
    raise AssertionError("it still asks")


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

"""The command line when something is out of order: a restored server, a history that differs, no keychain."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Outcome, fresh_email
from tests.support.forged_history import history_of
from tests.support.lies import Restored, Shows
from tests.support.lying_server import LyingServer


class Device(CommandLine):
    """A device whose server runs in the test's own event loop."""

    async def do(self, *arguments: str, code: int = 0) -> Outcome:
        return await asyncio.to_thread(self.run, *arguments, code=code)


@pytest.fixture
async def laptop(liar: LyingServer, tmp_path: Path) -> Device:
    device = Device(tmp_path, "laptop")
    await device.do("register", "--server", liar.url, "--email", fresh_email(), "--device-name", "laptop")
    return device


async def test_a_restored_server_is_accepted_when_the_user_says_so(laptop: Device, liar: LyingServer) -> None:
    await laptop.do("write", "kept")
    await laptop.do("sync")
    async with await laptop.client() as client:
        earlier = await history_of(client)
    await laptop.do("write", "lost")
    await laptop.do("sync")
    liar.tell(Restored(earlier.restored(1)))

    asked = (await laptop.do("sync", "--json", code=7)).error()
    assert (asked["code"], asked["missing"]) == ("server_restored", 1)
    assert "--accept-restore" in asked["hint"]
    report = (await laptop.do("sync", "--accept-restore", "--json")).value()
    assert (report["pushed"], report["pending"], report["conflicts"]) == (1, 0, 0)
    assert {entry["body"] for entry in (await laptop.do("list", "--json")).values()} == {"kept", "lost"}


async def test_a_history_that_differs_says_what_to_do_and_everything_here_counts_as_unsynced(
    laptop: Device, liar: LyingServer
) -> None:
    await laptop.do("write", "synced")
    await laptop.do("sync")
    await laptop.do("write", "never synced")
    async with await laptop.client() as client:
        forged = await history_of(client)
    forged.changes[0]["payload"] = b"\x01\x01" + bytes(300)
    liar.tell(Shows(forged))
    (await laptop.do("write", "another")).out.strip()
    told = (await laptop.do("sync", "--json", code=7)).error()
    assert told["code"] == "history_forked"
    assert "deletes nothing" in told["message"]
    assert told["hint"] == "lockleaf repair"
    unsynced = (await laptop.do("list", "--unsynced", "--all", "--json")).values()
    assert {entry["body"] for entry in unsynced} == {"synced", "never synced", "another"}


async def test_status_tells_when_the_last_sync_was(laptop: Device) -> None:
    assert (await laptop.do("status", "--json")).value()["last_sync"] is None
    await laptop.do("sync")
    assert (await laptop.do("status", "--json")).value()["last_sync"].startswith("20")
    assert "last sync" in (await laptop.do("status")).out


async def test_where_the_key_is_kept_is_said_once(liar: LyingServer, tmp_path: Path) -> None:
    device = Device(tmp_path / "other", "other")
    assert "keychain" not in (await device.do("status", code=3)).err
    made = await device.do("register", "--server", liar.url, "--email", fresh_email(), "--device-name", "x")
    assert "This system has no keychain" in made.err
    assert "keychain" not in (await device.do("status")).err
    assert (await device.do("status", "--json")).value()["keys_in"] == "password"

"""A journal that was begun without an account joins one that is there, with everything that it holds."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from lockleaf.client import DraftContent, JournalLocked, JournalMoved
from lockleaf.client.store import account_of
from lockleaf.crypto.kdf import CHEAPEST
from tests.support import killed_logins
from tests.support.begun_journals import BYTES, MINE, Begun, account_at, opened
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.kills import was_killed
from tests.support.process import RunningServer

EVERY = 1 if os.environ.get("LOCKLEAF_TESTS_THOROUGHLY") else 5
"""Every how many file operations the login is killed."""


async def test_everything_in_it_joins_an_account_that_has_entries_of_its_own(
    tmp_path: Path, server: RunningServer
) -> None:
    email, _ = await account_at(server, tmp_path, "of the account")
    begun = await Begun.at(tmp_path)
    async with await opened(tmp_path) as laptop:
        await laptop.account.login(server.url, email, PASSWORD, device_name=MINE)
        assert laptop.keys_in == "password"
        await begun.check(laptop, tmp_path / "before")
        report = await laptop.sync()
        assert (report.pending, report.media.waiting, report.media.refused) == (0, 0, ())
        await begun.check(laptop, tmp_path / "after")
        await laptop.journal.restore(begun.deleted)
        await laptop.media.restore(begun.removed)
        assert (await laptop.sync()).media.waiting == 0
    folder = tmp_path / "profiles" / MINE
    assert not (folder / "keychain.json").exists()
    assert not (folder / "joining").exists()
    async with await opened(tmp_path, "first", password=PASSWORD) as first:
        await first.sync()
        bodies = {entry.body for entry in await first.journal.list()}
        assert bodies == {"of the account", "other words", "two", "deleted"}
        for media_id in (begun.attachment, begun.removed):
            path = await first.media.download(media_id, tmp_path / "there", overwrite=True)
            assert path.read_bytes() == BYTES
        assert {tag.name.lower() for tag in await first.journal.tags()} == {"home", "sea"}
        assert len(await first.journal.conflicts()) == 1
    async with await opened(tmp_path, password=PASSWORD) as laptop:
        assert {entry.body for entry in await laptop.journal.list()} == bodies


@pytest.mark.parametrize("custody", ["e2e", "uce"])
async def test_a_recovery_code_brings_an_account_to_it_as_well(
    tmp_path: Path, server: RunningServer, custody: str
) -> None:
    email, codes = await account_at(server, tmp_path, "of the account", custody=custody)
    begun = await Begun.at(tmp_path)
    async with await opened(tmp_path) as laptop:
        await laptop.account.recover(
            server.url, email, codes[0], "another heron, quite another", device_name=MINE, custody=custody,  # type: ignore[arg-type]
            kdf_profile=CHEAPEST,
        )  # fmt: skip
        await laptop.sync()
        await begun.check(laptop, tmp_path / "after")
        assert await laptop.journal.count() == 3


async def test_an_account_whose_keys_the_server_makes_is_registered_from_it(
    tmp_path: Path, server: RunningServer
) -> None:
    begun = await Begun.at(tmp_path)
    email = fresh_email()
    async with await opened(tmp_path) as laptop:
        await laptop.account.register(server.url, email, PASSWORD, device_name=MINE, custody="uce")
        await laptop.sync()
        await begun.check(laptop, tmp_path / "after")
    async with await opened(tmp_path, "phone") as phone:
        await phone.account.login(server.url, email, PASSWORD, device_name="phone", custody="uce")
        await phone.sync()
        path = await phone.media.download(begun.attachment, tmp_path / "there")
        assert path.read_bytes() == BYTES


async def test_what_both_have_under_one_id_is_merged_or_a_conflict(tmp_path: Path, server: RunningServer) -> None:
    email, _ = await account_at(server, tmp_path)
    async with await opened(tmp_path) as laptop, await opened(tmp_path, "first", password=PASSWORD) as first:
        await laptop.begin(device_name=MINE)
        same = await laptop.journal.write(body="the same")
        other = await laptop.journal.write(body="as it is here")
        for entry, body in ((same, "the same"), (other, "as it is there")):
            await first.journal.write(body=body, entry_id=entry.id)
        await first.sync()
        await laptop.account.login(server.url, email, PASSWORD, device_name=MINE)
        await laptop.sync()
        await first.sync()
        for device in (laptop, first):
            (conflict,) = await device.journal.conflicts()
            assert conflict.local is not None
            held = {conflict.local.body, (await device.journal.get(other.id)).body}
            assert held == {"as it is here", "as it is there"}
            assert (await device.journal.get(same.id)).body == "the same"


async def killed_at(home: Path, server: RunningServer, email: str, operation: int) -> bool:
    """Log in in a process that is to be killed; whether it was."""
    return await asyncio.to_thread(was_killed, killed_logins.__name__, home, server.url, email, operation)


@pytest.mark.parametrize("locked", [False, True])
async def test_a_login_killed_anywhere_is_done_again_and_nothing_is_missing(
    tmp_path: Path, server: RunningServer, locked: bool
) -> None:
    kept = tmp_path / "kept"
    begun = await Begun.at(kept)
    if locked:
        # Its keys lie under a password of its own, as an account's would.
        shutil.rmtree(kept / "profiles")
        async with await opened(kept) as client:
            await client.begin(device_name=MINE, password=PASSWORD)
            await client.journal.write(body="under a password")
    operation, killed, was_killed = 0, 0, True
    while was_killed:
        home = tmp_path / f"copy-{operation}"
        shutil.copytree(kept, home)
        email, _ = await account_at(server, tmp_path / f"account-{operation}", "of the account")
        was_killed = await killed_at(home, server, email, operation)
        killed += was_killed
        async with await opened(home) as client:
            if not client.is_logged_in:
                await client.account.login(server.url, email, PASSWORD, device_name=MINE)
            assert not (home / "profiles" / MINE / "joining").exists(), operation
            done = await client.sync()
            assert (done.pending, done.media.waiting, client.keys_in) == (0, 0, "password"), operation
            if locked:
                bodies = {each.body for each in await client.journal.list()}
                assert bodies == {"under a password", "of the account"}, operation
            else:
                await begun.check(client, tmp_path / "out")
                assert await client.journal.count() == 3
        shutil.rmtree(home)
        operation += EVERY
    assert killed >= 3


@pytest.mark.parametrize(
    "reached", ["the folder of what is made", "the store sealed anew", "the files in their places"]
)
async def test_a_login_cancelled_anywhere_leaves_nothing_behind_that_would_be_needed(
    tmp_path: Path, server: RunningServer, reached: str
) -> None:
    begun = await Begun.at(tmp_path)
    email, _ = await account_at(server, tmp_path, "of the account")
    profile = tmp_path / "profiles" / MINE
    made = profile / "joining" / "media" / f"{begun.attachment}.age"

    def has_come() -> bool:
        match reached:
            case "the folder of what is made":
                return (profile / "joining").exists()
            case "the store sealed anew":
                return account_of(profile / "store.sqlite3") is not None
            case _:
                return account_of(profile / "store.sqlite3") is not None and not made.exists()

    async with await opened(tmp_path) as client:
        login = asyncio.create_task(client.account.login(server.url, email, PASSWORD, device_name=MINE))
        while not login.done() and not await asyncio.to_thread(has_come):
            await asyncio.sleep(0)
        login.cancel()
        await asyncio.wait((login,))
    async with await opened(tmp_path) as client:
        if not client.is_logged_in:
            await client.account.login(server.url, email, PASSWORD, device_name=MINE)
        await client.sync()
        await begun.check(client, tmp_path / "out")
    assert not (profile / "joining").exists()


async def test_a_program_that_has_it_open_writes_nothing_that_nobody_could_read(
    tmp_path: Path, server: RunningServer
) -> None:
    email, _ = await account_at(server, tmp_path)
    async with await opened(tmp_path) as page:
        await page.begin(device_name=MINE)
    async with await opened(tmp_path) as page, await opened(tmp_path) as other:
        entry = await page.journal.write(body="before")
        await other.account.login(server.url, email, PASSWORD, device_name=MINE)
        for attempt in (page.journal.write(body="after"), page.journal.get(entry.id)):
            with pytest.raises(JournalMoved):
                await attempt
        with pytest.raises(JournalMoved):
            page.drafts.begin("write", DraftContent(text=b"typed"))
        assert [each.body for each in await other.journal.list()] == ["before"]


async def test_a_file_that_is_damaged_stops_no_login_and_is_told(tmp_path: Path, server: RunningServer) -> None:
    email, _ = await account_at(server, tmp_path)
    begun = await Begun.at(tmp_path)
    (tmp_path / "profiles" / MINE / "media" / f"{begun.attachment}.age").write_bytes(b"not what was sealed")
    told: list[str] = []
    async with await opened(tmp_path, notice=told.append) as laptop:
        await laptop.account.login(server.url, email, PASSWORD, device_name=MINE)
        assert (await laptop.journal.get(begun.kept)).body == "other words"
        assert [each for each in told if each.startswith("1 attached files are not on this device")]


async def test_one_that_is_locked_wants_its_own_password_first(tmp_path: Path, server: RunningServer) -> None:
    email, _ = await account_at(server, tmp_path)
    async with await opened(tmp_path) as laptop:
        await laptop.begin(device_name=MINE, password="quite another heron")
        await laptop.journal.write(body="sealed")
        await laptop.lock()
        with pytest.raises(JournalLocked):
            await laptop.account.login(server.url, email, PASSWORD, device_name=MINE)
        await laptop.unlock("quite another heron")
        await laptop.account.login(server.url, email, PASSWORD, device_name=MINE)
        await laptop.lock()
        await laptop.unlock(PASSWORD)
        assert [each.body for each in await laptop.journal.list()] == ["sealed"]


def test_the_command_line_logs_in_with_a_journal_that_was_begun_before(tmp_path: Path, server: RunningServer) -> None:
    email = fresh_email()
    other = CommandLine(tmp_path / "other", "other")
    other.run("register", "--server", server.url, "--email", email, "--device-name", "other")
    other.run("write", "of the account")
    other.run("sync")
    mine = CommandLine(tmp_path / "mine", "mine")
    mine.run("write", "of this machine")
    mine.run("login", "--server", server.url, "--email", email, "--device-name", "mine")
    mine.run("sync")
    other.run("sync")
    for device in (mine, other):
        told = device.run("list", "--json").out
        assert "of this machine" in told
        assert "of the account" in told

"""A repair that is killed at any of its file operations: run again, it finishes, and everything is there."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from fastapi import FastAPI

from lockleaf.client import Client, FileKeychain
from lockleaf.client.errors import HistoryForked
from tests.support import killed_repairs
from tests.support.backups import Backup
from tests.support.diarist import AT_ONCE, PASSWORD, Diarist, caught, write
from tests.support.kills import was_killed
from tests.support.senders import POST, put_in

EVERY = 1 if os.environ.get("LOCKLEAF_TESTS_THOROUGHLY") else 9
"""Every how many file operations the repair is killed."""
BYTES = bytes(range(256)) * 40


async def killed_at(home: Path, operation: int) -> bool:
    """Repair in a process that is to be killed; whether it was."""
    return await asyncio.to_thread(was_killed, killed_repairs.__name__, home, operation)


@dataclass(frozen=True)
class Words:
    """Everything that a device holds for its user."""

    entries: list[str]
    conflicts: list[str]
    inbox: list[str]

    @classmethod
    async def of(cls, client: Client) -> Words:
        return cls(
            sorted(entry.body for entry in await client.journal.list(include_deleted=True)),
            sorted(each.local.body for each in await client.journal.conflicts() if each.local is not None),
            sorted(each.body for each in await client.inbox.list()),
        )


async def open_copy(home: Path) -> Client:
    keychain = FileKeychain(home / f"{killed_repairs.PROFILE}.keychain")
    return await Client.open(home, killed_repairs.PROFILE, keychain=keychain, allow_test_parameters=True, retry=AT_ONCE)


async def test_a_repair_killed_anywhere_is_run_again_and_nothing_is_missing(
    app: FastAPI, ada: Diarist, database_url: str, tmp_path: Path
) -> None:
    laptop = await ada.first(killed_repairs.PROFILE)
    assert laptop.profile is not None
    user_id = laptop.profile.user_id
    entry, disputed, *_ = await write(laptop, "before 1", "before 2", "before 3")
    phone = await ada.another("phone")
    await phone.sync()
    for number in ("1", "2"):
        await put_in(app, user_id, number, POST | {"body": f"arrived {number}"})
    await laptop.sync()
    connection = await asyncpg.connect(database_url)
    backup = Backup(connection, user_id, also=("inbox", "media"))
    await backup.take()

    await write(laptop, "after")
    await phone.journal.edit(disputed, body="as the phone has it")
    await phone.sync()
    await laptop.journal.edit(disputed, body="as the laptop has it")
    await laptop.sync()
    first = next(item for item in await laptop.inbox.list() if item.body == "arrived 1")
    await laptop.inbox.accept(first.id)
    file = tmp_path / "picture"
    file.write_bytes(BYTES)
    attached = await laptop.media.attach(entry, file)
    await laptop.journal.write(body="never sent")
    had = await Words.of(laptop)
    assert (len(had.entries), len(had.conflicts), had.inbox) == (6, 1, ["arrived 2"])
    await backup.restore(None)
    await caught(laptop.sync(), HistoryForked)
    await laptop.aclose()
    kept = tmp_path / "kept"
    shutil.copytree(ada.home, kept)

    operation, killed, was_killed = 0, 0, True
    while was_killed:
        await backup.restore(None)
        home = tmp_path / f"copy-{operation}"
        shutil.copytree(kept, home)
        was_killed = await killed_at(home, operation)
        killed += was_killed
        async with await open_copy(home) as client:
            if was_killed:
                await client.sync.repair(PASSWORD)
            done = await client.sync()
            assert (done.pending, done.media.waiting) == (0, 0), operation
            now = await Words.of(client)
            assert set(now.entries) >= set(had.entries), operation
            assert len(now.entries) == len(had.entries), operation
            assert now.conflicts == had.conflicts, operation
            assert now.inbox == had.inbox, operation
            assert (await client.media.download(attached, tmp_path / "back", overwrite=True)).read_bytes() == BYTES
            assert (await client.sync.repair(PASSWORD)).aside == (), operation
        shutil.rmtree(home)
        operation += EVERY
    assert killed >= 3
    await connection.close()

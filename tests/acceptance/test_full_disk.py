"""A disk without room, under a real client: it is called by its name, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lockleaf.client import EntryDraft
from tests.support.diarist import Diarist

ENTRIES = 2400
LIMIT = 3_000_000

_PROGRAM = """
import asyncio, json, resource, sys
from pathlib import Path
from lockleaf.client import Client, FileKeychain, LockleafError
from tests.acceptance.test_full_disk import drafts

async def main(home, name, what, limit):
    # No file may grow beyond it: to a program that is what a quota is, and much like a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    keychain = FileKeychain(home / f"{name}.keychain")
    async with await Client.open(home, name, keychain=keychain, allow_test_parameters=True) as client:
        error = ""
        try:
            await (client.sync() if what == "sync" else client.journal.import_entries(drafts()))
        except LockleafError as raised:
            error = type(raised).__name__
        print(json.dumps([error, await client.journal.count()]))

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
"""


def drafts() -> Iterator[EntryDraft]:
    """More than fits into what the limit leaves."""
    for number in range(ENTRIES):
        yield EntryDraft(
            body=f"entry {number} " + "and so on " * 60, date="2020-01-01", external_id=str(number), provider="test"
        )


def run(home: Path, name: str, what: str) -> tuple[str, int]:
    """Run a client that can write no more than the limit; its error, and how many entries it then has."""
    command = [sys.executable, "-c", _PROGRAM, str(home), name, what, str(LIMIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    error, count = json.loads(done.stdout)
    return error, count


async def test_an_import_and_a_sync_that_fill_the_disk_go_on_once_there_is_room(ada: Diarist) -> None:
    laptop = await ada.first("laptop")
    first = await laptop.journal.write(body="written before")
    await laptop.aclose()
    error, kept = await asyncio.to_thread(run, ada.home, "laptop", "import")
    assert error == "DiskFull"
    assert 1 < kept < ENTRIES
    laptop = await ada.open("laptop")
    report = await laptop.journal.import_entries(drafts())
    assert (report.added, report.present) == (ENTRIES + 1 - kept, kept - 1)
    assert (await laptop.sync()).pushed == ENTRIES + 1

    phone = await ada.another("phone")
    mine = await phone.journal.write(body="never sent yet")
    await phone.aclose()
    error, kept = await asyncio.to_thread(run, ada.home, "phone", "sync")
    assert error == "DiskFull"
    assert 1 < kept < ENTRIES
    phone = await ada.open("phone")
    assert (await phone.journal.get(mine.id)).pending
    report = await phone.sync()
    assert (report.pushed, report.pending, report.conflicts, report.seq) == (1, 0, 0, ENTRIES + 2)
    await laptop.sync()
    there = {entry.id: entry.body for entry in await phone.journal.list()}
    assert there == {entry.id: entry.body for entry in await laptop.journal.list()}
    assert len(there) == ENTRIES + 2
    assert there[first.id] == "written before"
    assert set(there.values()) > {draft.body for draft in drafts()}

"""An import whose process is killed at its file operations: run as a program, with a folder to work in.

A journal with photos is imported by a forked process that is killed at its first operation on a file of its home, then
by one that is killed at its second, and so on until one comes through, each in a fresh home. After each, what the
journal holds is looked at, the import is run again, and what it holds then is looked at.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sys
from pathlib import Path

from lockleaf.client.journal.journal import Journal
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring
from tests.support.journals.dayone import DayOneFile, entry, write_dayone
from tests.support.journals.pictures import jpeg
from tests.support.kills import die_at

__all__ = ["main"]

ENTRIES = 4


def _store(home: Path, keyring: Keyring) -> LocalStore:
    path = home / "store.sqlite3"
    return LocalStore.open(path, local_keys(keyring)) if path.exists() else LocalStore.create(path, keyring)


async def _import(home: Path, keyring: Keyring, export: Path) -> tuple[int, int]:
    with _store(home, keyring) as store:
        report = await Journal(store, media=home / "media").import_from(export)
    return report.added, report.present


def _held(home: Path, keyring: Keyring) -> dict[str, int]:
    """How many files each entry has; every one of them has to be there, sealed and waiting for its upload."""
    with _store(home, keyring) as store:
        found = {}
        for each in asyncio.run(Journal(store).list()):
            for file in each.attachments:
                sealed = home / "media" / f"{file.media_id}.age"
                assert sealed.stat().st_size == file.sealed_size, "a file of an entry is not whole"
                assert store.media.get(file.media_id) is not None, "a file of an entry does not wait for its upload"
            found[each.body.split("\n")[0]] = len(each.attachments)
        return found


def main(folder: Path) -> None:
    """Kill it everywhere, and write what was seen as one line of JSON for each time."""
    keyring = Keyring.new("2026-01-01T00:00:00Z")
    fresh = folder / "fresh"
    fresh.mkdir()
    _store(fresh, keyring).close()
    photos = [DayOneFile("photos", jpeg(number), "jpeg") for number in range(ENTRIES * 2)]
    made = [
        entry(
            f"entry {number}\n{photos[2 * number].link}", f"2020-01-0{number + 1}T00:00:00Z", *photos[2 * number :][:2]
        )
        for number in range(ENTRIES)
    ]
    export = write_dayone(folder / "e.zip", {"Journal": [*made, entry("entry 4")]}, photos)
    for last in itertools.count():
        home = folder / f"home-{last}"
        shutil.copytree(fresh, home)
        child = os.fork()
        if child == 0:
            die_at(last, within=home)
            asyncio.run(_import(home, keyring, export))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        left = _held(home, keyring)
        again = asyncio.run(_import(home, keyring, export))
        print(json.dumps({"left": left, "again": again, "then": _held(home, keyring)}), flush=True)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A repair that is killed at one of its file operations: run as a program, with the home folder and the operation."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lockleaf.client import Client, FileKeychain
from tests.support.diarist import PASSWORD
from tests.support.kills import die_at

PROFILE = "laptop"


async def repair(home: Path, last: int) -> None:
    """Repair the journal below ``home``; be killed before the file operation ``last`` below it."""
    keychain = FileKeychain(home / f"{PROFILE}.keychain")
    async with await Client.open(home, PROFILE, keychain=keychain, allow_test_parameters=True) as client:
        die_at(last, home)
        await client.sync.repair(PASSWORD)


if __name__ == "__main__":
    asyncio.run(repair(Path(sys.argv[1]), int(sys.argv[2])))

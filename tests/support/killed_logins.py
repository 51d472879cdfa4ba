"""A login of a journal that had no account, killed at one of its file operations: run as a program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lockleaf.client import Client
from tests.support.command_line import PASSWORD
from tests.support.kills import die_at

PROFILE = "laptop"


async def login(home: Path, server: str, email: str, last: int) -> None:
    """Log the journal below ``home`` in; be killed before the file operation ``last`` below it."""
    async with await Client.open(home, PROFILE, allow_test_parameters=True) as client:
        die_at(last, home)
        await client.account.login(server, email, PASSWORD, device_name=PROFILE)


if __name__ == "__main__":
    asyncio.run(login(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))

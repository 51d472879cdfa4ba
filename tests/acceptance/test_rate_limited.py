"""What a person reads who is asked to come back later."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, fresh_email
from tests.support.scripted_server import problem, scripted_server


@pytest.mark.parametrize(
    ("seconds", "told"), [("100", "Try again in 100 seconds."), ("3001", "Try again in 51 minutes.")]
)
async def test_a_command_says_when_to_try_again(tmp_path: Path, seconds: str, told: str) -> None:
    async with scripted_server(problem(429, "rate_limited", {"Retry-After": seconds})) as server:
        device = CommandLine(tmp_path)
        login = ("login", "--server", server.url, "--email", fresh_email())
        outcome = await asyncio.to_thread(device.run, *login, code=6)
        assert told in " ".join(outcome.err.split())
        error = (await asyncio.to_thread(device.run, *login, "--json", code=6)).error()
        assert (error["code"], error["retry_after"]) == ("rate_limited", float(seconds))
        assert len(server.seen) == 2

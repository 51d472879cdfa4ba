"""Fixtures of the acceptance tests: a server that can lie, and somebody who keeps a journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.diarist import Diarist, diarist
from tests.support.lying_server import LyingServer, lying_server
from tests.support.process import RunningServer


@pytest.fixture
async def liar(server: RunningServer) -> AsyncIterator[LyingServer]:
    """A proxy before the real server, honest until it is told to lie."""
    async with lying_server(server.url) as liar:
        yield liar


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[Diarist]:
    """Somebody who keeps a journal at the real server."""
    async with diarist(tmp_path, server.url) as ada:
        yield ada

"""Fixtures of the acceptance tests: a server that can lie, and somebody who keeps a journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.diarist import Diarist, diarist
from tests.support.lying_server import LyingServer, lying_server
from tests.support.process import RunningServer
from tests.support.storage_proxy import StorageProxy, storage_proxy


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


@pytest.fixture
async def wire(server: RunningServer) -> AsyncIterator[StorageProxy]:
    """A proxy before the real server and its store, which holds, alters and counts what passes."""
    async with storage_proxy(server.port) as wire:
        yield wire


@pytest.fixture
async def eve(tmp_path: Path, wire: StorageProxy) -> AsyncIterator[Diarist]:
    """Somebody whose devices reach the server by the wire."""
    async with diarist(tmp_path / "eve", wire.url) as eve:
        yield eve

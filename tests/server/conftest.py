"""Fixtures of the server's tests."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import structlog

from lockleaf.server.platform.observability.logging import configure
from tests.conftest import settings_of
from tests.support.account_holders import Clock, Clocked, served


@pytest.fixture(scope="session")
async def clocked_for_all(
    server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Clocked]:
    with pytest.MonkeyPatch.context() as patched:
        settings = settings_of(server_environment, tmp_path_factory.mktemp("clocked") / "data", patched)
    clock = Clock()
    async with served(settings, clock=clock) as (app, http):
        yield Clocked(app, http, clock)


@pytest.fixture
def clocked(clocked_for_all: Clocked) -> Clocked:
    """One application of all tests of this worker that move its clock, which is right when a test begins."""
    clocked_for_all.clock.offset = timedelta()
    return clocked_for_all


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of this process at its most talkative, as a worker would write it, and afterwards as it was."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    configure("json", "DEBUG", stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**before)

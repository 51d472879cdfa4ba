"""Fixtures of the server's tests."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from lockleaf.server.platform.observability.logging import configure


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

"""Fixtures of the server's tests."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from lockleaf.crypto import uce
from lockleaf.server.platform.observability.logging import configure


@pytest.fixture(scope="module", autouse=True)
def cheap_keys() -> Iterator[None]:
    """Stretch the secrets of uce accounts in this process with hardly any memory.

    No setting can make that cheap, the protocol says what it costs, and its vectors are tested as they are
    (tests/unit/crypto/test_uce.py). Hundreds of accounts here would take 0.15 s of a processor each, more than once.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uce, "_MEMORY_KIB", 64)
        yield


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

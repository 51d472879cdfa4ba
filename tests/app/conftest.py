"""Fixtures of the tests of the local page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.local_page import Page, page_of
from tests.support.offline_devices import offline_device


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """The folder of a profile ``laptop`` that has an account whose server does not answer."""
    async with offline_device(tmp_path):
        return tmp_path


@pytest.fixture
async def page(home: Path) -> AsyncIterator[Page]:
    """A browser on the page of that profile."""
    async with page_of(home) as page:
        yield page

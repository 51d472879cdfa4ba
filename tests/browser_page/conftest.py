"""Fixtures of the tests that look at the local page: a browser, and journals that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.chromium import chromium
from tests.support.command_line import CommandLine, fresh_email
from tests.support.journal_page import AppProcess, Opens, Window, context, open_window, profile
from tests.support.process import RunningServer

# How long a person would wait on a busy machine; nothing waits so long where it is quick.
expect.set_options(timeout=45_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    path = chromium()
    with sync_playwright() as playwright:
        # It draws with the processor in any case: in the process that is there already, and without a library between.
        arguments = ["--no-sandbox", "--disable-gpu", "--in-process-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def device(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A device that is logged in."""
    return profile(tmp_path_factory.mktemp("home"), server.url, fresh_email())


@pytest.fixture(scope="module")
def served(device: CommandLine) -> Iterator[AppProcess]:
    """The journal of that device, served to a browser."""
    app = AppProcess(device)
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="module")
def shared_window(browser: Browser, served: AppProcess) -> Iterator[Window]:
    """The window that the tests of a module share; each goes where it wants."""
    ours = context(browser)
    yield open_window(ours, served.url)
    ours.close()


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens a window of its own on the journal of a device, until the test ends; the page broke nothing by then."""
    windows: list[Window] = []
    with ExitStack() as stack:

        def open_one(device: CommandLine, **options: Any) -> Window:
            app = AppProcess(device)
            stack.callback(app.stop)
            ours = context(browser, **options)
            stack.callback(ours.close)
            windows.append(open_window(ours, app.start()))
            return windows[-1]

        yield open_one
    assert [window.faults for window in windows] == [[]] * len(windows)


@pytest.fixture
def window(shared_window: Window) -> Iterator[Window]:
    """That window; the page broke neither its policy of content nor otherwise when the test ends."""
    yield shared_window
    assert shared_window.faults == []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for profiles of this test alone."""
    return tmp_path / "home"

"""Every test of the contract has to have heard what it says that it shows.

Below both prefixes are the same routes, added in one loop. Those tests run below both that ask every route: they would
miss one that is not there, or does not answer as the other does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from lockleaf.server.main.maintenance.distribution import DISTRIBUTED
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock, Clocked, served
from tests.support.contract import PREFIX, Contract, Document, Running
from tests.support.one_account import meant_to_be_of_several, sent_through, unnamed


@pytest.fixture
def base() -> str:
    """The prefix of the routes; a test that runs below both has both as its parameter."""
    return PREFIX


@pytest.fixture(scope="session")
def documents() -> dict[str, Document]:
    """The one document of the application, once an application was made."""
    return {}


@pytest.fixture(scope="session")
def running(clocked_for_all: Clocked) -> Running:
    """What serves the contract's tests, unless their settings are their own."""
    app, _, clock = clocked_for_all
    return Running(app, clock, sent_through(app.state.parts[Database]))


@pytest.fixture
async def own_running(settings: Settings) -> AsyncIterator[Running]:
    """What serves one test, with its ``settings``."""
    clock = Clock()
    async with served(settings, clock=clock) as (app, _):
        yield Running(app, clock, sent_through(app.state.parts[Database]))


@pytest.fixture
async def contract(
    request: pytest.FixtureRequest, running: Running, documents: dict[str, Document], base: str
) -> AsyncIterator[Contract]:
    """A client of the real application that takes note of what it hears."""
    if not documents:
        documents["the"] = Document(running.app.openapi())
    failed = request.session.testsfailed
    running.sent.clear()
    running.clock.offset = timedelta()
    contract = Contract(running.app, documents["the"], base, running.clock)
    async with contract.http:
        yield contract
    across = {each for each in running.sent if unnamed(each, DISTRIBUTED)} - meant_to_be_of_several()
    assert across == set(), "these name no account"
    said = {answer for mark in request.node.iter_markers("shows") for answer in mark.args}
    assert said <= contract.heard or request.session.testsfailed > failed, "the test did not show what it says"

"""Every test of the contract has to have heard what it says that it shows.

Below both prefixes are the same routes, added in one loop. Those tests run below both that ask every route: they would
miss one that is not there, or does not answer as the other does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lockleaf.server.main.app import create_app
from lockleaf.server.main.maintenance.distribution import DISTRIBUTED
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock
from tests.support.contract import PREFIX, Contract, Document
from tests.support.one_account import meant_to_be_of_several, sent_through, unnamed


@pytest.fixture
def base() -> str:
    """The prefix of the routes; a test that runs below both has both as its parameter."""
    return PREFIX


@pytest.fixture(scope="session")
def documents() -> dict[str, Document]:
    """The one document of the application, once an application was made."""
    return {}


@pytest.fixture
async def contract(
    request: pytest.FixtureRequest, settings: Settings, documents: dict[str, Document], base: str
) -> AsyncIterator[Contract]:
    """A client of the real application that takes note of what it hears."""
    clock = Clock()
    app = create_app(settings, clock=clock)
    if not documents:
        documents["the"] = Document(app.openapi())
    failed = request.session.testsfailed
    async with app.router.lifespan_context(app):
        contract = Contract(app, documents["the"], base, clock)
        sent = sent_through(app.state.parts[Database])
        async with contract.http:
            yield contract
    across = {statement for statement in sent if unnamed(statement, DISTRIBUTED)} - meant_to_be_of_several()
    assert across == set(), "these name no account"
    said = {answer for mark in request.node.iter_markers("shows") for answer in mark.args}
    assert said <= contract.heard or request.session.testsfailed > failed, "the test did not show what it says"

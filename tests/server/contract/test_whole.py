"""The tests of the contract together show every answer that the OpenAPI document promises."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI

from tests.server.contract.test_every_route import ALIKE
from tests.support.contract import Document

ELSEWHERE = {
    "internal_error": "a fault of the server's own: tests/server/test_errors.py, test_logs.py",
    "database_unavailable": "a database that is gone: tests/server/test_crash.py, test_operation.py",
    "database_busy": "a database that does not keep up: tests/server/test_operation.py",
    "storage_full": "a disk without room: tests/server/test_errors.py",
    "too_many_requests": "more at once than queues take: tests/server/test_auth_login.py, test_metrics_evaluators.py",
    "rate_limited": "more often than rates allow: tests/server/test_rates.py",
    "account_disabled": "what an operator did: tests/server/test_users.py",
    "registration_closed": "what an operator set: tests/server/test_registration_modes.py",
    "invitation_required": "likewise",
    "invalid_invitation": "likewise",
    "store_unavailable": "a store of files that does not answer: tests/server/test_media_store.py",
    "evaluation_unavailable": "a process that died or hung: tests/server/test_metrics_evaluators.py",
}
"""Codes that no request alone can cause, why, and where they are shown."""

NEVER = {
    "POST /sync/conflicts/{conflict_id}/resolve 428 revision_required": "tests/server/test_conflicts_uce.py",
    "PUT /users/me/privacy 401 invalid_credentials": "tests/server/test_privacy.py",
    "DELETE /users/me/privacy/revoke 401 invalid_credentials": "tests/server/test_privacy.py",
    "GET /ready 503": "a database that is gone: tests/server/test_operation.py",
    "POST /auth/recover 422 keys_required": "recovery codes come with a keyring; an account without one has none",
    "PUT /auth/keyring 422 keyring_required": "an account from elsewhere gets its keyring at the login before this",
}
"""Answers that a document names since one cannot be sure that they never come, and why no test provokes them."""


def shown() -> Iterator[str]:
    """What the tests of the contract say that they show."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"{__package__}.{file.stem}")
        for item in vars(module).values():
            for mark in getattr(item, "pytestmark", []):
                if mark.name == "shows":
                    yield from mark.args


def promised(app: FastAPI) -> set[str]:
    """What the document promises, without what is shown for all routes alike, and elsewhere."""
    left_out = {*ALIKE, *ELSEWHERE}
    return {answer for answer in Document(app.openapi()).answers() if answer.split(" ")[-1] not in left_out}


def test_every_answer_that_the_document_promises_is_shown(app: FastAPI) -> None:
    assert sorted(promised(app) - set(shown()) - set(NEVER)) == []


def test_every_answer_that_is_shown_or_explained_is_promised(app: FastAPI) -> None:
    assert sorted((set(shown()) | set(NEVER)) - promised(app)) == []

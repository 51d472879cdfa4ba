"""Requests that nobody would think of, made from the OpenAPI document: the answer to each is one that it names.

Each operation gets requests that fit the document and requests that do not, in the name of an account of each custody
and tier; all accounts send the same, as making a request takes longer than sending it six times. No answer may be a
server's error, of a status or media type that is not in the document, or of another shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lockleaf.wire.codec import JSON
from tests.support.account_holders import Person
from tests.support.process import RunningServer

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = {"local_only": 1, "analytics_sync": 1, "full_sync": 3}
"""How many requests of each kind an operation gets; a lower tier refuses most of them before it looks at them."""

HOLDERS = [(custody, tier) for custody in ("e2e", "uce") for tier in EXAMPLES]
"""The custody and the tier of each account."""

Holders = dict[tuple[str, str], dict[str, str]]
"""The headers of requests of each of them."""

ENDLESS = {("GET", "/sync/events")}
"""A live stream, which waits for news and never ends by itself."""

LAST = {
    ("POST", "/auth/logout"),
    ("PUT", "/users/me/privacy"),
    ("DELETE", "/users/me/privacy/revoke"),
}
"""What changes whose request the next one is; each gets an account of its own."""

PREFIX = "/api/v1"


async def holder(http: httpx.AsyncClient, custody: str, tier: str) -> dict[str, str]:
    """The headers of somebody new."""
    if custody == "e2e":
        return (await Person().sign_up(http, privacy_tier=tier)).headers
    person = Person()
    body = {"email": person.email, "password": person.secret, "encryption_tier": "uce", "privacy_tier": tier}
    answer = await http.post("/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def holders(http: httpx.AsyncClient) -> Holders:
    """New accounts of every kind."""
    return {(custody, tier): await holder(http, custody, tier) for custody, tier in HOLDERS}


def operations(server: RunningServer) -> Iterator[APIOperation]:
    """Every operation of the document that the server gives, except the endless one."""
    document = schemathesis.openapi.from_url(f"{server.url}{PREFIX}/openapi.json")
    for result in document.get_all_operations():
        operation = result.ok()
        if named(operation) not in ENDLESS:
            yield operation


def named(operation: APIOperation) -> tuple[str, str]:
    """The method and the path behind the prefix."""
    return operation.method.upper(), operation.path.removeprefix(PREFIX)


def failures(operation: APIOperation, mode: GenerationMode, accounts: Holders) -> set[str]:
    """What is wrong with the answers to an operation's requests."""
    found: set[str] = set()
    sent = Counter[tuple[str, str]]()
    json = any(body.media_type == JSON for body in operation.body)
    strategy = operation.as_strategy(generation_mode=mode, **({"media_type": JSON} if json else {}))

    @seed(20260101)
    @settings(
        max_examples=max(EXAMPLES.values()),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        for (custody, tier), headers in accounts.items():
            if sent[custody, tier] == EXAMPLES[tier]:
                continue
            sent[custody, tier] += 1
            answer = case.call(headers=headers)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                told = (f"{failure.title}: {failure.message}" for failure in group.exceptions)
                found.update(f"{custody}, {tier}: {each}" for each in told)

    # Nothing can be wrong with a request in which there is nothing to get wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()
    return found


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
async def test_whatever_is_sent_the_answer_is_one_that_the_document_names(
    server: RunningServer, mode: GenerationMode
) -> None:
    async with httpx.AsyncClient(base_url=server.url + PREFIX, timeout=30) as http:
        found = {}
        shared = await holders(http)
        for operation in operations(server):
            accounts = await holders(http) if named(operation) in LAST else shared
            if wrong := failures(operation, mode, accounts):
                found[named(operation)] = wrong
        assert found == {}
        for headers in shared.values():
            assert (await http.get("/users/me", headers=headers)).status_code == 200

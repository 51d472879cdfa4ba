"""Requests that nobody would think of, made from the OpenAPI document: the answer to each is one that it names.

Each operation gets requests that fit the document and requests that do not, in the name of an account of each custody
and tier. No answer may be a server's error, of a status or media type that is not in the document, or of another shape.
"""

from __future__ import annotations

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
from schemathesis.core.failures import Failure, FailureGroup
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


def failures(operation: APIOperation, mode: GenerationMode, headers: dict[str, str], examples: int) -> list[Failure]:
    """What is wrong with the answers to an operation's requests."""
    found: dict[str, Failure] = {}
    json = any(body.media_type == JSON for body in operation.body)
    strategy = operation.as_strategy(generation_mode=mode, **({"media_type": JSON} if json else {}))

    @seed(20260101)
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        answer = case.call(headers=headers)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            found.update({f"{failure.title} {failure.message}": failure for failure in group.exceptions})

    # Nothing can be wrong with a request in which there is nothing to get wrong.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()
    return list(found.values())


@pytest.mark.parametrize("tier", ["local_only", "analytics_sync", "full_sync"])
@pytest.mark.parametrize("custody", ["e2e", "uce"])
async def test_whatever_is_sent_the_answer_is_one_that_the_document_names(
    server: RunningServer, custody: str, tier: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url + PREFIX, timeout=30) as http:
        found = {}
        shared = await holder(http, custody, tier)
        for operation in operations(server):
            headers = await holder(http, custody, tier) if named(operation) in LAST else shared
            wrong = [item for mode in GenerationMode for item in failures(operation, mode, headers, EXAMPLES[tier])]
            if wrong:
                found[named(operation)] = [f"{failure.title}: {failure.message}" for failure in wrong]
        assert found == {}
        assert (await http.get("/users/me", headers=shared)).status_code == 200

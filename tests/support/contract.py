"""The contract of the HTTP API: each answer that a client of it hears is held to the OpenAPI document.

A test names what it shows, for instance ``@shows("POST /vault 201", "POST /vault 409 version_conflict")``. What it says
is compared with what was heard, and what all tests say together with what the document promises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI

from lockleaf.wire.codec import MSGPACK
from lockleaf.wire.problem_documents import PROBLEM
from tests.support.account_holders import Clock

__all__ = ["BASES", "PREFIX", "Contract", "Document", "Running", "shows", "somewhere"]

PREFIX = "/api/v1"
BASES = (PREFIX, "/api")
NOWHERE = "00000000-0000-0000-0000-000000000007"

shows = pytest.mark.shows


def somewhere(path: str) -> str:
    """A path whose parameters name nothing that is there."""
    special = {"{number}": "1", "{tag_id}": "7" * 32, "{parameter_set}": "ckks-4096"}
    return re.sub(r"\{\w+\}", lambda found: special.get(found[0], NOWHERE), path)


class Document:
    """The OpenAPI document as what a client may hear: operations by name, and the answers of each.

    An operation's name is its method and its path without the prefix, ``GET /vault/{vault_id}``; an answer's has its
    status behind that, and the code of a problem: ``GET /vault/{vault_id} 404 not_found``.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.operations: dict[str, dict[str, Any]] = {}
        self._patterns: list[tuple[str, re.Pattern[str], str]] = []
        self._schema = schemathesis.openapi.from_dict(document)
        # A path of words is looked for before one with parameters, as the application does.
        for path, methods in sorted(document["paths"].items(), key=lambda item: "{" in item[0]):
            name = path.removeprefix(PREFIX)
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name)))
            for method, operation in methods.items():
                self.operations[f"{method.upper()} {name}"] = operation
                self._patterns.append((method.upper(), pattern, path))
        self._answers = frozenset(self.answers())

    def answers(self) -> Iterator[str]:
        """Every answer that the document names."""
        for name, operation in self.operations.items():
            for status, response in operation["responses"].items():
                codes = response.get("content", {}).get(PROBLEM, {}).get("examples", {})
                yield from (f"{name} {status} {code}" for code in codes) if codes else [f"{name} {status}"]

    def check(self, response: httpx.Response) -> str | None:
        """Hold a response to the document; return the answer's name, None for a route that is none."""
        path = response.request.url.path
        path = path.removeprefix(PREFIX if path.startswith(f"{PREFIX}/") else "/api")
        method = response.request.method
        fitting = (
            template for known, pattern, template in self._patterns if known == method and pattern.fullmatch(path)
        )
        if (template := next(fitting, None)) is None:
            return None
        name = f"{method} {template.removeprefix(PREFIX)} {response.status_code}"
        if response.headers.get("content-type") == PROBLEM:
            name += f" {response.json()['code']}"
        assert name in self._answers, f"not in the document: {name}"
        # What is no JSON has no shape that could be compared: bytes, and the lines of a live stream.
        if not response.headers.get("content-type", "").startswith((MSGPACK, "text/event-stream")):
            self._schema[template][method].validate_response(response)
        return name


@dataclass(frozen=True)
class Running:
    """An application with a clock that moves when it is told to, and the statements that it sent."""

    app: FastAPI
    clock: Clock
    sent: set[str]


class Contract:
    """A client of the API below ``base``, and everything that it heard."""

    def __init__(self, app: FastAPI, document: Document, base: str, clock: Clock) -> None:
        self.app, self.document, self.base, self.clock = app, document, base, clock
        self.heard: set[str] = set()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url=f"http://lockleaf.test{base}",
            event_hooks={"response": [self.hear]},
        )

    async def hear(self, response: httpx.Response) -> None:
        """Take note of an answer."""
        await response.aread()
        if (name := self.document.check(response)) is not None:
            self.heard.add(name)

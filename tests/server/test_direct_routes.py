"""The way past FastAPI leads to the same routes, and to the same answers, as the one through it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from lockleaf.server.main.routes import index
from lockleaf.server.platform.http.direct import DirectRoutes
from lockleaf.server.platform.http.middleware import RequestMiddleware
from lockleaf.server.platform.http.plans import plan_of
from lockleaf.server.platform.http.routing import LimitedRoute
from lockleaf.server.platform.observability.logging import log_request
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.wire.codec import MSGPACK, pack
from tests.support.accounts import Owner, change, register

LEFT_TO_FASTAPI = {
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/auth/token"),
    ("GET", "/api/v1/objects/{key}"),
    ("PUT", "/api/v1/objects/{key}"),
    ("PUT", "/api/v1/objects/{key}/parts/{upload}/{number}"),
}
"""A form, and the bytes of files, which come and go as streams."""


@pytest.fixture
async def through_fastapi(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the same application without the way past FastAPI."""
    layers = RequestMiddleware(FastAPI.build_middleware_stack(app), metrics=app.state.parts[Metrics])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await layers({**scope, "app": app}, receive, send)

    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1") as client:
        yield client


async def test_every_route_of_the_api_but_a_form_and_files_is_served_directly(app: FastAPI) -> None:
    routes = [each for each in iter_route_contexts(app.router.routes) if isinstance(each.original_route, LimitedRoute)]
    left = {
        (method, each.path)
        for each in routes
        if plan_of(each.original_route) is None  # type: ignore[arg-type]
        for method in each.methods or ()
    }
    assert left == LEFT_TO_FASTAPI
    assert len(routes) > 150
    layer = app.build_middleware_stack().app  # type: ignore[attr-defined]
    assert isinstance(layer, DirectRoutes)


async def test_each_path_finds_its_own_route_under_both_prefixes(app: FastAPI) -> None:
    for context in iter_route_contexts(app.router.routes):
        if not isinstance(context.original_route, LimitedRoute) or context.path is None:
            continue
        path = context.path_format
        assert path is not None
        said = {name: str(uuid4()) for name in context.param_convertors}
        for name, value in said.items():
            path = path.replace(f"{{{name}}}", value)
        for method in context.methods or ():
            found = index().find(method, path)
            assert found is not None
            assert (found.plan is None) == ((method, context.path) in LEFT_TO_FASTAPI)
            assert (found.route, found.parameters(path)) == (context.original_route, said)


ID = "0190c0de-0000-7000-8000-000000000001"
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/sync/changes", {}),
    ("GET", "/sync/changes?limit=1", {"headers": {"Accept": MSGPACK}}),
    ("GET", "/sync/changes?limit=0", {}),
    ("GET", "/sync/changes?limit=many&after=" + "x" * 600, {}),
    ("GET", "/sync/changes?limit=5&limit=6", {}),
    ("GET", "/sync/changes?after=nonsense", {}),
    ("GET", "/sync/changes?page=2", {}),
    ("GET", "/sync/changes?collection=entries", {}),
    ("GET", "/sync/changes", {"headers": {"Accept": "text/html"}}),
    ("GET", "/sync/changes", {"headers": {"Authorization": ""}}),
    ("GET", "/sync/changes", {"headers": {"Authorization": "Bearer x.y.z"}}),
    ("GET", "/sync/changes/", {}),
    ("GET", "/sync/checkpoints", {}),
    ("GET", "/sync/conflicts?limit=3", {}),
    ("GET", f"/entries/{ID}", {}),
    ("GET", f"/entries/{uuid4()}", {}),
    ("GET", "/entries/no-id", {}),
    ("GET", "/entries/" + "a" * 300 + "?page=1", {}),
    ("GET", f"/entries/{ID}/history?page=1&page_size=1", {}),
    ("GET", f"/entries/{ID}/revisions/0", {}),
    ("GET", f"/entries/{ID}/revisions/1", {}),
    ("GET", "/entries?mood=x&label=zz", {}),
    ("GET", "/entries?limit=2", {}),
    ("GET", "/tags", {}),
    ("GET", "/auth/me", {}),
    ("GET", "/auth/features", {}),
    ("GET", "/users/me/stats?days=0", {}),
    ("GET", "/encryption/context", {}),
    ("GET", "/encryption/context", {"headers": {"If-None-Match": "x"}}),
    ("PUT", f"/entries/{ID}", {"json": {}, "headers": {"If-Match": '"9"'}}),
    ("PUT", f"/entries/{ID}", {"json": {"payload": "x"}}),
    ("PUT", f"/entries/{ID}", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("POST", "/sync/push", {"content": b"\xc1", "headers": {"Content-Type": MSGPACK}}),
    ("POST", "/sync/push", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/sync/push", {"json": {"changes": [{"collection": "entries"}]}}),
    ("POST", "/sync/push", {"json": {"changes": [], "unknown": 1}}),
    ("POST", "/sync/push", {"json": {"changes": []}, "headers": {"Content-Length": "999999999"}}),
    ("POST", "/auth/login", {"json": {"email": "a@example.org", "password": "x" * 100_000}}),
    ("POST", "/auth/token", {"data": {"username": "nobody", "password": "nothing"}}),
    ("DELETE", "/tags/cleanup?days=0", {}),
    ("DELETE", f"/sync/backup/{ID}", {}),
    ("PATCH", f"/entries/{ID}", {}),
    ("HEAD", f"/entries/{ID}", {}),
    ("OPTIONS", "/sync/push", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/entries/a/b/c/d", {}),
]


@pytest.fixture
async def owner(http: httpx.AsyncClient) -> Owner:
    owner = await register(http)
    await owner.results(change(record_id=ID), *(change() for _ in range(3)))
    return owner


async def test_an_answer_is_the_same_by_either_way(owner: Owner, through_fastapi: httpx.AsyncClient) -> None:
    owner.headers["Authorization"] = f"Bearer {owner.token}"
    statuses = set()
    for method, path, options in REQUESTS:
        asked = {**options, "headers": {**owner.headers, **options.get("headers", {})}}
        direct, other = [await client.request(method, path, **asked) for client in (owner.http, through_fastapi)]
        assert direct.status_code == other.status_code, path
        assert direct.content == other.content, path
        assert dict(direct.headers) | {"x-request-id": ""} == dict(other.headers) | {"x-request-id": ""}, path
        assert direct.headers["x-request-id"] != other.headers["x-request-id"]
        statuses.add(direct.status_code)
    assert statuses >= {200, 400, 401, 404, 405, 406, 412, 413, 415, 422}


async def test_what_is_written_is_answered_alike(owner: Owner, through_fastapi: httpx.AsyncClient) -> None:
    made = [change() for _ in range(2)]
    answers = []
    for client, each in zip((owner.http, through_fastapi), made, strict=True):
        answer = await client.post(
            "/sync/push",
            content=pack({"changes": [each]}),
            headers={
                "Authorization": f"Bearer {owner.token}",
                "Content-Type": MSGPACK,
                "Accept": "application/json",
            },
        )
        answers.append(answer)
    first, second = [each.json() for each in answers]
    assert [each["status"] for each in (first["results"][0], second["results"][0])] == ["applied", "applied"]
    assert (first.keys(), second["seq"]) == (second.keys(), first["seq"] + 1)
    assert {name for name, _ in answers[0].headers.items()} == {name for name, _ in answers[1].headers.items()}


def test_the_line_of_a_request_is_as_all_other_lines_are(log: io.StringIO) -> None:
    facts: dict[str, Any] = {"request_id": "0" * 24, "route": "/entries/{id}", "status": 200, "duration_ms": 1.25}
    log_request(method="GET", **facts)
    log_request(method="BREW", **facts)
    for handler in logging.getLogger().handlers:
        handler.flush()
    quick, usual = [json.loads(line) for line in log.getvalue().splitlines()]
    assert list(quick) == list(usual)
    assert quick | {"timestamp": "", "method": ""} == usual | {"timestamp": "", "method": ""}
    assert len(quick["timestamp"]) == len(usual["timestamp"])


def test_a_process_that_serves_does_not_work_out_each_route_for_each_prefix() -> None:
    program = (
        "import gc, lockleaf.server.main.loaded\n"
        "print(sum(type(each).__name__ == '_EffectiveRouteContext' for each in gc.get_objects()))\n"
        "from lockleaf.server.main.routes import routes\n"
        "from fastapi.routing import iter_route_contexts\n"
        "print(len(list(iter_route_contexts(routes()))))\n"
        "print(sum(type(each).__name__ == '_EffectiveRouteContext' for each in gc.get_objects()))\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, known, after = map(int, said.stdout.split())
    assert before == 0
    assert after == known > 150

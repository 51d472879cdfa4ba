"""Every route that may have a body limits it, by what the route itself says; nothing of a larger one is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from lockleaf.server.main.features import FEATURES, OBJECTS, OPERATION
from lockleaf.server.main.routes import OLDER_PREFIX, PREFIX
from lockleaf.server.platform.http.routing import LimitedRoute, Router, takes
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import problem


def routes() -> Iterator[Any]:
    for feature in (*FEATURES, OBJECTS, OPERATION):
        yield from () if feature.router is None else feature.router.routes


def test_every_route_of_every_feature_has_a_limit(settings: Settings) -> None:
    found = list(routes())
    assert len(found) > 80
    assert [route.path for route in found if not isinstance(route, LimitedRoute)] == []
    assert all(route.body_limit(settings) >= settings.limits.body_bytes for route in found)


def test_what_the_application_serves_beside_the_features_takes_no_body(app: FastAPI) -> None:
    limited = [prefix + route.path for prefix in (PREFIX, OLDER_PREFIX, "") for route in routes()]
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.path not in limited:
            assert route.methods <= {"GET", "HEAD"}, route.path


def test_larger_bodies_than_the_usual_ones_are_taken_where_the_route_says_so(settings: Settings) -> None:
    larger = {
        f"{method} {route.path}": route.body_limit(settings)
        for route in routes()
        for method in route.methods
        if route.body_limit(settings) > settings.limits.body_bytes
    }
    limits = settings.limits
    assert larger["POST /sync/push"] == larger["PUT /entries/{entry_id}"] == limits.sync_body_bytes
    assert larger["PUT /users/me/privacy"] == limits.public_key_body_bytes
    assert larger["POST /integrations/{provider}/push"] == settings.integrations.push_body_bytes
    assert not any(method.startswith("GET ") for method in larger)
    assert not any("/auth/" in route for route in larger), larger


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(1024)


async def test_a_planted_route_is_held_to_the_limit_that_it_says(own_app: FastAPI, own_http: httpx.AsyncClient) -> None:
    app, http = own_app, own_http
    planted = Router(prefix="/planted")

    @planted.post("/small")
    @takes(lambda settings: 4096)
    async def small(request: Request) -> int:
        return len(await request.body())

    @planted.post("/usual")
    async def usual(request: Request) -> int:
        return len(await request.body())

    app.include_router(planted, prefix=PREFIX)
    assert (await http.post("/planted/small", content=bytes(4096))).json() == 4096
    for too_large in (bytes(4097), endless()):
        refused = problem(await http.post("/planted/small", content=too_large), 413, "body_too_large")
        assert refused["limit_bytes"] == 4096
    usual_limit = app.state.parts[Settings].limits.body_bytes
    assert (await http.post("/planted/usual", content=bytes(usual_limit))).json() == usual_limit
    problem(await http.post("/planted/usual", content=bytes(usual_limit + 1)), 413, "body_too_large")

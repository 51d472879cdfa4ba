"""All routes of the API, below both prefixes, and those beside them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from starlette.routing import BaseRoute

from lockleaf.server.main.features import FEATURES, OBJECTS, OPERATION
from lockleaf.server.platform.http import docs, problem_pages
from lockleaf.server.platform.http.direct import Prefixed, RouteIndex
from lockleaf.server.platform.http.routing import LimitedRoute, Router

__all__ = ["OLDER_PREFIX", "PREFIX", "index", "routes", "work_out_routes"]

PREFIX = "/api/v1"
OLDER_PREFIX = "/api"


def _below() -> Iterator[tuple[str, Router]]:
    """Yield each router, and the prefix below which it is served."""
    for prefix in (PREFIX, OLDER_PREFIX):
        for feature in FEATURES:
            if feature.router is not None:
                yield prefix, feature.router
    assert OBJECTS.router is not None
    assert OPERATION.router is not None
    yield PREFIX, OBJECTS.router
    yield "", OPERATION.router
    yield PREFIX, docs.router
    yield "", problem_pages.router


def _prefixed() -> Iterator[Prefixed]:
    for prefix, router in _below():
        for route in router.routes:
            yield prefix, route


@cache
def index() -> RouteIndex:
    """Return the index by which requests find their routes; all applications of a process share it."""
    return RouteIndex(_prefixed())


@cache
def routes() -> tuple[BaseRoute, ...]:
    """Return the routes as FastAPI serves and describes them.

    It works out what is below a prefix when it is first asked for something that it does not find before that: so what
    requests leave to it comes first, by itself.
    """
    routers = Router()
    for prefix, route in _prefixed():
        if isinstance(route, LimitedRoute) and index().is_left(route):
            left = Router()
            left.routes.append(route)
            routers.include_router(left, prefix=prefix, include_in_schema=False)
    for prefix, router in _below():
        routers.include_router(router, prefix=prefix, include_in_schema=prefix != OLDER_PREFIX)
    return tuple(routers.routes)


def work_out_routes() -> None:
    """Have worked out what else is at the first requests: before a fork it is done once, in memory that is shared."""
    index()
    routes()

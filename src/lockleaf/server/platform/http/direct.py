"""The way from a request to its endpoint, worked out once instead of at every request.

Routes are declared to FastAPI, which documents them. It would find and serve them, too, but goes through all routers,
and through all that a route depends on, anew for every request, which takes several times as long as what most requests
ask for. From the same declarations this makes an index of paths and, for each route, the list of what is to be called.
So a route cannot differ from its documentation; and one that needs more of FastAPI than is known here is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from lockleaf.server.platform.http.plans import Plan, plan_of
from lockleaf.server.platform.http.problems import answer_of
from lockleaf.server.platform.http.routing import LimitedRoute

__all__ = ["DirectRoutes", "RouteIndex"]


class DirectRoutes:
    """Serves the requests whose routes it knows, and leaves all others to the application inside.

    Args:
        app: what is inside.
        index: gives the routes that are served; asked at the first request.
    """

    def __init__(self, app: ASGIApp, index: Callable[[], RouteIndex]) -> None:
        self.app = app
        self._index = index

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not scope.get("root_path"):
            found = self._index().find(scope["method"], scope["path"])
            if found is not None:
                await _serve(found, scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _serve(found: _Found, scope: Scope, receive: Receive, send: Send) -> None:
    route = found.route
    scope["route"], scope["endpoint"] = route, route.endpoint
    scope["path_params"] = found.parameters(scope["path"])
    request = Request(scope, receive, send)
    try:
        request = Request(scope, await route.admit(scope, receive), send)
        assert found.plan is not None
        response = await found.plan.respond(request)
    except Exception as error:
        response = answer_of(request, error)
    await response(scope, request.receive, send)


class _Found:
    """A route below one prefix. Without a plan it is left to the application."""

    def __init__(self, context: RouteContext) -> None:
        route = context.original_route
        assert isinstance(context.path, str)
        self.path = context.path
        self.begins = context.path.partition("{")[0]
        self.plan: Plan | None = None
        if isinstance(route, LimitedRoute):
            self.route = route
            self.plan = plan_of(context)
        self._regex = context.path_regex
        self._convertors = context.param_convertors

    def takes(self, path: str) -> bool:
        """Whether the path is one of this route's."""
        return path.startswith(self.begins) and self._regex.match(path) is not None

    def parameters(self, path: str) -> dict[str, Any]:
        """Return what the path says in place of the route's parameters."""
        if not self._convertors:
            return {}
        said = self._regex.match(path).groupdict()
        return {name: self._convertors[name].convert(value) for name, value in said.items()}


class RouteIndex:
    """Finds the route of a path as an application would: the first one that was declared for it."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._whole: dict[tuple[str, str], _Found] = {}
        """Routes whose paths have no parameters."""
        self._by_length: dict[tuple[str, int], list[_Found]] = {}
        """Routes whose paths have some, in the order of their declaration, by method and number of slashes."""
        for context in iter_route_contexts(routes):
            if context.path is None:
                continue
            for method in context.methods or ():
                found = _Found(context)
                if "{" in found.path:
                    self._by_length.setdefault((method, found.path.count("/")), []).append(found)
                else:
                    # One with a parameter that was declared earlier would be asked earlier, and may take this path.
                    self._whole.setdefault((method, found.path), self._fitting(method, found.path) or found)

    def find(self, method: str, path: str) -> _Found | None:
        """Return what serves a request; None where that is left to the application."""
        found = self._whole.get((method, path)) or self._fitting(method, path)
        return None if found is None or found.plan is None else found

    def _fitting(self, method: str, path: str) -> _Found | None:
        for each in self._by_length.get((method, path.count("/")), ()):
            if each.takes(path):
                return each
        return None

"""The way from a request to its endpoint, worked out once instead of at every request.

Routes are declared to FastAPI, which documents them. It would find and serve them, too, but goes through all routers,
and through all that a route depends on, anew for every request, which takes several times as long as what most requests
ask for. From the same declarations this makes an index of paths and, for each route, the list of what is to be called.
So a route cannot differ from its documentation; and one that needs more of FastAPI than is known here is left to it.

A route that is served under two prefixes is worked out once. FastAPI would do so for each, and keep both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fastapi import Request
from starlette.routing import BaseRoute, Match, Route, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from lockleaf.server.platform.http.errors import MethodNotAllowed, RouteNotFound
from lockleaf.server.platform.http.plans import Plan, plan_of
from lockleaf.server.platform.http.problems import answer_of, problem_response
from lockleaf.server.platform.http.routing import LimitedRoute

__all__ = ["DirectRoutes", "Prefixed", "RouteIndex"]

Prefixed = tuple[str, BaseRoute]
"""A route, and the prefix below which it is served."""


class DirectRoutes:
    """Serves the requests whose routes it can, leaves some to the application inside, and refuses what has no route.

    Args:
        app: what is inside.
        index: gives all routes that there are, but for the application's own; asked at the first request.
        own: those.
    """

    def __init__(self, app: ASGIApp, index: Callable[[], RouteIndex], own: Sequence[BaseRoute]) -> None:
        self.app = app
        self._index = index
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not scope.get("root_path"):
            index, path = self._index(), scope["path"]
            found = index.find(scope["method"], path)
            if found is None and all(each.matches(scope)[0] == Match.NONE for each in self._own):
                scope["state"]["cause"] = "NoRoute"
                error = MethodNotAllowed() if index.knows(path) else RouteNotFound()
                await problem_response(error, scope)(scope, receive, send)
                return
            if found is not None and found.plan is not None:
                await _serve(found, scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _serve(found: _Found, scope: Scope, receive: Receive, send: Send) -> None:
    route = found.route
    scope["route"], scope["endpoint"] = route, route.endpoint
    scope["path_params"] = found.parameters(scope["path"])
    assert isinstance(route, LimitedRoute)
    assert found.plan is not None
    try:
        receive = await route.admit(scope, receive)
        response = await found.plan.respond(Request(scope, receive, send))
    except Exception as error:
        response = answer_of(scope, error)
    await response(scope, receive, send)


class _Found:
    """A route below one prefix. Without a plan it is left to the application."""

    def __init__(self, path: str, route: Route, plan: Plan | None) -> None:
        self.path = path
        self.begins = path.partition("{")[0]
        self.route = route
        self.plan = plan
        self._regex, _, self._convertors = compile_path(path)

    def takes(self, path: str) -> bool:
        """Whether the path is one of this route's."""
        return path.startswith(self.begins) and self._regex.match(path) is not None

    def parameters(self, path: str) -> dict[str, Any]:
        """Return what the path says in place of the route's parameters."""
        if not self._convertors:
            return {}
        match = self._regex.match(path)
        assert match is not None
        said = match.groupdict()
        return {name: self._convertors[name].convert(value) for name, value in said.items()}


class RouteIndex:
    """Finds the route of a path as an application would: the first one that was declared for it.

    Args:
        routes: in the order of their declaration.
    """

    def __init__(self, routes: Iterable[Prefixed]) -> None:
        self._whole: dict[tuple[str, str], _Found] = {}
        """Routes whose paths have no parameters."""
        self._by_length: dict[tuple[str, int], list[_Found]] = {}
        """Routes whose paths have some, in the order of their declaration, by method and number of slashes."""
        self._methods: set[str] = set()
        self._plans: dict[int, Plan | None] = {}
        """By the identities of routes, which are as long there as this is."""
        for prefix, route in routes:
            assert isinstance(route, Route)
            if id(route) not in self._plans:
                self._plans[id(route)] = plan_of(route) if isinstance(route, LimitedRoute) else None
            found = _Found(prefix + route.path, route, self._plans[id(route)])
            for method in route.methods or ():
                self._methods.add(method)
                if "{" in found.path:
                    self._by_length.setdefault((method, found.path.count("/")), []).append(found)
                else:
                    # One with a parameter that was declared earlier would be asked earlier, and may take this path.
                    self._whole.setdefault((method, found.path), self._fitting(method, found.path) or found)

    def find(self, method: str, path: str) -> _Found | None:
        """Return what serves a request, by itself if it has a plan and by way of the application otherwise."""
        return self._whole.get((method, path)) or self._fitting(method, path)

    def is_left(self, route: BaseRoute) -> bool:
        """Tell whether a route takes more of the application than is known here, so that it serves it itself."""
        return self._plans[id(route)] is None

    def knows(self, path: str) -> bool:
        """Tell whether a path is some route's, for whatever method."""
        return any(self.find(method, path) is not None for method in self._methods)

    def _fitting(self, method: str, path: str) -> _Found | None:
        for each in self._by_length.get((method, path.count("/")), ()):
            if each.takes(path):
                return each
        return None

"""What is called for a request, in order: what its endpoint depends on, the endpoint, and what makes its answer.

Plans are made from what FastAPI worked out of a route's declaration, and do what it would do with it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from types import UnionType
from typing import Any, get_args

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, serialize_response
from pydantic import BaseModel

from lockleaf.server.platform.http.fields import Fields, query_of

__all__ = ["Plan", "plan_of"]

_WITHOUT_BODY = frozenset({204, 304})


@dataclass(slots=True)
class _Call:
    """One function and what it is called with.

    Attributes:
        name: of the parameter that its result becomes; None where nobody takes it.
        place: where its result is kept for others who depend on the same.
        alone: the name of the request, where it takes nothing else; most do.
        opens: whether it is a generator: open while the endpoint runs, and closed before its answer is sent.
    """

    function: Callable[..., Any]
    name: str | None
    place: int
    opens: bool
    depends: Sequence[_Call]
    path: Fields | None
    query: Fields | None
    headers: Fields | None
    request: str | None
    response: str | None
    alone: str | None


class _Working:
    """A request while its plan is carried out."""

    def __init__(self, request: Request, places: int, stack: AsyncExitStack | None) -> None:
        self.request = request
        self.results: list[Any] = [_NOT_YET] * places
        self.errors: list[Any] = []
        self.stack = stack
        self.response: Response | None = None

    async def arguments(self, call: _Call) -> dict[str, Any]:
        """Return what ``call`` is called with; ``errors`` then names what the request does not say as it should."""
        given: dict[str, Any] = {}
        for each in call.depends:
            if self.results[each.place] is _NOT_YET:
                if each.alone is not None:
                    arguments = {each.alone: self.request}
                else:
                    before = len(self.errors)
                    arguments = await self.arguments(each) if each.depends else self._said(each, {})
                    if len(self.errors) > before:
                        continue
                if self.stack is not None and each.opens:
                    self.results[each.place] = await self.stack.enter_async_context(each.function(**arguments))
                else:
                    self.results[each.place] = await each.function(**arguments)
            if each.name is not None:
                given[each.name] = self.results[each.place]
        return self._said(call, given)

    def _said(self, call: _Call, given: dict[str, Any]) -> dict[str, Any]:
        """Return ``given`` with what ``call`` takes from the request itself."""
        request = self.request
        if call.path is not None:
            self.errors += call.path.read(request.path_params, given)
        if call.query is not None:
            said = query_of(request) if call.query.are_plain else request.query_params
            self.errors += call.query.read(said, given)
        if call.headers is not None:
            self.errors += call.headers.read(request.headers, given)
        if call.request is not None:
            given[call.request] = request
        if call.response is not None:
            given[call.response] = self.told()
        return given

    def told(self) -> Response:
        """Return where an endpoint says what shall stand in the head of its answer."""
        if self.response is None:
            self.response = Response(status_code=0)
            self.response.raw_headers.clear()
        return self.response


_NOT_YET: Any = object()


@dataclass(slots=True)
class Plan:
    """How a route is served."""

    _endpoint: _Call
    _places: int
    _opens: bool
    _answer: Callable[[Any, _Working], Awaitable[Response]]

    def respond(self, request: Request) -> Awaitable[Response]:
        """Return the answer to a request.

        Raises:
            RequestValidationError: parameters in its path, its query or its head are missing or not what they must be.
            DomainError: what the endpoint, or what it depends on, raises.
        """
        if self._opens:
            return self._carry_out_within(request)
        return self._carry_out(_Working(request, self._places, None))

    async def _carry_out_within(self, request: Request) -> Response:
        async with AsyncExitStack() as stack:
            return await self._carry_out(_Working(request, self._places, stack))
        raise AssertionError("a dependency has swallowed what the endpoint raised")

    async def _carry_out(self, working: _Working) -> Response:
        arguments = await working.arguments(self._endpoint)
        if working.errors:
            raise RequestValidationError(working.errors)
        result = await self._endpoint.function(**arguments)
        return result if isinstance(result, Response) else await self._answer(result, working)


def plan_of(route: APIRoute) -> Plan | None:
    """Return the plan of a route; None where it takes more of FastAPI than is known here."""
    dependant: Dependant = route.dependant
    if route.body_field is not None or route.is_sse_stream or route.is_json_stream:
        return None
    if not isinstance(route.response_class, DefaultPlaceholder) and route.response_field is not None:
        return None
    places: dict[Any, int] = {}
    endpoint = _call_of(dependant, places)
    if endpoint is None or endpoint.opens:
        return None
    return Plan(endpoint, len(places), _any_opens(endpoint), _answerer(route))


def _call_of(dependant: Dependant, places: dict[Any, int]) -> _Call | None:
    function = dependant.call
    if function is None or not _is_known(dependant):
        return None
    named = function if iscoroutinefunction(function) or isasyncgenfunction(function) else type(function).__call__
    opens = isasyncgenfunction(function)
    if not opens and not iscoroutinefunction(named):
        return None
    depends = [_call_of(each, places) for each in dependant.dependencies]
    if any(each is None for each in depends):
        return None
    # What is not to be shared has a place of its own.
    key = (function, dependant.scope) if dependant.use_cache else object()
    alone = not (depends or dependant.path_params or dependant.query_params or dependant.header_params)
    return _Call(
        function=asynccontextmanager(function) if opens else function,
        name=dependant.name,
        place=places.setdefault(key, len(places)),
        opens=opens,
        depends=[each for each in depends if each is not None],
        path=_fields(dependant.path_params),
        query=_fields(dependant.query_params),
        headers=_fields(dependant.header_params),
        request=dependant.request_param_name,
        response=dependant.response_param_name,
        alone=dependant.request_param_name if alone and dependant.response_param_name is None else None,
    )


def _fields(fields: Sequence[Any]) -> Fields | None:
    return Fields(fields) if fields else None


def _is_known(dependant: Dependant) -> bool:
    """Tell whether there is nothing in a declaration but what is known here.

    A generator of the scope "request" would be closed after the answer is sent.
    """
    return not (
        dependant.cookie_params
        or dependant.body_params
        or dependant.websocket_param_name
        or dependant.http_connection_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.own_oauth_scopes
        or dependant.parent_oauth_scopes
        or dependant.concurrency is not None
        or (isasyncgenfunction(dependant.call) and dependant.scope != "function")
    )


def _any_opens(call: _Call) -> bool:
    return call.opens or any(map(_any_opens, call.depends))


def _models(annotation: Any) -> frozenset[type[BaseModel]]:
    """Return the models of which an answer is one."""
    several = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return frozenset(each for each in several if isinstance(each, type) and issubclass(each, BaseModel))


def _answerer(route: APIRoute) -> Callable[[Any, _Working], Awaitable[Response]]:
    """Return what makes an answer of what an endpoint returns in place of one."""
    field, declared = route.response_field, route.status_code or 200
    is_json = isinstance(route.response_class, DefaultPlaceholder)
    options: dict[str, Any] = {
        "include": route.response_model_include,
        "exclude": route.response_model_exclude,
        "by_alias": route.response_model_by_alias,
        "exclude_unset": route.response_model_exclude_unset,
        "exclude_defaults": route.response_model_exclude_defaults,
        "exclude_none": route.response_model_exclude_none,
    }

    models = _models(field.field_info.annotation) if field is not None else frozenset()

    async def answer(result: Any, working: _Working) -> Response:
        status = (working.response and working.response.status_code) or declared
        content: Any = b""
        if status in _WITHOUT_BODY:
            pass
        elif type(result) in models:
            # It is what the route says that it answers. FastAPI would try it as each of several models first.
            content = result.__pydantic_serializer__.to_json(result, **options)
        else:
            content = await serialize_response(
                field=field, response_content=result, dump_json=field is not None, **options
            )
            if field is None:
                content = json.dumps(content)
        response = Response(content, status, media_type="application/json" if is_json else None)
        if working.response is not None:
            response.raw_headers.extend(working.response.raw_headers)
        return response

    return answer

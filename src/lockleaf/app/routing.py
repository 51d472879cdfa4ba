"""What the page can ask: each endpoint once, with what it is sent and what it answers, for the server and its types."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.base import Body
from lockleaf.app.problems import Refused, problem_of

__all__ = ["MOST", "Call", "Endpoint", "Endpoints", "EntryId"]

MOST = 32 * 1024 * 1024
"""Bytes of a JSON body: an entry of 4 MiB, as JSON may write it."""

B = TypeVar("B", bound="Body | None")
EntryId = str


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One request: where it is answered, what the path names, and what was sent."""

    desk: Desk
    path: dict[str, str]
    body: B
    request: Request


Handler = Callable[[Call[Any]], Awaitable[BaseModel | Response | None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that the page can ask.

    Attributes:
        body, answer: what it is sent and what it answers, None for nothing and for what is no JSON.
        locked: it is answered while the journal is locked, too.
    """

    method: str
    path: str
    handler: Handler
    body: type[Body] | None
    answer: type[BaseModel] | None
    status: int
    locked: bool

    @property
    def name(self) -> str:
        """What it is called."""
        return self.handler.__name__

    @property
    def about(self) -> str:
        """What it does, in its first line."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    def route(self, desk: Desk) -> Route:
        """Return it as Starlette has it."""

        async def answer(request: Request) -> Response:
            try:
                if self.locked:
                    return await self._answered(desk, request)
                async with desk.attendance.at_work(_idle(request)):
                    if desk.is_locked:
                        raise Refused(423, "locked", "The journal is locked.")
                    return await self._answered(desk, request)
            except Exception as error:
                return problem_of(error)

        return Route(f"/api{self.path}", answer, methods=[self.method], name=self.name)

    async def _answered(self, desk: Desk, request: Request) -> Response:
        body = None if self.body is None else await _read(self.body, request)
        answered = await self._done(Call(desk, dict(request.path_params), body, request))
        if isinstance(answered, Response):
            return answered
        if answered is None:
            return Response(status_code=204)
        return Response(answered.model_dump_json(), self.status, media_type="application/json")

    async def _done(self, call: Call[Any]) -> BaseModel | Response | None:
        desk, opened = call.desk, call.desk.moves.opened()
        try:
            return await self.handler(call)
        except sdk.JournalMoved:
            # Refused before anything was done. What came as a stream is not there a second time.
            if not await desk.moves.wait(opened) or (self.body is None and self.method != "GET"):
                raise
        if desk.is_locked and not self.locked:
            raise Refused(423, "locked", "The journal is locked.")
        return await self.handler(call)


class Endpoints:
    """The endpoints of one subject."""

    def __init__(self) -> None:
        self.listed: list[Endpoint] = []

    def add(
        self, method: str, path: str, *, status: int = 200, locked: bool = False
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a function that takes a `Call`; what it is sent and answers stand in its annotations."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            hints = get_type_hints(function)
            answer = hints.pop("return", None)
            [call] = hints.values()
            body = get_args(call)[0] if get_origin(call) is Call else None
            self.listed.append(
                Endpoint(
                    method,
                    path,
                    function,
                    body if isinstance(body, type) and issubclass(body, Body) else None,
                    answer if isinstance(answer, type) and issubclass(answer, BaseModel) else None,
                    status,
                    locked,
                )
            )
            return function

        return register


def _idle(request: Request) -> int | None:
    """Return for how many seconds the person at the page had done nothing, None where nobody says it."""
    said = request.headers.get("x-idle", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 9 else None


async def _read(kind: type[Body], request: Request) -> Body:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "not_json", "The body is to be JSON.")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST:
            raise Refused(413, "too_large", "This is more than the page sends at once.")
    try:
        return kind.model_validate(json.loads(data or b"{}"))
    except ValidationError as error:
        # Where it is wrong, and never what was sent.
        places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:5])
        raise Refused(422, "invalid", f"Invalid: {places}.") from None
    except (ValueError, RecursionError):
        raise Refused(422, "invalid", "The body is no JSON.") from None

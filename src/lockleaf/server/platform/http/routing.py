"""Routes that know how large a body they take, and how often one address may call: before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Scope, Send

from lockleaf.server.platform.http.dependencies import parts_of_scope
from lockleaf.server.platform.http.errors import BodyTooLarge
from lockleaf.server.platform.http.rates import count_address
from lockleaf.server.platform.reserve import DiskReserve
from lockleaf.server.platform.settings import Settings

__all__ = ["BodyLimit", "LimitedRoute", "Router", "takes", "whole_records"]

BodyLimit = Callable[[Settings], int]
"""Gives the largest body of a route in bytes, by the server's settings."""
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def whole_records(settings: Settings) -> int:
    """A record, or a batch of them: longer in base64, and in the escapes of JSON, than what is stored."""
    return settings.limits.sync_body_bytes


def _little(settings: Settings) -> int:
    return settings.limits.body_bytes


def takes(limit: BodyLimit) -> Callable[[Endpoint], Endpoint]:
    """Let an endpoint take bodies up to a ``limit`` of its own."""

    def limited(endpoint: Endpoint) -> Endpoint:
        endpoint.body_limit = limit  # type: ignore[attr-defined]
        return endpoint

    return limited


class LimitedRoute(APIRoute):
    """A route that takes bodies up to what its endpoint says by `takes`, else up to ``limits.body_bytes``."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is admitted."""
        await super().handle(scope, await self.admit(scope, receive), send)

    async def admit(self, scope: Scope, receive: Receive) -> Receive:
        """Check what has to hold before a byte of a body is read; return what receives the request.

        Raises:
            RateLimited: too many came from its address.
            BodyTooLarge: it is declared to be; where it is not declared, it is raised by what is returned.
            StorageFull: there is no room for a body.
        """
        await count_address(scope, self.endpoint)
        for name, value in scope["headers"]:
            if name == b"content-length":
                limit = self._limit(scope)
                if not value.isdigit() or int(value) > limit:
                    raise BodyTooLarge(limit_bytes=limit)
                parts_of_scope(scope)[DiskReserve].require(int(value))
            elif name == b"transfer-encoding":
                parts_of_scope(scope)[DiskReserve].require(None)
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request" and (body := message.get("body")):
                received += len(body)
                if received > (limit := self._limit(scope)):
                    raise BodyTooLarge(limit_bytes=limit)
            return message

        return limited

    def _limit(self, scope: Scope) -> int:
        return self.body_limit(parts_of_scope(scope)[Settings])

    @property
    def body_limit(self) -> BodyLimit:
        """The largest body."""
        found: BodyLimit = getattr(self.endpoint, "body_limit", _little)
        return found


class Router(APIRouter):
    """A router all of whose routes limit their bodies and count their callers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=LimitedRoute, **options)

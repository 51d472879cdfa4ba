"""What happens around every request: an id, a log line, a count, an answer to the worst."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lockleaf.server.platform.http.errors import InternalError
from lockleaf.server.platform.http.problems import error_of, problem_response
from lockleaf.server.platform.http.rates import header_lines
from lockleaf.server.platform.observability.logging import log_request
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.wire.api import API_HEADER, API_VERSION

__all__ = ["RequestMiddleware"]

log = structlog.get_logger("lockleaf.http")


class RequestMiddleware:
    """The outermost layer, written against ASGI itself, since it runs for every request.

    Args:
        app: the application inside.
        metrics: where requests are counted.
        public_url: of the server as clients reach it, without a slash at its end; empty where it is not known.
        refused_addresses: the line of a refused attempt to come in carries the address that it came from.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, *, public_url: str = "", refused_addresses: bool = False
    ) -> None:
        self.app = app
        self.public_url = public_url
        self.metrics = metrics
        self.refusals_of = ATTEMPTS if refused_addresses else frozenset[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if scope["path"].endswith("/"):
            scope = _without_slashes_at_its_end(scope)
        # Made here, never taken from the client: an id of the client's choice could carry anything into the log.
        request_id = os.urandom(12).hex()
        state["request_id"] = request_id
        state["public_url"] = self.public_url
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                headers = message["headers"] = [*given, (b"x-request-id", request_id.encode()), OURS]
                if "standings" in state:
                    headers += await header_lines(scope)
                headers += _security_headers(given)
            await send(message)

        failure: Exception | None = None
        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:
            failure = error
            if not status:
                domain_error = error_of(error)
                await problem_response(domain_error, scope)(scope, receive, send_with_id)
                failure = error if isinstance(domain_error, InternalError) else None
        finally:
            self._record(scope, status, time.perf_counter() - started, failure)

    def _record(self, scope: Scope, status: int, seconds: float, failure: Exception | None) -> None:
        # The template and never the path: paths hold ids, and a wrong path can hold anything.
        route = getattr(scope.get("route"), "path", "unmatched")
        self.metrics.observe(scope["method"], route, status, seconds)
        state = scope["state"]
        taken = round(seconds * 1000, 2)
        if status < 400 and failure is None:
            log_request(state["request_id"], scope["method"], route, status, taken)
            return
        facts: dict[str, Any] = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "duration_ms": taken,
        }
        if status in REFUSALS and state.get("rate") in self.refusals_of:
            facts["client"] = state.get("client")
        if failure is not None:
            log.error("request failed", failure=failure, **facts)
        elif cause := state.get("cause"):
            log.warning("request refused", cause=cause, **facts)
        else:
            log.info("request", **facts)


def _without_slashes_at_its_end(scope: Scope) -> Scope:
    """Return the request without slashes at the end of its path; `state.slashes` tells how many there were.

    A redirect to the path without them would leave TLS behind a proxy that ends it, and lose the body of older clients.
    """
    path = scope["path"]
    # An encoded slash (%2F) is part of a name, and is no slash in the raw path.
    raw_path = scope.get("raw_path") or path.encode()
    slashes = min(len(path) - len(path.rstrip("/")), len(raw_path) - len(raw_path.rstrip(b"/")), len(path) - 1)
    if not slashes:
        return scope
    scope["state"]["slashes"] = slashes
    return {**scope, "path": path[:-slashes], "raw_path": raw_path[:-slashes]}


def _security_headers(given: Iterable[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """Return what an answer says besides the headers that its route has ``given`` it.

    What is the same for everybody may be kept, and a page may load its own scripts: their routes say so.
    """
    for name, _ in given:
        if name in _SECURITY_NAMES:
            named = {name for name, _ in given}
            return [header for header in SECURITY_HEADERS if header[0] not in named]
    return SECURITY_HEADERS


ATTEMPTS = frozenset({"login", "recovery", "signup", "prelogin"})
"""Rates of routes by which somebody comes in, or tries to."""
REFUSALS = frozenset({401, 403, 429})
OURS = (API_HEADER.lower().encode(), API_VERSION.encode())
"""On every answer, so that a client can tell it from one of a proxy or a network's sign-in page."""
SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""What every answer says, unless its route says otherwise by a header of the same name."""
_SECURITY_NAMES = frozenset(name for name, _ in SECURITY_HEADERS)

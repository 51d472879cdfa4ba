"""Letting pages of other origins call the API from a browser, where an operator says which (the Fetch standard's CORS).

Nothing here knows cookies: whoever calls sends a token, so a page of another origin does nothing in anybody's name.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from lockleaf.wire.api import API_HEADER

__all__ = ["CrossOrigin"]

METHODS = ("GET", "POST", "PUT", "DELETE")
SHOWN = (
    "Content-Disposition",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
    API_HEADER,
)
"""Headers of answers that a page may read beside those that every page may."""
PREFLIGHT_SECONDS = 600


class CrossOrigin:
    """Answers browsers for the paths of the API alone: figures and readiness are no page's business.

    Args:
        app: the application inside.
        origins: which may call; `*` for any.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=METHODS,
            allow_headers=("*",),
            expose_headers=SHOWN,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        called = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._open if called else self._app)(scope, receive, send)

"""The page on which a person reads and tries the API: Swagger UI, whole from this server.

Passwords of uce accounts are typed on this origin, so no script of another host may run on it, nor any that stands in
the page: the files come from a package that carries them, and the Content-Security-Policy allows nothing else. All
references are relative, so that the page works below whatever path a proxy puts it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from lockleaf.server.platform.http.errors import RouteNotFound
from lockleaf.server.platform.http.routing import Router

__all__ = ["redirect_to", "router"]

router = Router(include_in_schema=False)

_FILES = Path(fastapi_offline.__file__).parent / "static"
_MEDIA_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the style sheet's own icons
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_KEPT = {"Cache-Control": "public, max-age=3600"}

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lockleaf API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{up}docs/swagger-ui.css">
<script defer src="{up}docs/swagger-ui-bundle.js"></script>
<script defer src="{up}docs/start.js"></script>
</head>
<body>
<noscript>This page needs JavaScript. It shows <a href="{up}openapi.json">openapi.json</a>.</noscript>
<div id="swagger-ui" data-document="{up}openapi.json" data-server="{up}../../" data-token="{up}auth/token"></div>
</body>
</html>
"""

_START = """"use strict";
const page = document.getElementById("swagger-ui");
const absolute = (relative) => new URL(relative, document.baseURI).href;

// What is tried here is sent to where this page came from. Swagger UI resolves the address of the token against the
// document where OpenAPI says against the server, so both are made absolute.
fetch(absolute(page.dataset.document))
  .then((answer) => answer.json())
  .then((spec) => {
    spec.servers = [{ url: absolute(page.dataset.server) }];
    spec.components.securitySchemes.session.flows.password.tokenUrl = absolute(page.dataset.token);
    SwaggerUIBundle({
      domNode: page,
      spec,
      deepLinking: true,
      queryConfigEnabled: false, // no link decides what is shown
      validatorUrl: null, // nothing is told to another host
    });
  })
  .catch(() => {
    page.textContent = "The API's description could not be loaded. Reload this page.";
  });
"""


def _up(request: Request) -> str:
    """Return what leads from the request's path as the browser sees it to that path without slashes at its end."""
    return "../" * getattr(request.state, "slashes", 0)


@router.get("/docs")
async def page(request: Request) -> HTMLResponse:
    """Give the page."""
    return HTMLResponse(_PAGE.format(up=_up(request)), headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def start() -> Response:
    """Give the script that shows the document."""
    return Response(_START, media_type="text/javascript", headers=_KEPT)


@router.get("/docs/{name}")
async def file(name: str) -> FileResponse:
    """Give a file of Swagger UI."""
    if name not in _MEDIA_TYPES:
        raise RouteNotFound
    return FileResponse(_FILES / name, media_type=_MEDIA_TYPES[name], headers=_KEPT)


def redirect_to(path: str) -> Callable[[Request], Awaitable[Any]]:
    """Return a route at the server's root that leads to ``path``, also below a path that only a proxy knows of."""

    async def redirect(request: Request) -> RedirectResponse:
        return RedirectResponse(_up(request) + path.removeprefix("/"))

    return redirect

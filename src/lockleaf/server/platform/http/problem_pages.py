"""What the ``type`` of a problem leads to: a page for each code, made from the classes of errors (RFC 9457, 3.1.1)."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from html import escape

from fastapi.responses import HTMLResponse

from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.http.errors import RouteNotFound
from lockleaf.server.platform.http.problems import every_error, status_of
from lockleaf.server.platform.http.routing import Router

__all__ = ["router"]

router = Router(include_in_schema=False)

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "public, max-age=3600"}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Lockleaf</title>
<link rel="icon" href="data:,">
</head>
<body>
{body}
</body>
</html>
"""


@router.get("/problems")
async def index() -> HTMLResponse:
    """List the codes."""
    rows = "\n".join(f'<li><a href="problems/{code}"><code>{code}</code></a></li>' for code in sorted(_errors()))
    said = "<h1>Problems</h1>\n<p>What this server answers where it refuses, by <code>code</code>.</p>"
    body = f"{said}\n<ul>\n{rows}\n</ul>"
    return HTMLResponse(_PAGE.format(title="Problems", body=body), headers=_HEADERS)


@router.get("/problems/{code}")
async def page(code: str) -> HTMLResponse:
    """Say what a code means.

    Raises:
        RouteNotFound: there is no such code.
    """
    classes = _errors().get(code)
    if classes is None:
        raise RouteNotFound
    told = "\n".join(
        f"<p>{_sentences(found().detail)}</p>\n<p>It is answered with status {status_of(found)}.</p>"
        for found in classes
    )
    body = f'<h1><code>{code}</code></h1>\n{told}\n<p><a href="../problems">All problems</a></p>'
    return HTMLResponse(_PAGE.format(title=code, body=body), headers=_HEADERS)


@cache
def _errors() -> dict[str, tuple[type[DomainError], ...]]:
    """Return the classes of errors of each code, once all are loaded."""
    found: defaultdict[str, list[type[DomainError]]] = defaultdict(list)
    for each in every_error():
        if each.__module__.startswith("lockleaf."):
            found[str(each.code)].append(each)
    return {code: tuple(sorted(classes, key=lambda each: each.__name__)) for code, classes in found.items()}


def _sentences(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))

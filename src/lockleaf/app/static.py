"""The page itself: files of this package, and nothing else."""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["page_file"]

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml",
          ".woff2": "font/woff2", ".webmanifest": "application/manifest+json", ".png": "image/png",
          ".ico": "image/x-icon", ".json": "application/json", ".txt": "text/plain"}  # fmt: skip
_NOT_BUILT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lockleaf</title>'
    "<p>The page was not built into this installation.</p></html>"
)


@cache
def _files() -> dict[str, Traversable]:
    """Return every file of the page by its path."""
    found: dict[str, Traversable] = {}

    def look(folder: Traversable, before: str) -> None:
        for each in folder.iterdir():
            if each.is_dir():
                look(each, f"{before}{each.name}/")
            elif not each.name.startswith(".") and not each.name.endswith(".py"):
                found[f"{before}{each.name}"] = each

    folder = files("lockleaf.app") / "page"
    if folder.is_dir():
        look(folder, "")
    return found


async def page_file(request: Request) -> Response:
    """Return a file of the page; the page itself where none is named."""
    path = request.path_params.get("path", "") or "index.html"
    found = _files().get(path)
    if found is None:
        if path == "index.html":
            return Response(_NOT_BUILT, media_type="text/html")
        return Response("Not found", 404, media_type="text/plain")
    ending = path[path.rfind(".") :].lower() if "." in path else ""
    kind = _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    # The address has a part that each run draws anew, so these files are the same as long as there is one.
    keep = "no-cache" if path == "index.html" else "private, max-age=31536000, immutable"
    return Response(found.read_bytes(), media_type=kind, headers={"Cache-Control": keep})

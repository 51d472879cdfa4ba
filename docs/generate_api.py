"""Fills the tables of ``docs/reference/api.md`` from the OpenAPI document: what each route does, takes and answers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from docs.marks import fill, table
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parent / "reference" / "api.md"

_SECTIONS = {
    "/api/v1/auth": "accounts",
    "/api/v1/users": "user",
    "/api/v1/users/me/export": "jobs",
    "/api/v1/jobs": "jobs",
    "/api/v1/sync": "sync",
    "/api/v1/vault": "vault",
    "/api/v1/entries": "diary",
    "/api/v1/tags": "tags",
    "/api/v1/search": "search",
    "/api/v1/media": "media",
    "/api/v1/inbox": "inbox",
    "/api/v1/integrations": "networks",
    "/api/v1/encryption": "encrypted metrics",
    "/health": "operation",
    "/ready": "operation",
    "/metrics": "operation",
}
"""Which part of the page has the routes below a path; the longest path decides."""

_FOR = {"/metrics": "the server's machine, or the operator's token"}


def page() -> str:
    """Return the page, with its tables as the code has them."""
    rows: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path, operations in _document()["paths"].items():
        found = [each for each in _SECTIONS if path.startswith(each)]
        assert found, f"_SECTIONS names no part of the page for {path}"
        section = _SECTIONS[max(found, key=len)]
        rows[section] += [_row(method, path, told) for method, told in operations.items()]
    head = ("method", "path", "for", "does", "success")
    return fill(PAGE.read_text(encoding="utf-8"), {section: table(head, each) for section, each in rows.items()})


def _document() -> dict[str, Any]:
    secret = "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo"  # noqa: S105  (of a server that serves nobody)
    settings = Settings(
        _env_file=None,
        database_url="postgresql://nobody@/nowhere",
        secrets={"roots": (secret,), "prelogin": secret[::-1]},
    )
    return create_app(settings).openapi()


def _row(method: str, path: str, told: dict[str, Any]) -> tuple[str, ...]:
    does = " ".join((told.get("description") or told["summary"]).split()).rstrip(".")
    taken = [f"`{_spelled(each)}`" for each in told.get("parameters", ()) if each["in"] in ("query", "header")]
    if taken:
        does += f"; takes {', '.join(taken)}"
    success = ", ".join(sorted(code for code in told["responses"] if code.startswith("2")))
    whom = _FOR.get(path, "session" if told.get("security") else "anybody")
    return method.upper(), f"`{path}`", whom, does, success


def _spelled(parameter: dict[str, Any]) -> str:
    name: str = parameter["name"]
    return name.title() if parameter["in"] == "header" else name

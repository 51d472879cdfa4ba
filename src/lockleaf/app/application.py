"""The application: its endpoints behind the guard."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lockleaf.app.admission import Admission
from lockleaf.app.desk import Desk
from lockleaf.app.guard import Guard
from lockleaf.app.problems import problem
from lockleaf.app.routes import (
    account,
    attachments,
    conflicts,
    connections,
    deletion,
    drafts,
    entries,
    exchange,
    factors,
    history,
    keys,
    overview,
    privacy,
    publishing,
    server_view,
    state,
    sums,
)
from lockleaf.app.routing import MOST, Endpoint
from lockleaf.app.static import page_file

__all__ = ["ENDPOINTS", "application"]

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    each
    for module in (
        state,
        entries,
        drafts,
        overview,
        sums,
        history,
        conflicts,
        attachments,
        exchange,
        account,
        factors,
        privacy,
        server_view,
        connections,
        publishing,
        keys,
        deletion,
    )
    for each in module.endpoints.listed
)


def application(desk: Desk, admission: Admission, port: int) -> ASGIApp:
    """Return the application for one profile.

    Args:
        desk: the open journal.
        admission: who may come in.
        port: where it listens, which is what ``Host`` must say.
    """
    routes = [each.route(desk) for each in ENDPOINTS]
    routes += [
        Route("/api/{path:path}", _unknown, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/{path:path}", page_file, methods=["GET"]),
    ]
    return Guard(Starlette(routes=routes), admission, port, most=MOST)


async def _unknown(request: Request) -> Response:
    del request
    return problem(404, "not_found", "There is no such endpoint.")

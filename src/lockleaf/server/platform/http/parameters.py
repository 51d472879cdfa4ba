"""What a query may ask for: a parameter that a route does not know is refused, not ignored.

Who asks for the second page, for entries of one mood, or for a deletion for good, and is answered as if it had not been
asked, takes the answer for something that it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.fields import query_of

__all__ = ["KNOWN", "require_known"]

_ASKS_FOR_NOTHING = "_"
"""Parameters that begin so keep caches away, and say nothing."""

_known: dict[Callable[..., Any], frozenset[str]] = {}


def require_known(request: Request) -> None:
    """Check that the route knows every parameter of a request's query.

    Raises:
        InvalidRequest: it does not. Unknown names are not repeated.
    """
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    known = _known.get(route.endpoint)
    if known is None:
        known = _known[route.endpoint] = frozenset(_names(route.dependant))
    unknown = query_of(request).keys() - known
    if unknown and not all(name.startswith(_ASKS_FOR_NOTHING) for name in unknown):
        listed = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        told = {"field": "query", "type": "extra_forbidden", "message": f"this route knows the parameters: {listed}"}
        raise InvalidRequest(errors=[told])


def _names(dependant: Dependant) -> set[str]:
    """Return the names of the parameters that a route and its dependencies take from the query."""
    found = {field.alias for field in dependant.query_params}
    return found.union(*map(_names, dependant.dependencies))


async def _known_alone(request: Request) -> None:
    """Check the parameters of a route that reads neither a token nor a body, which check them elsewhere."""
    require_known(request)


KNOWN = Depends(_known_alone)

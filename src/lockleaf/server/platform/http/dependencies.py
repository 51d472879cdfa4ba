"""What routes ask for: the server's parts, a transaction, a reading session, and who is calling."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from lockleaf.server.identity.errors import NotAuthenticated
from lockleaf.server.identity.principal import Principal, authenticate, require_scope, require_tier
from lockleaf.server.platform.context import Services
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.http.parameters import require_known

__all__ = ["Read", "ServicesOf", "Tx", "bearer_token", "caller", "services", "services_of", "transaction"]


def services_of(request: Request) -> Services:
    """Return the parts of the server that serves this request."""
    found: Services = request.app.state.services
    return found


async def services(request: Request) -> Services:
    """Give a route the parts of the server."""
    return services_of(request)


ServicesOf = Annotated[Services, Depends(services)]

# The dependencies below take the request alone: each further dependency of theirs would be resolved at every request,
# which costs more than what it does.


async def transaction(request: Request) -> AsyncIterator[Transaction]:
    """One transaction around the route: committed when it returns, before its answer is sent."""
    async with services_of(request).database.transaction() as tx:
        yield tx


async def reading(request: Request) -> AsyncIterator[ReadSession]:
    """A session whose every statement reads, and stands for itself."""
    async with services_of(request).database.read_sessions() as session:
        yield session


# Scope "function": with FastAPI's default the commit would run after the answer was sent, and a commit that fails
# would already have been reported as a success.
Tx = Annotated[Transaction, Depends(transaction, scope="function")]
Read = Annotated[ReadSession, Depends(reading, scope="function")]


def bearer_token(request: Request) -> str:
    """Return the access token of a request.

    Raises:
        NotAuthenticated: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()


def caller(
    scope: str | None = None, *, write: bool = False, tier: str | None = None
) -> Callable[[Request], Awaitable[Principal]]:
    """Return a dependency that gives the caller of a route, who asks for nothing that the route does not know.

    Args:
        scope: what the token must be for; None lets every session pass.
        write: whether reading is not enough.
        tier: the privacy tier that the account must have.
    """

    async def dependency(request: Request) -> Principal:
        parts = services_of(request)
        token = bearer_token(request)
        async with parts.database.read_driver() as connection:
            principal = await authenticate(connection, parts.tokens, token)
        if scope is not None:
            require_scope(principal, scope, write=write)
        if tier is not None:
            require_tier(principal, tier)
        require_known(request)
        return principal

    return dependency

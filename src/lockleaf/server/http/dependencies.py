"""What routes ask for: the server's parts, a transaction, a reading session, and who is calling."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.auth.errors import NotAuthenticated
from lockleaf.server.auth.principal import Principal, authenticate, require_scope, require_tier
from lockleaf.server.context import Services
from lockleaf.server.db.engine import ReadSession

__all__ = ["Read", "ServicesOf", "Tx", "bearer_token", "caller", "services", "transaction"]


def services(request: Request) -> Services:
    """Return the parts of the server that serves this request."""
    found: Services = request.app.state.services
    return found


ServicesOf = Annotated[Services, Depends(services)]


async def transaction(services: ServicesOf) -> AsyncIterator[AsyncSession]:
    """One transaction around the route: committed when it returns, before its answer is sent.

    What the route noted in ``session.info["after_commit"]`` is called once the commit has succeeded.
    """
    async with services.database.sessions() as session:
        async with session.begin():
            yield session
        for call in session.info.get("after_commit", ()):
            call()


async def reading(services: ServicesOf) -> AsyncIterator[ReadSession]:
    """A session whose every statement reads, and stands for itself."""
    async with services.database.read_sessions() as session:
        yield session


# Scope "function": with FastAPI's default the commit would run after the answer was sent, and a commit that fails
# would already have been reported as a success.
Tx = Annotated[AsyncSession, Depends(transaction, scope="function")]
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


def caller(scope: str, *, write: bool, tier: str | None = None) -> Callable[..., Awaitable[Principal]]:
    """Return a dependency that gives the caller of a route.

    Args:
        scope: what the token must be for.
        write: whether reading is not enough.
        tier: the privacy tier that the account must have.
    """

    async def dependency(request: Request, session: Read, services: ServicesOf) -> Principal:
        principal = await authenticate(session, services.tokens, bearer_token(request))
        require_scope(principal, scope, write=write)
        if tier is not None:
            require_tier(principal, tier)
        return principal

    return dependency

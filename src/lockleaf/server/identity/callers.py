"""What routes ask for of who is calling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import NotAuthenticated
from lockleaf.server.identity.principal import (
    Asking,
    Principal,
    require_scope,
    require_tier,
    who,
    who_of_several,
)
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.together import Together
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import header, parts_of
from lockleaf.server.platform.http.parameters import require_known
from lockleaf.server.platform.http.rates import count_account
from lockleaf.server.platform.parts import Parts
from lockleaf.server.records.writer import Rules

__all__ = ["Asker", "Callers", "ParsedForCaller", "bearer_token", "caller", "records_of"]


M = TypeVar("M", bound=BaseModel)


class Callers(Together[Asking, Principal]):
    """Tells who is asking: of the requests of a moment, by one statement. Their sessions are looked up each time.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, alone=who, together=who_of_several)


def bearer_token(request: Request) -> str:
    """Return the access token of a request.

    Raises:
        NotAuthenticated: the request has no token.
    """
    scheme, _, token = header(request, b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()


def caller(
    scope: str | None = None, *, write: bool = False, tier: str | None = None, rate: str = "account"
) -> Callable[[Request], Awaitable[Principal]]:
    """Return a dependency that gives the caller of a route, who asks for nothing that the route does not know.

    Args:
        scope: what the token must be for; None lets every session pass.
        write: whether reading is not enough.
        tier: the privacy tier that the account must have.
        rate: by which the account's requests are counted; ``secret`` counts those of one session, so that whoever stole
            one cannot keep the owner of another from changing the password.
    """

    async def dependency(request: Request) -> Principal:
        parts = parts_of(request)
        token = bearer_token(request)
        principal = await parts[Callers].ask(Asking(parts[TokenCodec].read_access(token)))
        await count_account(request, rate, principal.session_id if rate == "secret" else principal.user_id)
        if scope is not None:
            require_scope(principal, scope, write=write)
        if tier is not None:
            require_tier(principal, tier)
        require_known(request)
        return principal

    return dependency


async def _asker(request: Request) -> Asking:
    """Give a route who says that they ask, where its one statement tells whether they may."""
    asking = Asking(parts_of(request)[TokenCodec].read_access(bearer_token(request)))
    await count_account(request, "account", asking.user_id)
    require_known(request)
    return asking


Asker = Annotated[Asking, Depends(_asker)]


class ParsedForCaller(Parsed[M]):
    """A body for a route that learns who is asking only later: who may not ask is told that before what is wrong in it.

    Args:
        model: what the body must be.
        admits: the dependency that gives the caller of such a route.
    """

    def __init__(self, model: type[M], admits: Callable[[Request], Awaitable[Principal]], *, msgpack: bool) -> None:
        super().__init__(model, msgpack=msgpack)
        self._admits = admits

    async def __call__(self, request: Request) -> M:
        """Parse the body; see `Parsed`, and `caller`."""
        try:
            return await super().__call__(request)
        except DomainError:
            await self._admits(request)
            raise


def records_of(parts: Parts, tx: Transaction, principal: Principal) -> CallerRecords:
    """Return the records of the caller's account, to be written in a route's transaction."""
    return CallerRecords(tx, principal, parts[Clock], parts[Rules], parts[Custodian])

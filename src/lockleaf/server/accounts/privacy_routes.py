"""``/users/me/privacy``: how much of the account leaves its devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.accounts import privacy, service
from lockleaf.server.accounts.errors import ConsentRequired, HeKeyRequired, InvalidHePublicKey, SecretKeyReceived
from lockleaf.server.accounts.public_contexts import ContextsBusy
from lockleaf.server.auth.errors import (
    InsufficientScope,
    NotAuthenticated,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from lockleaf.server.auth.principal import Principal
from lockleaf.server.context import Services
from lockleaf.server.http.bodies import Parsed
from lockleaf.server.http.dependencies import Read, ServicesOf, Tx, caller
from lockleaf.server.http.errors import InvalidRequest
from lockleaf.server.http.openapi import problems
from lockleaf.server.records.errors import EpochEndOutdated, InvalidStatement, TooManyStatements
from lockleaf.wire import privacy as bodies

__all__ = ["router"]

router = APIRouter(
    prefix="/users/me/privacy",
    tags=["users"],
    responses=problems(NotAuthenticated, TokenExpired, TokenInvalid, SessionRevoked, InsufficientScope),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Owner = Annotated[Principal, Depends(caller("account", write=True))]


@router.get("")
async def get_privacy(caller: Reader, read: Read) -> bodies.Privacy:
    """Return the privacy tier, and what works with it."""
    return await privacy.status(read, await service.get(read, caller.user_id))


@router.put(
    "",
    responses=problems(
        InvalidRequest,
        ConsentRequired,
        HeKeyRequired,
        SecretKeyReceived,
        InvalidHePublicKey,
        ContextsBusy,
        InvalidStatement,
        EpochEndOutdated,
        TooManyStatements,
    ),
)
async def put_privacy(
    caller: Owner,
    session: Tx,
    services: ServicesOf,
    body: Annotated[bodies.PrivacyChange, Depends(Parsed(bodies.PrivacyChange))],
) -> bodies.PrivacyChanged:
    """Set the privacy tier, and register a public key; what a lower tier does not hold is deleted at once."""
    # Before the transaction touches the database: nobody waits for a connection while a key is looked at.
    context = None if body.he_public_key is None else await services.public_contexts.check(body.he_public_key)
    _wake(session, services, caller.user_id)
    return await privacy.change(
        session, caller.user_id, body, context, holdings=services.holdings, now=services.clock()
    )


@router.delete("/revoke")
async def revoke_privacy(caller: Owner, session: Tx, services: ServicesOf) -> bodies.PrivacyRevoked:
    """Go down to `local_only`: everything but the account is deleted on the server."""
    _wake(session, services, caller.user_id)
    return await privacy.revoke(session, caller.user_id, holdings=services.holdings, now=services.clock())


def _wake(session: AsyncSession, services: Services, user_id: UUID) -> None:
    """Let live streams look at the tier again, once it is committed."""
    calls: list[Callable[[], None]] = session.info.setdefault("after_commit", [])
    calls.append(lambda: services.events.changed(user_id))

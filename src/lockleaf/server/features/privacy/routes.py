"""``/users/me/privacy``: how much of the account leaves its devices."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from lockleaf.server.features.privacy import service as privacy
from lockleaf.server.features.privacy.public_contexts import ContextsBusy, PublicContexts
from lockleaf.server.identity.accounts import service
from lockleaf.server.identity.accounts.errors import ConsentRequired, InvalidHePublicKey, SecretKeyReceived
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.auth.service import prove
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import (
    HashingBusy,
    InsufficientScope,
    InvalidCredentials,
    NotAuthenticated,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Read, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router, takes
from lockleaf.server.records.errors import EpochEndOutdated, InvalidStatement, TooManyStatements
from lockleaf.wire import privacy as bodies
from lockleaf.wire.account_fields import PrivacyTier

__all__ = ["router"]

SIGNED_IN = (NotAuthenticated, TokenExpired, TokenInvalid, SessionRevoked)

router = Router(
    prefix="/users/me/privacy",
    tags=["users"],
    responses=problems(*SIGNED_IN, InsufficientScope),
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
        *SIGNED_IN,
        InvalidCredentials,
        HashingBusy,
        InvalidRequest,
        ConsentRequired,
        SecretKeyReceived,
        InvalidHePublicKey,
        ContextsBusy,
        InvalidStatement,
        EpochEndOutdated,
        TooManyStatements,
    ),
)
@takes(lambda settings: settings.limits.public_key_body_bytes)
async def put_privacy(
    caller: Owner,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[bodies.PrivacyChange, Depends(Parsed(bodies.PrivacyChange))],
) -> bodies.PrivacyChanged:
    """Set the privacy tier, and register a public key; what a lower tier does not hold is deleted at once."""
    # Before the transaction touches the database: nobody waits for a connection while a key is looked at.
    context = None if body.he_public_key is None else await parts[PublicContexts].check(body.he_public_key)
    proven = await _proven(parts[VerifierHasher], read, caller, body.privacy_tier, body.current_password)
    tx.wake(caller.user_id)  # live streams look at the tier again
    return await privacy.change(
        tx, caller.user_id, body, context, proven=proven, holdings=parts[Holdings], now=parts[Clock]()
    )


@router.delete("/revoke", responses=problems(*SIGNED_IN, InvalidCredentials, HashingBusy, InvalidRequest))
async def revoke_privacy(
    caller: Owner,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[bodies.PrivacyRevocation, Depends(Parsed(bodies.PrivacyRevocation, optional=True))],
) -> bodies.PrivacyRevoked:
    """Go down to `local_only`: everything but the account is deleted on the server."""
    proven = await _proven(parts[VerifierHasher], read, caller, "local_only", body.current_password)
    tx.wake(caller.user_id)  # live streams look at the tier again
    return await privacy.revoke(tx, caller.user_id, proven=proven, holdings=parts[Holdings], now=parts[Clock]())


async def _proven(
    hasher: VerifierHasher, read: ReadSession, caller: Principal, tier: PrivacyTier, secret: str | None
) -> Account | None:
    """Check the current secret where a tier deletes what only the account's owner may delete.

    Raises:
        InvalidRequest: it is missing.
        InvalidCredentials: it is wrong.
    """
    needed = privacy.needs_secret(await service.get(read, caller.user_id), tier)
    # Hashing is slow: nobody waits for this connection meanwhile.
    await read.close()
    if not needed:
        return None
    if secret is None:
        raise InvalidRequest(
            errors=[
                {
                    "field": "current_password",
                    "type": "missing",
                    "message": "Needed to delete what the server holds of this account: send its current secret",
                }
            ]
        )
    return await prove(hasher, read, caller.user_id, secret)

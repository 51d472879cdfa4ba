"""``/users/me/privacy``: how much of the account leaves its devices."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from lockleaf.server.features.privacy import service as privacy
from lockleaf.server.features.privacy.public_contexts import ContextsBusy, PublicContexts
from lockleaf.server.identity.accounts import service
from lockleaf.server.identity.accounts.errors import ConsentRequired, InvalidHePublicKey, SecretKeyReceived
from lockleaf.server.identity.auth.proving import Prover
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS, HashingBusy, InvalidCredentials
from lockleaf.server.identity.factors.errors import OF_FACTORS
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Read, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router, takes
from lockleaf.server.records.errors import EpochEndOutdated, InvalidStatement, TooManyStatements
from lockleaf.wire import privacy as bodies

__all__ = ["router"]


router = Router(
    prefix="/users/me/privacy",
    tags=["users"],
    responses=problems(*OF_RIGHTS),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Owner = Annotated[Principal, Depends(caller("account", write=True))]
Proving = Annotated[Principal, Depends(caller("account", write=True, rate="secret"))]


@router.get("", summary="Read the privacy tier")
async def get_privacy(caller: Reader, read: Read) -> bodies.Privacy:
    """Return the privacy tier, and what works with it."""
    return await privacy.status(read, await service.get(read, caller.user_id))


@router.put(
    "",
    summary="Set the privacy tier",
    responses=problems(
        *OF_RIGHTS,
        InvalidCredentials,
        *OF_FACTORS,
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
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[bodies.PrivacyChange, Depends(Parsed(bodies.PrivacyChange))],
) -> bodies.PrivacyChanged:
    """Set the privacy tier, and register a public key; what a lower tier does not hold is deleted at once."""
    # Before the transaction touches the database: nobody waits for a connection while a key is looked at.
    context = None if body.he_public_key is None else await parts[PublicContexts].check(body.he_public_key)
    proven = await privacy.prove_if_needed(
        parts[Prover], read, caller.user_id, body.privacy_tier, body.current_password
    )
    return await privacy.change(
        tx,
        caller.user_id,
        body,
        context,
        proven=proven,
        factors=parts[SecondFactors],
        holdings=parts[Holdings],
        now=parts[Clock](),
    )


@router.delete(
    "/revoke",
    summary="Take everything back",
    responses=problems(*OF_RIGHTS, InvalidCredentials, *OF_FACTORS, HashingBusy, InvalidRequest),
)
async def revoke_privacy(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[bodies.PrivacyRevocation, Depends(Parsed(bodies.PrivacyRevocation, optional=True))],
) -> bodies.PrivacyRevoked:
    """Go down to `local_only`: everything but the account is deleted on the server."""
    proven = await privacy.prove_if_needed(parts[Prover], read, caller.user_id, "local_only", body.current_password)
    return await privacy.revoke(
        tx,
        caller.user_id,
        body,
        proven=proven,
        factors=parts[SecondFactors],
        holdings=parts[Holdings],
        now=parts[Clock](),
    )

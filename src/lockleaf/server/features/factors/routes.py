"""``/auth/factors``: what shows, beside the secret, that an account's owner is there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from lockleaf.server.identity.auth.second_factors import FactorChanges
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS, HashingBusy, InvalidCredentials
from lockleaf.server.identity.factors.errors import (
    OF_FACTORS,
    InvalidFactor,
    InvalidPasskey,
    PasskeysNotConfigured,
    TooManyFactorAttempts,
    TooManyFactors,
)
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.errors import InvalidRequest, NotFound
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Read, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.credentials import Credentials, FactorBeginning
from lockleaf.wire.factors import FactorBegun, FactorCodes, FactorConfirmation, FactorConfirmed, FactorList

__all__ = ["router"]

router = Router(prefix="/auth/factors", tags=["auth"], responses=problems(*OF_RIGHTS))

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Proving = Annotated[Principal, Depends(caller("account", write=True, rate="secret"))]
Proof = Annotated[Credentials, Depends(Parsed(Credentials))]
PROOFS = (*OF_RIGHTS, InvalidRequest, InvalidCredentials, HashingBusy)


@router.get("", summary="List second factors")
async def get_factors(caller: Reader, read: Read, parts: PartsOf) -> FactorList:
    """Return the second factors, how many factor codes are left, and how many wrong codes somebody sent."""
    return await parts[SecondFactors].list(read, caller.user_id)


@router.post(
    "",
    summary="Begin to add a second factor",
    status_code=201,
    response_model_exclude_none=True,
    responses=problems(*PROOFS, *OF_FACTORS, TooManyFactors, PasskeysNotConfigured),
)
async def post_factor(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[FactorBeginning, Depends(Parsed(FactorBeginning))],
) -> FactorBegun:
    """Begin to add a factor; it counts once it is confirmed."""
    return await parts[FactorChanges].begin(read, tx, caller, body)


@router.post("/codes", summary="Replace the factor codes", responses=problems(*PROOFS, *OF_FACTORS, NotFound))
async def post_codes(caller: Proving, read: Read, tx: TxToBegin, parts: PartsOf, body: Proof) -> FactorCodes:
    """Replace the factor codes, which are shown once; every other session ends."""
    return await parts[FactorChanges].replace_codes(read, tx, caller, body)


@router.post(
    "/{factor_id}/confirm",
    summary="Confirm a second factor",
    response_model_exclude_none=True,
    responses=problems(*PROOFS, InvalidFactor, InvalidPasskey, TooManyFactorAttempts, NotFound),
)
async def post_confirmation(
    factor_id: UUID,
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[FactorConfirmation, Depends(Parsed(FactorConfirmation))],
) -> FactorConfirmed:
    """Let a factor count, now that it answers; every other session ends. The first one brings the factor codes."""
    return await parts[FactorChanges].confirm(read, tx, caller, factor_id, body)


@router.delete(
    "/{factor_id}",
    summary="Remove a second factor",
    status_code=204,
    responses=problems(*PROOFS, *OF_FACTORS, NotFound),
)
async def delete_factor(
    factor_id: UUID, caller: Proving, read: Read, tx: TxToBegin, parts: PartsOf, body: Proof
) -> None:
    """Remove a factor; every other session ends. With the last one the account is open to its secret alone."""
    await parts[FactorChanges].remove(read, tx, caller, factor_id, body)

"""``/auth/recovery-codes``, and coming back with one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import (
    OF_RESEALING,
    InvalidRecoveryCode,
    InvalidRecoveryToken,
    KeyringConflict,
    KeyringRequired,
    KeysRequired,
)
from lockleaf.server.identity.auth.credentials import CredentialChanges
from lockleaf.server.identity.auth.recovery import AccountRecovery
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS, AccountDisabled, CustodyRequired, HashingBusy, InvalidCredentials
from lockleaf.server.identity.factors.errors import OF_FACTORS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Read, TxToBegin
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.rates import Attempts, attempts, rated
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.recovery import (
    Recover,
    RecoveryCodesLeft,
    RecoveryCodesReplacement,
    VerifyRecoveryCode,
    VerifyRecoveryCodeAnswer,
)
from lockleaf.wire.tokens import Tokens

__all__ = ["router"]

router = Router(prefix="/auth", tags=["auth"])

Reader = Annotated[Principal, Depends(caller("account", write=False))]
Proving = Annotated[Principal, Depends(caller("account", write=True, rate="secret"))]
Recoveries = Annotated[Attempts, Depends(attempts("recovery_account"))]
RESEALING = (InvalidRequest, *OF_RESEALING, CustodyRequired, HashingBusy)


@router.get(
    "/recovery-codes",
    summary="Count the recovery codes",
    response_model_exclude_none=True,
    responses=problems(*OF_RIGHTS),
)
async def get_recovery_codes(caller: Reader, read: Read) -> RecoveryCodesLeft:
    """Return how many recovery codes are unspent."""
    return await accounts.recovery_codes_left(read, caller.user_id)


@router.post(
    "/recovery-codes",
    summary="Replace the recovery codes",
    response_model_exclude_none=True,
    responses=problems(
        *OF_RIGHTS,
        InvalidRequest,
        InvalidCredentials,
        *OF_FACTORS,
        KeyringRequired,
        KeysRequired,
        KeyringConflict,
        CustodyRequired,
        HashingBusy,
    ),
)
async def post_recovery_codes(
    caller: Proving,
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[RecoveryCodesReplacement, Depends(Parsed(RecoveryCodesReplacement))],
) -> RecoveryCodesLeft:
    """Replace the set of recovery codes; every other session ends."""
    return await parts[CredentialChanges].replace_recovery_codes(read, tx, caller, body)


@router.post(
    "/verify-recovery-code",
    summary="Exchange a recovery code for the keyring",
    responses=problems(InvalidRequest, InvalidRecoveryCode, *OF_FACTORS),
)
@rated("recovery")
async def verify_recovery_code(
    read: Read,
    tx: TxToBegin,
    parts: PartsOf,
    tried: Recoveries,
    body: Annotated[VerifyRecoveryCode, Depends(Parsed(VerifyRecoveryCode))],
) -> VerifyRecoveryCodeAnswer:
    """Exchange a recovery code's verifier for the keyring sealed under the code, and for the right to recover."""
    await tried.count(normalise_email(body.login_name))
    return await parts[AccountRecovery].verify_code(read, tx, body)


@router.post(
    "/recover",
    summary="Set new credentials with a recovery code",
    responses=problems(InvalidRecoveryToken, AccountDisabled, *OF_FACTORS, *RESEALING),
)
@rated("recovery")
async def recover(tx: TxToBegin, parts: PartsOf, body: Annotated[Recover, Depends(Parsed(Recover))]) -> Tokens:
    """Set new credentials; the code is spent, every session ends, and a new one begins."""
    return await parts[AccountRecovery].recover(tx, body)

"""Coming back with a recovery code: first its keyring, then new credentials (PROTOCOL section 2)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto.recovery import verifier_hash
from lockleaf.server.accounts import keys
from lockleaf.server.accounts import service as accounts
from lockleaf.server.accounts.errors import InvalidRecoveryCode, InvalidRecoveryToken
from lockleaf.server.auth import sessions
from lockleaf.server.auth.errors import CustodyRequired, SessionRevoked, TokenExpired, TokenInvalid
from lockleaf.server.auth.service import tokens
from lockleaf.server.context import Services
from lockleaf.server.db.engine import ReadSession
from lockleaf.wire import accounts as bodies

__all__ = ["recover", "verify_code"]


async def verify_code(
    parts: Services, read: ReadSession, body: bodies.VerifyRecoveryCode
) -> bodies.VerifyRecoveryCodeAnswer:
    """Answer a recovery code's verifier with the keyring sealed under the code, and the right to go on.

    The code is not spent by it. An unknown email takes the same statement and gives the same answer as a wrong code.

    Raises:
        InvalidRecoveryCode: the account has no such code.
        CustodyRequired: the code itself was sent; an end-to-end encrypted account never shows it.
    """
    if body.verifier is None:
        raise CustodyRequired(required="e2e")
    found = await accounts.recovery_code(read, body.email, verifier_hash(body.verifier))
    if found is None:
        raise InvalidRecoveryCode
    row, current_version = found
    return bodies.VerifyRecoveryCodeAnswer(
        recovery_token=parts.tokens.recovery(row.user_id, row.verifier_hash, parts.clock()),
        expires_in=parts.tokens.recovery_seconds,
        user_id=row.user_id,
        keyring=row.keyring,
        keyring_version=row.keyring_version,
        current_keyring_version=current_version,
    )


async def recover(parts: Services, session: AsyncSession, body: bodies.Recover) -> bodies.Tokens:
    """Set new credentials, spend the code, end every session, and open a new one.

    Raises:
        InvalidRecoveryToken: its time is over, or its code is spent.
        KeyringRequired, KeyDerivationRequired, KeyringConflict: see ``keys.reseal``; the code is not spent then.
    """
    try:
        claims = parts.tokens.read_recovery(body.recovery_token)
    except (TokenExpired, TokenInvalid):
        raise InvalidRecoveryToken from None
    new_hash = await parts.hasher.hash(body.password)
    try:
        account = await accounts.lock(session, claims.user_id)
    except SessionRevoked:
        raise InvalidRecoveryToken from None
    if not await accounts.spend_recovery_code(session, claims.user_id, claims.verifier_hash):
        raise InvalidRecoveryToken
    await keys.reseal(session, account, body)
    account.verifier_hash = new_hash
    account.updated_at = now = parts.clock()
    await sessions.delete_all(session, claims.user_id)
    device = sessions.Device(body.device_name, body.device_id)
    row = await sessions.open_session(session, claims.user_id, device, tokens=parts.tokens, now=now)
    return tokens(parts, row)

"""Changing what proves who one is, and what opens the keys: password, keyring, recovery codes, the account's end.

Each needs the present secret in the same request, is one transaction, and ends every other session.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.accounts import keys
from lockleaf.server.accounts import service as accounts
from lockleaf.server.auth import sessions
from lockleaf.server.auth.principal import Principal
from lockleaf.server.auth.service import prove, still_proven, tokens
from lockleaf.server.context import Services
from lockleaf.server.db.engine import ReadSession
from lockleaf.server.holdings import delete_above
from lockleaf.wire import accounts as bodies

__all__ = ["change_password", "delete_account", "replace_keyring", "replace_recovery_codes"]


async def change_password(
    parts: Services, read: ReadSession, session: AsyncSession, caller: Principal, body: bodies.PasswordChange
) -> bodies.Tokens:
    """Take a new verifier, and the keyring as it is sealed under the new password.

    Raises:
        InvalidCredentials: the current password is wrong.
        KeyringRequired, KeyDerivationRequired, KeysRequired, KeyringConflict: see ``keys.reseal``.
    """
    proven = await prove(parts, read, caller.user_id, body.current_password)
    verifier_hash = await parts.hasher.hash(body.password)
    account = await still_proven(session, proven)
    await keys.reseal(session, account, body)
    account.verifier_hash = verifier_hash
    account.updated_at = now = parts.clock()
    row = await sessions.renew(session, caller.user_id, caller.session_id, tokens=parts.tokens, now=now)
    return tokens(parts, row)


async def replace_keyring(
    parts: Services, read: ReadSession, session: AsyncSession, caller: Principal, body: bodies.KeyringReplacement
) -> bodies.KeyringVersion:
    """Take a first keyring, or a rotated one. A repeated request is answered like the first.

    Raises:
        InvalidCredentials: the current password is wrong.
        InvalidRecipient, InvalidSignature, KeyDerivationRequired, KeyringConflict: see ``keys.replace_keyring``.
    """
    account = await still_proven(session, await prove(parts, read, caller.user_id, body.current_password))
    if not keys.is_stored(account, body):
        await keys.replace_keyring(session, account, body)
        account.updated_at = parts.clock()
        await sessions.delete_all(session, caller.user_id, but=caller.session_id)
    return bodies.KeyringVersion(keyring_version=account.keyring_version)


async def replace_recovery_codes(
    parts: Services, read: ReadSession, session: AsyncSession, caller: Principal, body: bodies.RecoveryCodesReplacement
) -> bodies.RecoveryCodesLeft:
    """Take a new set of recovery codes.

    Raises:
        InvalidCredentials: the current password is wrong.
        KeyringRequired, KeyringConflict: see ``keys.replace_recovery_codes``.
    """
    account = await still_proven(session, await prove(parts, read, caller.user_id, body.current_password))
    await keys.replace_recovery_codes(session, account, body)
    await sessions.delete_all(session, caller.user_id, but=caller.session_id)
    return await accounts.recovery_codes_left(session, caller.user_id)


async def delete_account(
    parts: Services, read: ReadSession, session: AsyncSession, caller: Principal, body: bodies.AccountDeletion
) -> None:
    """Delete the account with everything in it.

    Raises:
        InvalidCredentials: the current password is wrong.
    """
    await still_proven(session, await prove(parts, read, caller.user_id, body.current_password))
    await accounts.delete(session, caller.user_id)
    await delete_above(session, caller.user_id, parts.holdings, None)
    await sessions.delete_all(session, caller.user_id)

"""Changing what proves who one is, and what opens the keys: password, keyring, recovery codes, the account's end.

Each needs the present secret in the same request, and the second factor where the account has one, is one
transaction, and ends every other session.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lockleaf.server.identity.accounts import keys
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import KeyringConflict, KeyringRequired
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.proving import Prover
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian, SealedKeyring
from lockleaf.server.identity.factors.proofs import Purpose
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holdings, delete_above
from lockleaf.server.records import service as records
from lockleaf.wire.accounts import AccountDeletion
from lockleaf.wire.credentials import KeyringReplacement, KeyringVersion, PasswordChange
from lockleaf.wire.recovery import RecoveryCodesLeft, RecoveryCodesReplacement
from lockleaf.wire.tokens import Tokens

__all__ = ["CredentialChanges"]

Change = PasswordChange | KeyringReplacement | RecoveryCodesReplacement


@dataclass(frozen=True, slots=True)
class CredentialChanges:
    """Changes what proves who one is, and what opens the keys."""

    clock: Clock
    database: Database
    hasher: VerifierHasher
    custodian: Custodian
    prover: Prover
    issuer: SessionIssuer

    async def change_password(
        self, read: ReadSession, tx: Transaction, caller: Principal, body: PasswordChange
    ) -> Tokens:
        """Take a new verifier, and the keyring as it is sealed under the new password.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            KeyringRequired, KeyDerivationRequired, KeysRequired, KeyringConflict: see ``keys.reseal``.
            CustodyRequired: keys were brought to a uce account.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        now = self.clock()
        if proven.custody == "uce":
            sealed = await self._uce(caller, proven, body)
            verifier_hash, made = await asyncio.gather(
                self.hasher.hash(body.password), self.custodian.rewrap(sealed, secret=body.password)
            )
            account = await self._unchanged(tx, proven, body, "password")
            await accounts.take_keys(tx.session, account, made, now=now)
            kek = made.kek
        else:
            verifier_hash = await self.hasher.hash(body.password)
            account, _ = await self.prover.prove_whole(tx, proven, body.factor, "password")
            await keys.reseal(tx.session, account, body)
            kek = None
        account.verifier_hash = verifier_hash
        account.salt = body.salt or account.salt
        account.updated_at = now
        opened = await self.issuer.renew(tx, caller.user_id, caller.session_id, kek=kek)
        return self.issuer.tokens_of(opened)

    async def _uce(self, caller: Principal, account: Account, body: Change) -> SealedKeyring:
        """Return the keyring of a uce account whose secret was proven, and the key that opens it.

        The session carries that key already: deriving it from the secret once more would only cost time.

        Raises:
            CustodyRequired: the body brings keys.
            KeyringRequired: the account has no keyring yet; the next login makes one.
            KeyringConflict: the body names another version than the present one.
            SessionRevoked: the session's key is gone.
        """
        keys.refuse_brought(body)
        if account.keyring is None or account.kek_salt is None:
            raise KeyringRequired(missing=["keyring"])
        if body.base_keyring_version is not None:
            keys.require_version(account, body.base_keyring_version)
        async with self.database.read_driver() as connection:
            kek = await keyrings.session_kek(self.clock, connection, caller)
        return SealedKeyring(account.user_id, account.keyring, account.keyring_version, kek, account.kek_salt)

    async def _unchanged(self, tx: Transaction, proven: Account, body: Change, purpose: Purpose) -> Account:
        """Lock a uce account, and return it if its keyring is the one from which the new one was made.

        Raises:
            InvalidCredentials: the secret was changed meanwhile.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            KeyringConflict: the keyring was.
        """
        account, _ = await self.prover.prove_whole(tx, proven, body.factor, purpose)
        if account.keyring_version != proven.keyring_version:
            raise KeyringConflict(current_version=account.keyring_version)
        return account

    async def replace_keyring(
        self, read: ReadSession, tx: Transaction, caller: Principal, body: KeyringReplacement
    ) -> KeyringVersion:
        """Take a first keyring, or a rotated one. This session gets its next tokens, and every other session ends.

        A first keyring that is sent again is answered like the first time. A rotation is not: its secret is another one
        by then.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            InvalidRecipient, InvalidSignature, KeyDerivationRequired, KeysRequired, KeyringConflict, HistoryMoved: see
                ``keys.replace_keyring``.
            CustodyRequired: keys were brought to a uce account.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        now = self.clock()
        if proven.custody == "uce":
            return await self._rotate_uce(tx, caller, proven, body)
        keys.require_rotation(proven, body)
        verifier_hash = None if body.password is None else await self.hasher.hash(body.password)
        account, _ = await self.prover.prove_whole(tx, proven, body.factor, "keyring")
        if keys.is_stored(account, body):
            return KeyringVersion(keyring_version=account.keyring_version)
        keys.require_rotation(account, body)
        await keys.replace_keyring(tx.session, account, body)
        account.updated_at = now
        if verifier_hash is None:
            await sessions.delete_all(tx, caller.user_id, but=caller.session_id)
            return KeyringVersion(keyring_version=account.keyring_version)
        account.verifier_hash = verifier_hash
        return await self._renewed(tx, caller, account.keyring_version)

    async def _rotate_uce(
        self, tx: Transaction, caller: Principal, proven: Account, body: KeyringReplacement
    ) -> KeyringVersion:
        sealed = await self._uce(caller, proven, body)
        now = self.clock()
        verifier_hash = None if body.password is None else await self.hasher.hash(body.password)
        # The salt is drawn anew: who knew the key-encryption key before is not helped by it afterwards.
        salt = self.custodian.new_salt()
        kek = await self.custodian.derive(body.password or body.current_password, salt)
        account = await self._unchanged(tx, proven, body, "keyring")
        end = await records.lock_end(tx.session, caller.user_id)
        made, key_id = await self.custodian.rotate(
            sealed, kek=kek, kek_salt=salt, epoch=end.epoch, seq=end.seq, head=end.head, now=now
        )
        await records.retire(tx.session, caller.user_id, end, key_id=key_id)
        await accounts.take_keys(tx.session, account, made, now=now)
        if verifier_hash is not None:
            account.verifier_hash = verifier_hash
        answer = await self._renewed(tx, caller, made.version, kek=kek)
        return answer.model_copy(update={"recovery_codes": None if made.codes is None else made.codes.shown})

    async def _renewed(
        self, tx: Transaction, caller: Principal, version: int, *, kek: bytes | None = None
    ) -> KeyringVersion:
        """End every other session, and return the version with the next tokens of this one."""
        opened = await self.issuer.renew(tx, caller.user_id, caller.session_id, kek=kek)
        return KeyringVersion(keyring_version=version, tokens=self.issuer.tokens_of(opened))

    async def replace_recovery_codes(
        self, read: ReadSession, tx: Transaction, caller: Principal, body: RecoveryCodesReplacement
    ) -> RecoveryCodesLeft:
        """Take a new set of recovery codes. Where there is no keyring that they could open, the server draws them.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
            KeyringRequired, KeysRequired, KeyringConflict: see ``keys.replace_recovery_codes``.
            CustodyRequired: keys were brought to a uce account.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        shown = None
        if proven.custody == "uce":
            drawn = await self.custodian.draw_codes(await self._uce(caller, proven, body))
            account = await self._unchanged(tx, proven, body, "recovery_codes")
            await accounts.take_codes(tx.session, account, drawn)
            shown = drawn.shown
        else:
            account, _ = await self.prover.prove_whole(tx, proven, body.factor, "recovery_codes")
            if account.keyring is None and not keys.brings(body):
                drawn = self.custodian.draw_bare_codes()
                await accounts.take_codes(tx.session, account, drawn)
                shown = drawn.shown
            else:
                await keys.replace_recovery_codes(tx.session, account, body)
        await sessions.delete_all(tx, caller.user_id, but=caller.session_id)
        left = await accounts.recovery_codes_left(tx.session, caller.user_id)
        return left.model_copy(update={"recovery_codes": shown})

    async def delete_account(
        self, holdings: Holdings, read: ReadSession, tx: Transaction, caller: Principal, body: AccountDeletion
    ) -> None:
        """Delete the account with everything in it.

        Raises:
            InvalidCredentials: the current password is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
        """
        proven = await self.prover.prove(read, caller.user_id, body.current_password)
        await self.prover.prove_whole(tx, proven, body.factor, "deletion")
        await accounts.delete(tx.session, caller.user_id)
        await delete_above(tx, caller.user_id, holdings, None)
        await sessions.delete_all(tx, caller.user_id)

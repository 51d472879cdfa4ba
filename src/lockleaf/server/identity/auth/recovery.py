"""Coming back with a recovery code: first its keyring, then new credentials (PROTOCOL section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from lockleaf.crypto.recovery import verifier_hash
from lockleaf.server.identity.accounts import keys
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import InvalidRecoveryCode, InvalidRecoveryToken
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import AccountDisabled, SessionRevoked, TokenExpired, TokenInvalid
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.wire.factors import AnswerKind, FactorAnswer
from lockleaf.wire.recovery import Recover, VerifyRecoveryCode, VerifyRecoveryCodeAnswer
from lockleaf.wire.tokens import Tokens

__all__ = ["AccountRecovery"]


@dataclass(frozen=True, slots=True)
class AccountRecovery:
    """Lets somebody with a recovery code come back."""

    clock: Clock
    hasher: VerifierHasher
    custodian: Custodian
    factors: SecondFactors
    issuer: SessionIssuer

    async def verify_code(
        self, read: ReadSession, tx: Transaction, body: VerifyRecoveryCode
    ) -> VerifyRecoveryCodeAnswer:
        """Answer a recovery code's verifier with the keyring sealed under the code, and the right to go on.

        It does not spend the code. An unknown email takes the same statement and gives the same answer as a wrong code.
        Where the account has a second factor it is asked for here: who found a paper gets not even the sealed keyring.

        Raises:
            InvalidRecoveryCode: the account has no such code.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
        """
        recovery_key = None
        if body.verifier is not None:
            searched = verifier_hash(body.verifier)
        else:
            given = self.custodian.code_keys(body.code or "")
            if given is None:
                raise InvalidRecoveryCode
            searched, recovery_key = given
        found = await accounts.recovery_code(read, body.login_name, searched)
        await read.close()
        if found is None:
            raise InvalidRecoveryCode
        row, current_version = found.code, found.current_version
        drawn_here = found.custody == "uce" or row.keyring is None
        # The code goes with what the server drew, its verifier alone with the rest; which of them an account has is
        # nobody else's business.
        if drawn_here != (recovery_key is not None):
            raise InvalidRecoveryCode
        if row.keyring is None:
            recovery_key = None  # it opens nothing
        answered = await self._answered(tx, row.user_id, body.factor)
        return VerifyRecoveryCodeAnswer(
            recovery_token=self.issuer.tokens.recovery(
                row.user_id, row.verifier_hash, self.clock(), recovery_key, factor=answered
            ),
            expires_in=self.issuer.tokens.recovery_seconds,
            user_id=row.user_id,
            keyring=row.keyring,
            keyring_version=row.keyring_version,
            current_keyring_version=current_version,
        )

    async def _answered(self, tx: Transaction, user_id: UUID, answer: FactorAnswer | None) -> AnswerKind | None:
        """Lock the account of a recovery code, ask for its second factor, and return with what it was answered."""
        await tx.begin()
        try:
            await accounts.lock(tx.session, user_id)
        except SessionRevoked:
            raise InvalidRecoveryCode from None
        return await self.factors.require(tx, user_id, answer, "recovery")

    async def recover(self, tx: Transaction, body: Recover) -> Tokens:
        """Set new credentials, spend the code, end every session, and open a new one.

        Raises:
            InvalidRecoveryToken: its time is over, or its code is spent.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: the account got a second factor since the code
                was verified; see `SecondFactors.require`.
            KeyringRequired, KeyDerivationRequired, KeyringConflict: see ``keys.reseal``; the code is not spent then.
            CustodyRequired: keys were brought to a uce account; nor is it then.
            AccountDisabled: the operator lets nobody into the account; nor is it then.
        """
        try:
            claims = self.issuer.tokens.read_recovery(body.recovery_token)
        except (TokenExpired, TokenInvalid):
            raise InvalidRecoveryToken from None
        if claims.recovery_key is not None:
            keys.refuse_brought(body)
        new_hash = await self.hasher.hash(body.password)
        wrapped = None
        if claims.recovery_key is not None:
            salt = self.custodian.new_salt()
            wrapped = salt, await self.custodian.derive(body.password, salt)
        await tx.begin()
        try:
            account = await accounts.lock(tx.session, claims.user_id)
        except SessionRevoked:
            raise InvalidRecoveryToken from None
        factor = claims.factor
        if factor is None:
            # Before the code is spent: what a refusal leaves behind is committed.
            factor = await self.factors.require(tx, claims.user_id, body.factor, "recovery")
        spent = await accounts.spend_recovery_code(tx.session, claims.user_id, claims.verifier_hash)
        if spent is None:
            raise InvalidRecoveryToken
        if account.disabled_at is not None:
            raise AccountDisabled
        now = self.clock()
        if claims.recovery_key is not None and wrapped is not None and spent.keyring is not None:
            salt, kek = wrapped
            made = self.custodian.recover(
                account.user_id,
                spent.keyring,
                spent.keyring_version,
                claims.recovery_key,
                kek=kek,
                kek_salt=salt,
                version=account.keyring_version + 1,
            )
            if made is None:
                raise InvalidRecoveryToken
            await accounts.take_keys(tx.session, account, made, now=now)
        else:
            kek = None
            await keys.reseal(tx.session, account, body)
        account.verifier_hash = new_hash
        account.salt = body.salt or account.salt
        account.updated_at = now
        await sessions.delete_all(tx, claims.user_id)
        device = sessions.Device(body.device_name, body.device_id)
        return self.issuer.tokens_of(
            await self.issuer.open(tx.session, claims.user_id, device, ("recovery_code", factor), kek=kek)
        )

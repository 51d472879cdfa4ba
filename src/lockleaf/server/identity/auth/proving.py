"""Proving who one is: by the secret, and by the second factor."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from uuid import UUID

from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.errors import AccountDisabled, InvalidCredentials, SessionRevoked
from lockleaf.server.identity.factors.proofs import Purpose
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.wire.factors import AnswerKind, FactorAnswer

__all__ = ["Prover", "still_proven"]


@dataclass(frozen=True, slots=True)
class Prover:
    """Has people prove who they are within a session: by the secret, and by the second factor."""

    hasher: VerifierHasher
    factors: SecondFactors

    async def prove(self, read: ReadSession, user_id: UUID, secret: str) -> Account:
        """Return the account of a session whose user gives the present secret too.

        What follows has to lock the account by `prove_whole`.

        Raises:
            InvalidCredentials: it is another.
        """
        account = await accounts.get(read, user_id)
        await read.close()
        if not await self.hasher.verify(account.verifier_hash, secret):
            raise InvalidCredentials
        return account

    async def prove_whole(
        self, tx: Transaction, proven: Account, answer: FactorAnswer | None, purpose: Purpose
    ) -> tuple[Account, AnswerKind | None]:
        """Do as `still_proven`, and ask for the second factor; return with what it was answered, if there is one.

        Raises:
            InvalidCredentials: the secret was changed while the given one was checked.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
        """
        locked = await still_proven(tx, proven)
        return locked, await self.factors.require(tx, locked.user_id, answer, purpose)


async def still_proven(tx: Transaction, proven: Account) -> Account:
    """Begin the transaction, lock an account whose secret was proven, and return it as it is now.

    Raises:
        InvalidCredentials: the secret was changed while the given one was checked.
        AccountDisabled: the operator lets nobody into the account; told to who knows its secret alone.
    """
    await tx.begin()
    try:
        locked = await accounts.lock(tx.session, proven.user_id)
    except SessionRevoked:  # the account was deleted meanwhile, so nothing proves who one is any more
        raise InvalidCredentials from None
    if not compare_digest(locked.verifier_hash, proven.verifier_hash):
        raise InvalidCredentials
    if locked.disabled_at is not None:
        raise AccountDisabled
    return locked

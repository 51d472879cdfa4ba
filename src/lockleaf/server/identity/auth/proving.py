"""What it takes to tell who somebody is, and proving it within a session: by the secret, and by the second factor."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from uuid import UUID

from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import AccountDisabled, InvalidCredentials, SessionRevoked
from lockleaf.server.identity.factors.proofs import Purpose
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.wire.factors import AnswerKind, FactorAnswer

__all__ = ["Authenticator", "prove", "proven_whole", "still_proven"]


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What it takes to tell who somebody is, and to let them in."""

    clock: Clock
    database: Database
    token_codec: TokenCodec
    hasher: VerifierHasher
    custodian: Custodian
    factors: SecondFactors
    registration: str = "open"
    """Who may make an account: ``open``, ``invitation`` or ``closed``."""


async def prove(auth: Authenticator, read: ReadSession, user_id: UUID, secret: str) -> Account:
    """Return the account of a session whose user gives the present secret too.

    What follows has to lock the account by ``proven_whole``.

    Raises:
        InvalidCredentials: it is another.
    """
    account = await accounts.get(read, user_id)
    await read.close()
    if not await auth.hasher.verify(account.verifier_hash, secret):
        raise InvalidCredentials
    return account


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


async def proven_whole(
    auth: Authenticator, tx: Transaction, proven: Account, answer: FactorAnswer | None, purpose: Purpose
) -> tuple[Account, AnswerKind | None]:
    """Do the same, and ask for the account's second factor; return with what it was answered, if it has one.

    Raises:
        InvalidCredentials: the secret was changed while the given one was checked.
        SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: see `SecondFactors.require`.
    """
    locked = await still_proven(tx, proven)
    return locked, await auth.factors.require(tx, locked.user_id, answer, purpose)

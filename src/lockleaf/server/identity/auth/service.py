"""Logging in, and staying logged in.

Slow hashes run before a transaction has touched the database, and never while a connection is held: a flood of logins
waits for processor time, not for connections that everybody else needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.proving import Prover
from lockleaf.server.identity.auth.repository import is_known_device
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.custody.custodian import Custodian, KeyMaterial
from lockleaf.server.identity.errors import AccountDisabled, HashingBusy, InvalidCredentials
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database, ReadSession
from lockleaf.server.platform.db.transaction import CommitThenRefuse, Transaction
from lockleaf.server.platform.errors import Unauthenticated
from lockleaf.wire.accounts import Register
from lockleaf.wire.sessions import Login
from lockleaf.wire.tokens import Refresh, Tokens

__all__ = ["LoggedIn", "LoginService", "device_of", "knows_device", "refresh"]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An account, and the session that was opened for it."""

    account: Account
    session: sessions.OpenSession
    codes: tuple[str, ...] | None = None
    """Recovery codes that were drawn just now, to be shown once."""


@dataclass(frozen=True, slots=True)
class LoginService:
    """Opens sessions for who knows the secret of an account."""

    clock: Clock
    hasher: VerifierHasher
    custodian: Custodian
    prover: Prover
    issuer: SessionIssuer

    async def login(self, read: ReadSession, tx: Transaction, body: Login) -> LoggedIn:
        """Open a session for who knows the email and the authentication secret.

        An unknown email takes the same statements and the same hashing as a wrong secret, and gives the same answer.

        Raises:
            InvalidCredentials: one of them is wrong.
            SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: both are right, and a second factor is set.
            HashingBusy: too many log in at once.
        """
        account = await accounts.by_email(read, body.login_name)
        await read.close()
        if account is None:
            await self.hasher.verify_dummy(body.password)
            raise InvalidCredentials
        if not await self.hasher.verify(account.verifier_hash, body.password):
            raise InvalidCredentials
        kek, keys = await self._uce_keys(account, body.password)
        better = None
        if self.hasher.needs_rehash(account.verifier_hash):
            better = await self.hasher.hash(body.password)
        locked, factor = await self.prover.prove_whole(tx, account, body.factor, "login")
        if better is not None:
            locked.verifier_hash = better
        if keys is not None:
            if locked.keyring is not None:  # another login was first; its keys are the account's
                raise HashingBusy(retry_after=1)
            await accounts.take_keys(tx.session, locked, keys, now=self.clock())
        opened = await self.issuer.open(tx.session, locked.user_id, device_of(body), ("password", factor), kek=kek)
        return LoggedIn(locked, opened)

    async def _uce_keys(self, account: Account, secret: str) -> tuple[bytes | None, KeyMaterial | None]:
        """Return the key-encryption key of a uce account whose secret is right, and its keys where it has none yet.

        An account that came from elsewhere gets them at its first login here, and recovery codes when it asks for them.
        """
        if account.custody != "uce":
            return None, None
        if account.kek_salt is not None:
            return await self.custodian.derive(secret, account.kek_salt), None
        made = await self.custodian.new_keys(account.user_id, secret, now=self.clock())
        return made.kek, replace(made, codes=None)


async def knows_device(read: ReadSession, body: Login) -> bool:
    """Tell whether a login names a device that its account knows: such devices are let in past who guesses elsewhere.

    An unknown email takes the same statement.
    """
    if body.device_id is None:
        return False
    return await is_known_device(read, normalise_email(body.login_name), body.device_id)


async def refresh(database: Database, issuer: SessionIssuer, body: Refresh) -> Tokens:
    """Give the next tokens of a session.

    A token that is used twice ends its session, and that must stay although the request fails.

    Raises:
        TokenExpired, TokenInvalid: it is not such a token, or its time is over.
        SessionRevoked: its session has ended.
        RefreshTokenReused: it had been replaced; the session has ended now.
        AccountDisabled: the operator lets nobody into the account.
    """
    claims = issuer.tokens.read_refresh(body.refresh_token)
    async with database.transaction() as tx:
        if await accounts.is_disabled(tx.session, claims.user_id):
            raise AccountDisabled  # its token stays good for when it is enabled
        outcome = await issuer.rotate(tx.session, claims, body.retry_id)
        if isinstance(outcome, Unauthenticated):
            tx.wake(claims.user_id)  # live streams of a session that has ended end too
            raise CommitThenRefuse(outcome)
    return issuer.tokens_of(outcome)


def device_of(body: Register | Login) -> sessions.Device:
    """Return what a request says of the device that it comes from."""
    scope = body.scope if isinstance(body, Login) else None
    return sessions.Device(body.device_name, body.device_id, scope)

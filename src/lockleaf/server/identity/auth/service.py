"""What a person does to come in: registering, logging in, staying in.

Slow hashes run before a transaction has touched the database, and never while a connection is held: a flood of logins
waits for processor time, not for connections that everybody else needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.crypto.normalise import normalise_email
from lockleaf.server.identity.accounts import invitations
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import EmailTaken
from lockleaf.server.identity.accounts.keys import KeySet, keys_of_registration, refuse_brought
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.proving import Authenticator, proven_whole, still_proven
from lockleaf.server.identity.auth.repository import is_known_device
from lockleaf.server.identity.custody.custodian import KeyMaterial
from lockleaf.server.identity.errors import AccountDisabled, HashingBusy, InvalidCredentials
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import CommitThenRefuse, Transaction
from lockleaf.server.platform.errors import Unauthenticated
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.wire.account_fields import PrivacyTier
from lockleaf.wire.accounts import Register, Signup
from lockleaf.wire.sessions import Login
from lockleaf.wire.tokens import Refresh, Tokens

__all__ = [
    "Authenticator",
    "LoggedIn",
    "device_of",
    "knows_device",
    "login",
    "open_session",
    "refresh",
    "register",
    "sign_up",
    "tokens",
]


_REGISTERED: sessions.Proofs = ("registration", None)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An account, and the session that was opened for it."""

    account: Account
    session: sessions.OpenSession
    codes: tuple[str, ...] | None = None
    """Recovery codes that were drawn just now, to be shown once."""


async def register(
    auth: Authenticator,
    read: ReadSession,
    tx: Transaction,
    body: Register,
) -> LoggedIn:
    """Make an end-to-end encrypted account and open its first session.

    Raises:
        RegistrationClosed, InvitationRequired, InvalidInvitation: nobody may, or not without an invitation.
        EmailTaken, IdTaken: there is such an account, and it is not this one.
        KeysRequired, InvalidRecipient: the keys are not whole, or unusable.
    """
    keys = keys_of_registration(body, required=False)
    return await _register(auth, read, tx, body, keys, privacy_tier="local_only")


async def sign_up(
    auth: Authenticator,
    read: ReadSession,
    tx: Transaction,
    body: Signup,
) -> LoggedIn:
    """Make an account in the custody that its user chose, and open its first session.

    Raises:
        RegistrationClosed, InvitationRequired, InvalidInvitation: nobody may, or not without an invitation.
        EmailTaken, IdTaken: there is such an account, and it is not this one.
        KeysRequired, InvalidRecipient: the keys are not whole, or unusable.
        CustodyRequired: keys were brought to an account whose server makes them.
    """
    if body.encryption_tier == "uce":
        return await _sign_up_uce(auth, read, tx, body)
    keys = keys_of_registration(body, required=True)
    return await _register(auth, read, tx, body, keys, privacy_tier="full_sync")


async def _register(
    auth: Authenticator,
    read: ReadSession,
    tx: Transaction,
    body: Register,
    keys: KeySet | None,
    *,
    privacy_tier: PrivacyTier,
) -> LoggedIn:
    invitations.require_open(auth.registration)
    now = auth.clock()
    refusal = await invitations.refusal(read, auth.registration, body.invitation, now)
    existing = await accounts.by_email(read, body.login_name)
    repeated = existing is not None and await accounts.is_repeated(read, existing, body, keys)
    await read.close()
    if refusal is not None and not repeated:
        raise refusal
    if existing is None:
        verifier_hash = await auth.hasher.hash(body.password)
        await tx.begin()
        await invitations.spend(tx.session, auth.registration, body.invitation, now)
        account = await accounts.create(
            tx.session, body, keys, verifier_hash=verifier_hash, privacy_tier=privacy_tier, now=now
        )
    else:
        if not repeated or not await auth.hasher.verify(existing.verifier_hash, body.password):
            raise EmailTaken
        account = await _proven_alone(auth, tx, existing)
    return LoggedIn(account, await open_session(auth, tx.session, account.user_id, device_of(body), _REGISTERED))


async def _sign_up_uce(
    auth: Authenticator,
    read: ReadSession,
    tx: Transaction,
    body: Signup,
) -> LoggedIn:
    """Make an account whose keys the server makes. A repeated request gets no codes: they are shown once."""
    refuse_brought(body)
    invitations.require_open(auth.registration)
    now = auth.clock()
    refusal = await invitations.refusal(read, auth.registration, body.invitation, now)
    existing = await accounts.by_email(read, body.login_name)
    await read.close()
    if refusal is not None and (existing is None or body.id != existing.user_id):
        raise refusal
    if existing is None:
        user_id = body.id or uuid7(now)
        verifier_hash = await auth.hasher.hash(body.password)
        keys = await auth.custodian.new_keys(user_id, body.password, now=now)
        await tx.begin()
        await invitations.spend(tx.session, auth.registration, body.invitation, now)
        account = await accounts.create(
            tx.session,
            body,
            None,
            user_id=user_id,
            custody="uce",
            verifier_hash=verifier_hash,
            privacy_tier="full_sync",
            now=now,
        )
        await accounts.take_keys(tx.session, account, keys, now=now)
        opened = await open_session(auth, tx.session, user_id, device_of(body), _REGISTERED, kek=keys.kek)
        return LoggedIn(account, opened, None if keys.codes is None else keys.codes.shown)
    if existing.custody != "uce" or body.id != existing.user_id or existing.kek_salt is None:
        raise EmailTaken
    if not await auth.hasher.verify(existing.verifier_hash, body.password):
        raise EmailTaken
    kek = await auth.custodian.derive(body.password, existing.kek_salt)
    account = await _proven_alone(auth, tx, existing)
    return LoggedIn(
        account,
        await open_session(auth, tx.session, account.user_id, device_of(body), _REGISTERED, kek=kek),
    )


async def _proven_alone(auth: Authenticator, tx: Transaction, existing: Account) -> Account:
    """Lock an account that a repeated registration asks for; it brings no second factor, and is no way around one.

    Raises:
        EmailTaken: the account has one, so this is not the first answer's being asked for again.
    """
    account = await still_proven(tx, existing)
    if await auth.factors.is_on(tx.session, account.user_id):
        raise EmailTaken
    return account


async def knows_device(read: ReadSession, body: Login) -> bool:
    """Tell whether a login names a device that its account knows: such devices are let in past who guesses elsewhere.

    An unknown email takes the same statement.
    """
    if body.device_id is None:
        return False
    return await is_known_device(read, normalise_email(body.login_name), body.device_id)


async def login(
    auth: Authenticator,
    read: ReadSession,
    tx: Transaction,
    body: Login,
) -> LoggedIn:
    """Open a session for who knows the email and the authentication secret.

    An unknown email takes the same statements and the same hashing as a wrong secret, and gives the same answer.

    Raises:
        InvalidCredentials: one of them is wrong.
        SecondFactorRequired, InvalidFactor, TooManyFactorAttempts: both are right, and the account has a second factor.
        HashingBusy: too many log in at once.
    """
    account = await accounts.by_email(read, body.login_name)
    await read.close()
    if account is None:
        await auth.hasher.verify_dummy(body.password)
        raise InvalidCredentials
    if not await auth.hasher.verify(account.verifier_hash, body.password):
        raise InvalidCredentials
    kek, keys = await _uce_keys(auth, account, body.password)
    better = None
    if auth.hasher.needs_rehash(account.verifier_hash):
        better = await auth.hasher.hash(body.password)
    locked, factor = await proven_whole(auth, tx, account, body.factor, "login")
    if better is not None:
        locked.verifier_hash = better
    if keys is not None:
        if locked.keyring is not None:  # another login was first; its keys are the account's
            raise HashingBusy(retry_after=1)
        await accounts.take_keys(tx.session, locked, keys, now=auth.clock())
    opened = await open_session(auth, tx.session, locked.user_id, device_of(body), ("password", factor), kek=kek)
    return LoggedIn(locked, opened)


async def _uce_keys(auth: Authenticator, account: Account, secret: str) -> tuple[bytes | None, KeyMaterial | None]:
    """Return the key-encryption key of a uce account whose secret is right, and its keys where it has none yet.

    An account that came from elsewhere gets them at its first login here; its recovery codes are drawn when asked for.
    """
    if account.custody != "uce":
        return None, None
    if account.kek_salt is not None:
        return await auth.custodian.derive(secret, account.kek_salt), None
    made = await auth.custodian.new_keys(account.user_id, secret, now=auth.clock())
    return made.kek, replace(made, codes=None)


async def refresh(auth: Authenticator, body: Refresh) -> Tokens:
    """Give the next tokens of a session.

    A token that is used twice ends its session, and that must stay although the request fails.

    Raises:
        TokenExpired, TokenInvalid: it is not such a token, or its time is over.
        SessionRevoked: its session has ended.
        RefreshTokenReused: it had been replaced; the session has ended now.
        AccountDisabled: the operator lets nobody into the account.
    """
    claims = auth.token_codec.read_refresh(body.refresh_token)
    now = auth.clock()
    async with auth.database.transaction() as tx:
        if await accounts.is_disabled(tx.session, claims.user_id):
            raise AccountDisabled  # its token stays good for when it is enabled
        outcome = await sessions.rotate(
            tx.session,
            claims,
            body.retry_id,
            tokens=auth.token_codec,
            custodian=auth.custodian,
            now=now,
        )
        if isinstance(outcome, Unauthenticated):
            tx.wake(claims.user_id)  # live streams of a session that has ended end too
            raise CommitThenRefuse(outcome)
    return tokens(auth, outcome)


def tokens(auth: Authenticator, opened: sessions.OpenSession, *, seconds: int | None = None) -> Tokens:
    """Return the present tokens of a session, of which the one for access lives ``seconds``."""
    return Tokens(**sessions.tokens_of(opened, tokens=auth.token_codec, now=auth.clock(), seconds=seconds))


async def open_session(
    auth: Authenticator,
    session: AsyncSession,
    user_id: UUID,
    device: sessions.Device,
    opened_with: sessions.Proofs,
    *,
    kek: bytes | None = None,
) -> sessions.OpenSession:
    """Open a session for an account whose owner has proven it; ``kek`` is a uce account's key-encryption key."""
    return await sessions.open_session(
        session,
        user_id,
        device,
        opened_with,
        tokens=auth.token_codec,
        custodian=auth.custodian,
        kek=kek,
        now=auth.clock(),
    )


def device_of(body: Register | Login) -> sessions.Device:
    """Return what a request says of the device that it comes from."""
    scope = body.scope if isinstance(body, Login) else None
    return sessions.Device(body.device_name, body.device_id, scope)

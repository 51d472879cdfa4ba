"""Signing up: an account with its first session.

Slow hashes run before a transaction has touched the database, as at a login.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.server.identity.accounts import invitations
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.identity.accounts.errors import EmailTaken
from lockleaf.server.identity.accounts.keys import KeySet, keys_of_registration, refuse_brought
from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.auth import sessions
from lockleaf.server.identity.auth.proving import still_proven
from lockleaf.server.identity.auth.service import LoggedIn, device_of
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.identifiers import uuid7
from lockleaf.server.platform.settings import RegistrationSettings
from lockleaf.wire.accounts import Register, Signup
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["Registrar"]

_REGISTERED: sessions.Proofs = ("registration", None)


@dataclass(frozen=True, slots=True)
class Registrar:
    """Makes accounts. The settings say who may have one."""

    settings: RegistrationSettings
    clock: Clock
    hasher: VerifierHasher
    custodian: Custodian
    factors: SecondFactors
    issuer: SessionIssuer

    async def register(self, read: ReadSession, tx: Transaction, body: Register) -> LoggedIn:
        """Make an end-to-end encrypted account and open its first session.

        Raises:
            RegistrationClosed, InvitationRequired, InvalidInvitation: nobody may, or not without an invitation.
            EmailTaken, IdTaken: there is such an account, and it is not this one.
            KeysRequired, InvalidRecipient: the keys are not whole, or unusable.
        """
        keys = keys_of_registration(body, required=False)
        return await self._register(read, tx, body, keys, privacy_tier="local_only")

    async def sign_up(self, read: ReadSession, tx: Transaction, body: Signup) -> LoggedIn:
        """Make an account in the custody that its user chose, and open its first session.

        Raises:
            RegistrationClosed, InvitationRequired, InvalidInvitation: nobody may, or not without an invitation.
            EmailTaken, IdTaken: there is such an account, and it is not this one.
            KeysRequired, InvalidRecipient: the keys are not whole, or unusable.
            CustodyRequired: keys were brought to an account whose server makes them.
        """
        if body.encryption_tier == "uce":
            return await self._sign_up_uce(read, tx, body)
        keys = keys_of_registration(body, required=True)
        return await self._register(read, tx, body, keys, privacy_tier="full_sync")

    async def _register(
        self, read: ReadSession, tx: Transaction, body: Register, keys: KeySet | None, *, privacy_tier: PrivacyTier
    ) -> LoggedIn:
        invitations.require_open(self.settings.mode)
        now = self.clock()
        refusal = await invitations.refusal(read, self.settings.mode, body.invitation, now)
        existing = await accounts.by_email(read, body.login_name)
        repeated = existing is not None and await accounts.is_repeated(read, existing, body, keys)
        await read.close()
        if refusal is not None and not repeated:
            raise refusal
        if existing is None:
            verifier_hash = await self.hasher.hash(body.password)
            await tx.begin()
            await invitations.spend(tx.session, self.settings.mode, body.invitation, now)
            account = await accounts.create(
                tx.session, body, keys, verifier_hash=verifier_hash, privacy_tier=privacy_tier, now=now
            )
        else:
            if not repeated or not await self.hasher.verify(existing.verifier_hash, body.password):
                raise EmailTaken
            account = await self._proven_alone(tx, existing)
        return LoggedIn(account, await self.issuer.open(tx.session, account.user_id, device_of(body), _REGISTERED))

    async def _sign_up_uce(self, read: ReadSession, tx: Transaction, body: Signup) -> LoggedIn:
        """Make an account whose keys the server makes. A repeated request gets no codes: they are shown once."""
        refuse_brought(body)
        invitations.require_open(self.settings.mode)
        now = self.clock()
        refusal = await invitations.refusal(read, self.settings.mode, body.invitation, now)
        existing = await accounts.by_email(read, body.login_name)
        await read.close()
        if refusal is not None and (existing is None or body.id != existing.user_id):
            raise refusal
        if existing is None:
            user_id = body.id or uuid7(now)
            verifier_hash = await self.hasher.hash(body.password)
            keys = await self.custodian.new_keys(user_id, body.password, now=now)
            await tx.begin()
            await invitations.spend(tx.session, self.settings.mode, body.invitation, now)
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
            opened = await self.issuer.open(tx.session, user_id, device_of(body), _REGISTERED, kek=keys.kek)
            return LoggedIn(account, opened, None if keys.codes is None else keys.codes.shown)
        if existing.custody != "uce" or body.id != existing.user_id or existing.kek_salt is None:
            raise EmailTaken
        if not await self.hasher.verify(existing.verifier_hash, body.password):
            raise EmailTaken
        kek = await self.custodian.derive(body.password, existing.kek_salt)
        account = await self._proven_alone(tx, existing)
        return LoggedIn(
            account, await self.issuer.open(tx.session, account.user_id, device_of(body), _REGISTERED, kek=kek)
        )

    async def _proven_alone(self, tx: Transaction, existing: Account) -> Account:
        """Lock an account that a repeated registration asks for; it brings no second factor, and is no way around one.

        Raises:
            EmailTaken: the account has one, so this is not the first answer's being asked for again.
        """
        account = await still_proven(tx, existing)
        if await self.factors.is_on(tx.session, account.user_id):
            raise EmailTaken
        return account

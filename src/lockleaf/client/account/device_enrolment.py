"""A device on its way into an account: the session that it opens, what it checks, and what it remembers of it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lockleaf.client.account.custody import Credential, custody_of
from lockleaf.client.account.enrolment_checks import check_account
from lockleaf.client.account.link_codes import LinkCode, require_account, require_keyring
from lockleaf.client.account.sessions import AccountPlace, check_public_keys, ended_on_failure
from lockleaf.client.device.device import Device
from lockleaf.client.errors import AccountMismatch
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.accounts import Account
from lockleaf.wire.tokens import Tokens

__all__ = ["DeviceEnrolment", "connected"]


@asynccontextmanager
async def connected(device: Device, place: AccountPlace) -> AsyncIterator[Transport]:
    """Give a way to the account's server, with no session yet."""
    transport = device.connect(place.server, MemoryTokens(), allow_insecure=place.allow_insecure)
    try:
        yield transport
    finally:
        await transport.aclose()


@dataclass
class DeviceEnrolment:
    """A device on its way into an account."""

    device: Device
    place: AccountPlace
    transport: Transport
    credential: Credential
    remembered: Profile | None = None

    def __post_init__(self) -> None:
        self.device_id = str(uuid.uuid4()) if self.remembered is None else self.remembered.device_id

    def session(self, answer: Tokens) -> ended_on_failure:
        """Use a session, and end it if the account is not taken over."""
        self.transport.tokens.save(SessionTokens.of(answer))
        return ended_on_failure(self.transport)

    async def account(self, user_id: uuid.UUID) -> Account:
        """Return the server's word on the account of the session, which must be the one that was meant."""
        account = await self.transport.request("GET", "/auth/me", answer=Account)
        if account.id != user_id:
            raise AccountMismatch
        return account

    async def open(self, account: Account, link: LinkCode | None = None, newer: Keyring | None = None) -> Keyring:
        """Return the account's keyring, once nothing contradicts what is known here.

        Raises:
            AccountMismatch, CustodyMismatch, KeyringRolledBack, KeyringMissing, SealBroken, KeySubstituted: as their
                names say.
        """
        if link is not None:
            require_account(link, account)
        check_account(account, self.place, self.remembered, older=newer is not None)
        keyring = await self.credential.open(account)
        if link is not None:
            require_keyring(link, keyring, account.keyring_version)
        check_public_keys(account, keyring)
        if newer is not None:
            custody_of(self.place.custody).check_newer(keyring, newer)
        return keyring

    def profile(self, user_id: uuid.UUID, version: int, keyring: Keyring) -> Profile:
        """Return what this device remembers of the account from now on, with its user's wishes so far."""
        before = self.remembered
        return Profile(
            server=self.transport.server,
            allow_insecure=self.place.allow_insecure,
            login_name=self.place.login_name,
            user_id=user_id,
            device_id=self.device_id,
            device_name=self.place.device_name,
            custody=self.place.custody,
            kdf=self.credential.kdf,
            keyring_version=version,
            recipient=keyring.newest.recipient,
            signing_key=keyring.newest.public_signing_key,
            share_dates=before is not None and before.share_dates,
            keychain_entry=uuid.uuid4().hex if before is None else before.keychain_entry,
        )

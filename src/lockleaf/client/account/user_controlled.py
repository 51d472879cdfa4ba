"""User-controlled encryption: the server makes the keys, and can open them while a session is in use.

(PROTOCOL section 7.) It gets the password at sign-up, login and every change; so the caller must have chosen it before
anything here is called. The device opens the keyring itself and keeps it: it seals, opens, verifies and works offline
as with end-to-end encryption, and checks what the server made of every change.

A change whose answer was lost is looked for at once. What is not found out then, the next sync finds: it asks to log in
again, with the password that holds by then, and the login brings the keyring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from lockleaf.client.account.key_rotation import KeyringAt, KeyringChange, take_over
from lockleaf.client.account.link_codes import FirstContact
from lockleaf.client.account.sessions import AccountPlace, check_public_keys, enrol, fetch_account
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    CustodyMismatch,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    PasswordUnsuitable,
    SealBroken,
    WithoutLinkCodes,
    WrongPassword,
)
from lockleaf.client.keychain.password_keys import require_text
from lockleaf.client.media.media_rotation import begin_media_rotation
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto import identity
from lockleaf.crypto.errors import CryptoError, Malformed
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.kdf import KdfProfile
from lockleaf.crypto.keyring import UCE_LABEL, Keyring, open_keyring
from lockleaf.crypto.normalise import normalise_password
from lockleaf.crypto.uce import derive_kek
from lockleaf.wire.accounts import Account

__all__ = ["SentPassword", "UserControlled", "sendable"]

_SHORTEST, _LONGEST = 8, 1024


def sendable(password: str) -> SentPassword:
    """Return the password in the one form (NFKC) that is sent.

    Raises:
        PasswordUnsuitable: no server takes it.
        PasswordNotText: it holds bytes that are no text.
    """
    typed = normalise_password(password)
    require_text(typed)
    if not _SHORTEST <= len(typed) <= _LONGEST:
        raise PasswordUnsuitable
    return SentPassword(typed)


@dataclass(frozen=True)
class SentPassword:
    """A password that the server gets as it is; see `Credential`."""

    proof: str = field(repr=False)
    kdf: None = None

    async def open(self, account: Account) -> Keyring:
        """Return the account's keyring, opened as the server opens it."""
        sealed, salt = account.keyring, account.kek_salt
        if sealed is None or salt is None:
            raise KeyringMissing
        try:
            # Long and in native code: in a thread, the event loop goes on.
            kek = await asyncio.to_thread(derive_kek, self.proof, salt)
            return open_keyring(sealed, kek, label=UCE_LABEL, user_id=str(account.id), version=account.keyring_version)
        except (CryptoError, Malformed):
            raise SealBroken("the keyring") from None

    def new_keys(self, user_id: UUID, now: str, keyring: Keyring | None = None) -> None:
        """Return nothing: the server makes them."""

    def new_codes(self, keyring: Keyring, account: Account) -> tuple[None, Mapping[str, Any]]:
        """Return nothing: the server draws them."""
        return None, {}

    def resealed(self, keyring: Keyring, user_id: UUID, *, base: int, version: int) -> Mapping[str, Any]:
        """Return nothing: the server seals the keyring."""
        return {}

    def password_change(self, device: Device, account: Account, version: int) -> ServerChange:
        """Have the keyring wrapped under this password."""
        return ServerChange(device=device, version=account.keyring_version + 1, password=self)

    async def rotation(
        self, device: Device, account: Account, keyring_at: KeyringAt, version: int, end: HistoryPlace, *, media: bool
    ) -> ServerChange:
        """Have a fresh master key added to the keyring."""
        return replace(self.password_change(device, account, version), rotated=True, media=media)


@dataclass(frozen=True, kw_only=True)
class ServerChange(KeyringChange):
    """A change that the server carries out, and the device checks.

    Args:
        password: what opens the keyring afterwards.
        rotated: the keyring gains one key; otherwise it stays the same.
        media: attachments are to be sealed anew behind it.
    """

    password: SentPassword
    rotated: bool = False
    media: bool = False

    async def settle(self) -> bool:
        """Log in with the new password: the tokens of before open nothing once it is in force."""
        session = self.device.session
        place = AccountPlace.of(session.profile)
        answer = await enrol(session.transport, place, self.password.proof, session.profile.device_id)
        session.tokens.save(SessionTokens.of(answer))
        await self._take_over(answer.user)
        return True

    async def commit(self) -> None:
        """Remember what the server made of the keyring, once it is what was asked for."""
        await self._take_over(await fetch_account(self.device))

    async def _take_over(self, account: Account) -> None:
        profile, before = self.device.session.profile, self.device.session.keyring
        if account.id != profile.user_id:
            raise AccountMismatch
        if account.encryption_tier != profile.custody:
            raise CustodyMismatch
        if account.keyring_version < self.version:
            raise KeyringRolledBack
        if account.keyring_version > self.version:
            raise KeysChangedElsewhere
        keyring = await self.password.open(account)
        check_public_keys(account, keyring)
        if self.rotated:
            _check_rotation(account, before, keyring)
        elif keyring != before:
            raise KeySubstituted
        await take_over(self.device, keyring, self.version)
        if self.rotated:
            await asyncio.to_thread(begin_media_rotation, self.device.opened.store, wanted=self.media)


def _check_rotation(account: Account, before: Keyring, after: Keyring) -> None:
    """Check that a keyring gained one key and lost none, and that the old signing key vouches for the new pair."""
    newest = after.newest
    message = identity.rotation_message(
        str(account.id), account.keyring_version, newest.recipient, newest.public_signing_key
    )
    vouched = identity.verify(before.newest.public_signing_key, message, account.rotation_signature or b"")
    if len(after) != len(before) + 1 or not after.extends(before) or not vouched:
        raise KeySubstituted


class UserControlled:
    """Keys that the server opens while a session is in use; see `Custody`."""

    sends_password: Final = True

    async def choose(self, device: Device, login_name: str, password: str, kdf_profile: KdfProfile) -> SentPassword:
        """Take the password itself; how dear a guess at it is, the protocol decides."""
        return sendable(password)

    async def enter(
        self,
        device: Device,
        transport: Transport,
        place: AccountPlace,
        password: str,
        remembered: Profile | None,
        contact: FirstContact,
    ) -> SentPassword:
        """Take the password itself."""
        if contact.link is not None:
            raise WithoutLinkCodes
        return await self.unlock(device, password)

    async def unlock(self, device: Device, password: str) -> SentPassword:
        """Take the password itself."""
        try:
            return sendable(password)
        except PasswordUnsuitable:
            raise WrongPassword from None

    async def fresh(self, device: Device, password: str) -> SentPassword:
        """Take the password itself."""
        return sendable(password)

    def code_fields(self, code: str) -> Mapping[str, Any]:
        """Return the code, since the server has to open the keyring too."""
        return {"code": "".join(code.split())}

    def check_account(self, account: Account, profile: Profile) -> None:
        """Have the server show what its key is derived with."""
        if account.kek_salt is None:
            raise KeyringMissing

    def check_newer(self, keyring: Keyring, newer: Keyring) -> None:
        """Take the same keyring alone: no device gives keys to the server."""
        if keyring != newer:
            raise KeyringRolledBack(
                "keys were lost at the server, which makes them for this account and takes none from a device. Every"
                " text is here: lockleaf export FOLDER --revisions --deleted writes all that this device has and names"
                " what only the server had, and lockleaf import FOLDER takes it in where another profile has logged in"
                " anew"
            )

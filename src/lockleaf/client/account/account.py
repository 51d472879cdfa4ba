"""The account: registering, logging in, changing secrets, and holding the server to what this device knows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from lockleaf.client.account import credentials, enrolment
from lockleaf.client.account.adoption import AdoptedAccount
from lockleaf.client.account.enrolment_checks import remembered_profile
from lockleaf.client.account.epoch_end import CatchUp
from lockleaf.client.account.link_codes import FirstContact, LinkCode, link_code, parse_link_code
from lockleaf.client.account.password_strength import require_strength
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountDeleted,
    HeldHereAlone,
    LockleafError,
    NotLoggedIn,
    RefreshTokenReused,
    SessionRevoked,
    TokenExpired,
    WrongPassword,
)
from lockleaf.client.profile.profiles import CustodyName
from lockleaf.client.store import holds_alone
from lockleaf.client.transport.addresses import store_origin
from lockleaf.crypto.kdf import DEFAULT, KdfProfile
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["AccountService"]


class AccountService(AdoptedAccount):
    """What a user does with an account.

    Custody comes from the caller and from what this device remembers, never from an answer.

    Args:
        device: this device.
        sync: brings the device to the end of the server's history; a rotation begins there.
    """

    def __init__(self, device: Device, *, sync: CatchUp) -> None:
        super().__init__(device)
        self._sync = sync

    # ---- coming in and going out ----

    async def register(
        self,
        server: str,
        login_name: str,
        password: str,
        *,
        device_name: str,
        display_name: str | None = None,
        privacy_tier: PrivacyTier = "full_sync",
        custody: CustodyName = "e2e",
        kdf_profile: KdfProfile = DEFAULT,
        store: str | None = None,
        allow_insecure: bool = False,
        allow_weak_password: bool = False,
        invitation: str | None = None,
    ) -> RecoveryCodes:
        """Make an account and log in with it. The choice of custody is for good.

        A journal that had none (`Client.begin`) becomes the account's, with all that is in it.

        Args:
            server: the server's URL.
            login_name: the account's email address, or a name without an @; which it is, the @ tells.
            password: never sent with e2e; with uce the server gets it now and at each login.
            device_name: how this device is shown among the account's devices.
            display_name: how the user wants to be called; the server knows it.
            privacy_tier: what the server may hold: ``full_sync`` for a journal on several devices.
            custody: ``e2e``: all keys are made here, and the server can never read. ``uce``: the server makes them,
                and can read while a session is in use, for clients that do no cryptography and for its search.
            kdf_profile: how dear a guess at the password shall be; with uce the protocol decides it.
            store: the origin of the store where the server keeps attachments, if it is another one; see
                `Media.allow_store`.
            allow_insecure: plain http to another machine is accepted.
            allow_weak_password: take a password that is easy to guess.
            invitation: a code of the server's operator, where accounts are made by invitation.

        Returns:
            Ten recovery codes: show them once, keep them nowhere.

        Raises:
            EmailTaken: there is an account with this address or name.
            InvitationRequired, InvalidInvitation, RegistrationClosed: not everybody may make an account there.
            AlreadyLoggedIn: the profile belongs to an account.
            PasswordTooWeak: it is too easy to guess, and says why.
            PasswordUnsuitable: with uce, it is shorter or longer than a server takes.
            ServerUnreachable, InsecureServer, InvalidServerAddress: as their names say.
        """
        place = AccountPlace(server, login_name, device_name, custody, allow_insecure, display_name)
        allowed = [] if store is None else [store_origin(store, allow_insecure=allow_insecure)]
        self._device.require_vacant()
        await require_strength(password, about=(login_name, display_name), allow_weak_password=allow_weak_password)
        codes = await enrolment.register(
            self._device,
            place,
            password,
            privacy_tier=privacy_tier,
            kdf_profile=kdf_profile,
            invitation=invitation,
        )
        if allowed:
            await asyncio.to_thread(self._device.memory.set_store_origins, self._device.opened.profile, allowed)
        return codes

    async def login(
        self,
        server: str,
        login_name: str,
        password: str,
        *,
        device_name: str,
        custody: CustodyName | None = None,
        link: LinkCode | str | None = None,
        allow_insecure: bool = False,
        allow_pbkdf2: bool = False,
        allow_weak_kdf: bool = False,
    ) -> None:
        """Log in; what this profile already holds of the same account stays, edits that were never sent included.

        A journal that had no account (`Client.begin`) joins the account's, with all that is in it: the next sync sends
        it, and what both have otherwise becomes a conflict.

        Args:
            server: the server's URL.
            login_name: the account's email address, or a name without an @; which it is, the @ tells.
            password: never sent with e2e; sent with uce.
            device_name: how this device is shown among the account's devices.
            custody: as the account's user chose it. If absent, as this profile remembers it, else ``e2e``: what the
                server says never decides whether it gets the password.
            link: a link code that another device of the account made. The server is then held to what that device had
                verified; without one, the first contact is as good as the server.
            allow_insecure: plain http to another machine is accepted.
            allow_pbkdf2: the account was made by a client that had nothing better than pbkdf2.
            allow_weak_kdf: the account was made with a cheaper key derivation than this program's defaults. A device
                that has never used the account takes nothing weaker otherwise: the server alone says so.

        Raises:
            WrongPassword: the address or name, or the password, is wrong.
            AlreadyLoggedIn: the profile has a session, or belongs to another account.
            JournalLocked: there is a journal here that has no account, and it wants its own password first.
            KdfWeakened: the server offers weaker key derivation than this device may take; nothing was derived.
            InvalidLinkCode: ``link`` is no link code.
            LinkOutdated: the server names another key derivation than the code; nothing was derived.
            WithoutLinkCodes: a code was given for a ``uce`` account.
            IntegrityError: its subclass says how the server's answer contradicts what this device knows.
        """
        place = AccountPlace(server, login_name, device_name, allow_insecure=allow_insecure)
        code = parse_link_code(link) if isinstance(link, str) else link
        if self._device.is_locked:
            # Where the password was changed elsewhere it does not fit yet, and this login sees to that.
            with suppress(WrongPassword):
                await self._device.unlock(password)
        remembered, place = await remembered_profile(self._device, place, custody)
        contact = FirstContact(code, allow_pbkdf2, allow_weak_kdf)
        await enrolment.login(self._device, place, password, remembered=remembered, contact=contact)

    async def link_code(self) -> str:
        """Return a code that lets another device hold the server to what this one has verified. No secret is in it.

        Raises:
            NotLoggedIn: there is no account here.
            WithoutLinkCodes: the account is a ``uce`` one.
            NotYetSynced: this device has verified nothing yet.
        """
        return await asyncio.to_thread(link_code, self._device)

    async def recover(
        self,
        server: str,
        login_name: str,
        code: str,
        new_password: str,
        *,
        device_name: str,
        custody: CustodyName | None = None,
        kdf_profile: KdfProfile = DEFAULT,
        allow_insecure: bool = False,
        allow_weak_password: bool = False,
    ) -> None:
        """Set a new password with a recovery code, and log in. The code is spent; every other device is signed out.

        Args:
            server: the server's URL.
            login_name: the account's email address, or a name without an @; which it is, the @ tells.
            code: one of the recovery codes, as a person types it; sent with uce only.
            new_password: never sent with e2e; sent with uce.
            device_name: how this device is shown among the account's devices.
            custody: as for `login`.
            kdf_profile: how dear a guess at the new password shall be.
            allow_insecure: plain http to another machine is accepted.
            allow_weak_password: take a password that is easy to guess.

        Raises:
            PasswordTooWeak: it is too easy to guess, and says why.
            InvalidRecoveryCode: no such code, or it was used.
            AlreadyLoggedIn: the profile has a session, or belongs to another account.
            IntegrityError: its subclass says how the server's answer contradicts what this device knows.
        """
        place = AccountPlace(server, login_name, device_name, allow_insecure=allow_insecure)
        await require_strength(new_password, about=(login_name,), allow_weak_password=allow_weak_password)
        remembered, place = await remembered_profile(self._device, place, custody)
        await enrolment.recover(self._device, place, code, new_password, remembered=remembered, kdf_profile=kdf_profile)

    async def logout(self, *, forget: bool = False) -> Path | None:
        """End the session. The journal stays here, sealed, for the next login.

        Args:
            forget: delete the journal of this device too. One that holds anything that is not known to be at the
                server is set aside instead, and stays until its user deletes it, unless the account was deleted: then
                nothing could open it. What the device remembers against rollback stays.

        Returns:
            Where the journal is that was set aside, None if there was no reason.

        Raises:
            AccountDeleted: no login could open the journal again; ``forget`` deletes it.
            HeldHereAlone: the session was over already, so perhaps none could, and what is here may be nowhere else;
                ``forget`` sets it aside.
            NotLoggedIn: there is no account, and no login that could bring the keys of the journal back.
        """
        profile = self._device.profile
        if profile is not None and profile.is_local:
            raise NotLoggedIn
        if not forget and profile is not None and profile.account_deleted:
            raise AccountDeleted
        told = not (self._device.is_locked or self._device.is_logged_in)
        over = self._device.is_open and not self._device.is_logged_in
        if self._device.is_logged_in:
            # Whatever the server still thinks, the user wants out now.
            with suppress(LockleafError):
                try:
                    await self._device.opened.transport.command("POST", "/auth/logout")
                except (SessionRevoked, TokenExpired, RefreshTokenReused):
                    over = True
                told = True
        if over and not forget and await asyncio.to_thread(holds_alone, self._device.folder.store):
            raise HeldHereAlone
        if not told:
            self._device.notice(
                "The server could not be told. The session's tokens are deleted here; to end it on the server too, "
                "sign this device out from another one."
            )
        if forget:
            gone = profile is not None and profile.account_deleted
            keep = not gone and await asyncio.to_thread(holds_alone, self._device.folder.store)
            return await self._device.forget(keep=keep)
        await self._device.leave()
        return None

    async def delete(self, password: str) -> None:
        """Delete the account and everything that the server holds of it, at once and for good.

        The journal stays on this device, without a session: it can be read, written and exported here. Attachments
        that are only at the server are lost, unless `Media.keep_all` fetched them before. Other devices are signed
        out, and keep what they have.

        Raises:
            WrongPassword: it is not the password; nothing is deleted.
            NotLoggedIn: there is no session.
            ApiError, TransportError: nothing was deleted, or it is not known whether it was.
        """
        await credentials.delete_account(self._device, password)

    # ---- changing secrets ----

    async def change_password(self, old: str, new: str, *, allow_weak_password: bool = False) -> None:
        """Change the password. Every other device is signed out.

        Args:
            old: the present password.
            new: the one that is to take its place.
            allow_weak_password: take a password that is easy to guess.

        Raises:
            PasswordTooWeak: ``new`` is too easy to guess, and it says why.
            WrongPassword: ``old`` is not the present password.
            KeyringConflict: another device changed the keyring in the meantime.
            ServerUnreachable: it is not known whether the change was accepted; the next sync finds out, and until
                then either password may be the right one.
        """
        login_name = self._device.session.profile.login_name
        await require_strength(new, about=(login_name,), allow_weak_password=allow_weak_password)
        await credentials.change_password(self._device, old, new)
        await self._device.change_password(new)

    async def rotate_keyring(
        self,
        password: str,
        new_password: str | None = None,
        *,
        media: bool = False,
        allow_weak_password: bool = False,
    ) -> RecoveryCodes:
        """Take a fresh master key, so that whoever has the old ones reads and forges nothing that is written later.

        It syncs first. Every other device is signed out, and the old recovery codes end. The syncs that follow, of
        this device or another one, seal what the server holds again under the new key; until they are through, the
        server still serves the rest under the old one.

        Args:
            password: the present password.
            new_password: what takes its place; the present one stays if absent. After the loss of a device from which
                somebody may know the password, it must not stay: it opens the new keyring too.
            media: remember that attachments are to be sealed anew as well. `Media.seal_anew` does it, and goes on after
                an interruption; else they stay open to whoever has the old keys and gets at their sealed files.
            allow_weak_password: take a new password that is easy to guess.

        Returns:
            Ten new recovery codes. After a rotation whose answer was lost, and which brought the same new password,
            the codes of that rotation, and nothing is rotated again.

        Raises:
            PasswordTooWeak: the new password is too easy to guess, and it says why.
            WrongPassword: it is not the password.
            KeyringConflict: another device changed the keyring in the meantime.
            HistoryMoved: other devices kept writing all the while.
            ServerUnreachable: it is not known whether the rotation was accepted; rotate again to find out.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `Client.sync`.
        """
        chosen = password if new_password is None else new_password
        if new_password is not None:
            login_name = self._device.session.profile.login_name
            await require_strength(new_password, about=(login_name,), allow_weak_password=allow_weak_password)
        codes = await credentials.rotate_keyring(self._device, password, chosen, sync=self._sync, media=media)
        if new_password is not None:
            await self._device.change_password(new_password)
        return codes

    async def new_recovery_codes(self, password: str) -> RecoveryCodes:
        """Replace the recovery codes by ten new ones. Every other device is signed out.

        Raises:
            WrongPassword: it is not the password.
            RecoveryCodesUnconfirmed: no answer came, so either set may be in force: make a new one.
        """
        return await credentials.new_recovery_codes(self._device, password)

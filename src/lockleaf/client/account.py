"""The account: registering, logging in, changing secrets, and holding the server to what this device knows."""

from __future__ import annotations

from uuid import UUID

from lockleaf.client import credentials, enrolment
from lockleaf.client.checks import check_keys, fetch_account
from lockleaf.client.device import Device
from lockleaf.client.errors import LockleafError, RefreshTokenReused, SessionRevoked, TokenExpired
from lockleaf.client.profile import Custody
from lockleaf.client.recovery import RecoveryCodes
from lockleaf.crypto.kdf import DEFAULT, KdfProfile
from lockleaf.wire.accounts import Account, Features, PrivacyTier, RecoveryCodesLeft, Session, Sessions

__all__ = ["AccountService"]


class AccountService:
    """What a user does with an account.

    Custody comes from the caller and from what this device remembers, never from an answer.
    """

    def __init__(self, device: Device) -> None:
        self._device = device

    # ---- coming in and going out ----

    async def register(
        self,
        server: str,
        email: str,
        password: str,
        *,
        device_name: str,
        privacy_tier: PrivacyTier = "full_sync",
        custody: Custody = "e2e",
        kdf_profile: KdfProfile = DEFAULT,
        allow_insecure: bool = False,
    ) -> RecoveryCodes:
        """Make an account and log in with it. All keys are made here.

        Args:
            server: the server's URL.
            email: the account's address.
            password: never sent.
            device_name: how this device is shown among the account's devices.
            privacy_tier: what the server may hold: ``full_sync`` for a journal on several devices.
            custody: ``e2e``.
            kdf_profile: how dear a guess at the password shall be.
            allow_insecure: plain http to another machine is accepted.

        Returns:
            Ten recovery codes: show them once, keep them nowhere.

        Raises:
            EmailTaken: there is an account with this address.
            AlreadyLoggedIn: the profile belongs to an account.
            ServerUnreachable, InsecureServer, InvalidServerAddress: as their names say.
        """
        return await enrolment.register(
            self._device,
            enrolment.Place(server, email, device_name, custody, allow_insecure),
            password,
            privacy_tier=privacy_tier,
            kdf_profile=kdf_profile,
        )

    async def login(
        self,
        server: str,
        email: str,
        password: str,
        *,
        device_name: str,
        custody: Custody = "e2e",
        allow_insecure: bool = False,
        allow_pbkdf2: bool = False,
    ) -> None:
        """Log in; what this profile already holds of the same account stays, edits that were never sent included.

        Args:
            server: the server's URL.
            email: the account's address.
            password: never sent.
            device_name: how this device is shown among the account's devices.
            custody: ``e2e``.
            allow_insecure: plain http to another machine is accepted.
            allow_pbkdf2: the account was made by a client that had nothing better than pbkdf2.

        Raises:
            WrongPassword: the address or the password is wrong.
            AlreadyLoggedIn: the profile has a session, or belongs to another account.
            IntegrityError: its subclass says how the server's answer contradicts what this device knows.
        """
        place = enrolment.Place(server, email, device_name, custody, allow_insecure)
        await enrolment.login(self._device, place, password, allow_pbkdf2=allow_pbkdf2)

    async def recover(
        self,
        server: str,
        email: str,
        code: str,
        new_password: str,
        *,
        device_name: str,
        custody: Custody = "e2e",
        kdf_profile: KdfProfile = DEFAULT,
        allow_insecure: bool = False,
    ) -> None:
        """Set a new password with a recovery code, and log in. The code is spent; every other device is signed out.

        Args:
            server: the server's URL.
            email: the account's address.
            code: one of the recovery codes, as a person types it.
            new_password: never sent.
            device_name: how this device is shown among the account's devices.
            custody: ``e2e``.
            kdf_profile: how dear a guess at the new password shall be.
            allow_insecure: plain http to another machine is accepted.

        Raises:
            InvalidRecoveryCode: no such code, or it was used.
            AlreadyLoggedIn: the profile has a session, or belongs to another account.
            IntegrityError: its subclass says how the server's answer contradicts what this device knows.
        """
        place = enrolment.Place(server, email, device_name, custody, allow_insecure)
        await enrolment.recover(self._device, place, code, new_password, kdf_profile=kdf_profile)

    async def logout(self, *, forget: bool = False) -> None:
        """End the session. The journal stays here, sealed, for the next login.

        Args:
            forget: delete the journal of this device too, with edits that were never sent.
        """
        if self._device.is_logged_in:
            try:
                await self._device.opened.transport.command("POST", "/auth/logout")
            except (SessionRevoked, TokenExpired, RefreshTokenReused):
                pass  # over already
            except LockleafError:
                # The user wants out now. What the server still thinks does not keep the keys on this machine.
                self._device.notice(
                    "The server could not be told. The session's tokens are deleted here; to end it on the server "
                    "too, sign this device out from another one."
                )
        if forget:
            await self._device.forget()
        else:
            await self._device.lock()

    # ---- what the server says of the account ----

    async def me(self) -> Account:
        """Return the server's word on the account. `check_keys` holds it against what this device knows."""
        return await fetch_account(self._device)

    async def features(self) -> Features:
        """Return what the account may do on this server, and its quota."""
        return await self._device.session.transport.request("GET", "/auth/features", answer=Features)

    async def sessions(self) -> tuple[Session, ...]:
        """Return the devices that are signed in, latest used first."""
        answer = await self._device.session.transport.request("GET", "/auth/sessions", answer=Sessions)
        return answer.items

    async def revoke(self, session_id: UUID) -> None:
        """Sign a device out at once.

        Raises:
            NotFound: there is no such session.
        """
        await self._device.session.transport.command("DELETE", f"/auth/sessions/{session_id}")

    async def check_keys(self) -> Account:
        """Hold the server's word on the account against what this device knows. Every sync begins with it.

        A change of keyring or password whose answer was lost is settled here.

        Raises:
            AccountMismatch, CustodyMismatch, KeyringRolledBack, KeySubstituted, KdfWeakened: as their names say.
            KeyringMissing: the server holds the keyring back.
            KeysChangedElsewhere: log in again to go on.
        """
        return await check_keys(self._device)

    # ---- changing secrets ----

    async def change_password(self, old: str, new: str) -> None:
        """Change the password. Every other device is signed out.

        Raises:
            WrongPassword: ``old`` is not the present password.
            KeyringConflict: another device changed the keyring in the meantime.
            ServerUnreachable: it is not known whether the change was accepted; the next sync finds out, and until
                then either password may be the right one.
        """
        await credentials.change_password(self._device, old, new)

    async def rotate_keyring(self, password: str) -> RecoveryCodes:
        """Write under a fresh master key from now on. Every other device is signed out; old recovery codes end.

        Returns:
            Ten new recovery codes. After a rotation whose answer was lost, the codes of that rotation, and nothing
            is rotated again.

        Raises:
            WrongPassword: it is not the password.
            KeyringConflict: another device changed the keyring in the meantime.
            ServerUnreachable: it is not known whether the rotation was accepted; rotate again to find out.
        """
        return await credentials.rotate_keyring(self._device, password)

    async def new_recovery_codes(self, password: str) -> RecoveryCodes:
        """Replace the recovery codes by ten new ones. Every other device is signed out.

        Raises:
            WrongPassword: it is not the password.
            RecoveryCodesUnconfirmed: no answer came, so either set may be in force: make a new one.
        """
        return await credentials.new_recovery_codes(self._device, password)

    async def recovery_codes_left(self) -> int:
        """Return how many recovery codes are unspent."""
        answer = await self._device.session.transport.request("GET", "/auth/recovery-codes", answer=RecoveryCodesLeft)
        return answer.remaining

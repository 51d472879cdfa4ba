"""Custody: who can open an account's keys. Every flow is written once, and asks the account's custody what differs.

Which custody an account has comes from the caller and from what this device remembers, never from an answer (PROTOCOL
section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from lockleaf.client.account.end_to_end import EndToEnd, NewKeys
from lockleaf.client.account.key_rotation import KeyringAt, KeyringChange
from lockleaf.client.account.link_codes import FirstContact
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.account.user_controlled import UserControlled
from lockleaf.client.device.device import Device
from lockleaf.client.profile.profiles import CustodyName, Profile
from lockleaf.client.transport.http import Transport
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.kdf import KdfParameters, KdfProfile
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.accounts import Account

__all__ = ["Credential", "Custody", "custody_of"]


class Credential(Protocol):
    """A password, as its custody uses it."""

    @property
    def proof(self) -> str:
        """What proves the password to the server."""

    @property
    def kdf(self) -> KdfParameters | None:
        """How keys are derived from it; None where the protocol fixes that."""

    async def open(self, account: Account) -> Keyring:
        """Return the account's keyring.

        Raises:
            KeyringMissing: the server holds back what is needed to open it.
            SealBroken: this password does not open it.
        """

    def new_keys(self, user_id: UUID, now: str, keyring: Keyring | None = None) -> NewKeys | None:
        """Return the keys of an account that is about to be made; None where the server makes them.

        Args:
            keyring: that of a journal which had no account; drawn anew if absent.
        """

    def new_codes(self, keyring: Keyring, account: Account) -> tuple[RecoveryCodes | None, Mapping[str, Any]]:
        """Return a new set of recovery codes (None where the server draws it), and what the server gets of it."""

    def resealed(self, keyring: Keyring, user_id: UUID, *, base: int, version: int) -> Mapping[str, Any]:
        """Return what this device adds to a request that puts this password in place, the keyring staying as it is."""

    def password_change(self, device: Device, account: Account, version: int) -> KeyringChange:
        """Return the change that puts this password in place of the account's present one.

        Args:
            version: the keyring version to make, where the device numbers them.
        """

    async def rotation(
        self, device: Device, account: Account, keyring_at: KeyringAt, version: int, end: HistoryPlace, *, media: bool
    ) -> KeyringChange:
        """Return the change that adds a master key to the keyring, and puts this password in place.

        Args:
            keyring_at: gives the new keyring, where the device makes it, with the older keys retired at ``end``.
            version: as for `password_change`.
            media: attachments are to be sealed anew behind it.
        """


class Custody(Protocol):
    """What differs by who can open an account's keys."""

    @property
    def sends_password(self) -> bool:
        """Whether the server gets the password itself, so that one that was mistyped must go nowhere."""

    async def choose(self, device: Device, login_name: str, password: str, kdf_profile: KdfProfile) -> Credential:
        """Return the credential of a password that an account is to have from now on.

        Raises:
            PasswordUnsuitable: no server takes it.
        """

    async def enter(
        self,
        device: Device,
        transport: Transport,
        place: AccountPlace,
        password: str,
        remembered: Profile | None,
        contact: FirstContact,
    ) -> Credential:
        """Return the credential with which to log in; for its errors see `AccountService.login`.

        Args:
            remembered: what this profile knows of the account.
            contact: what is taken on whose word where it knows nothing.
        """

    async def unlock(self, device: Device, password: str) -> Credential:
        """Return the credential of a password of the session's account, as this device remembers it.

        Raises:
            WrongPassword: it cannot be its password.
        """

    async def fresh(self, device: Device, password: str) -> Credential:
        """Return the credential of a new password of the session's account.

        Raises:
            PasswordUnsuitable: no server takes it.
        """

    def code_fields(self, code: str) -> Mapping[str, Any]:
        """Return what shows the server that its user has a recovery code.

        Raises:
            BadRecoveryCode: it is not a recovery code.
        """

    def check_account(self, account: Account, profile: Profile) -> None:
        """Check what the server says of how the keyring is opened.

        Raises:
            KdfWeakened, KeyringMissing: as their names say.
        """

    def check_newer(self, keyring: Keyring, newer: Keyring) -> None:
        """Check that an account whose ``keyring`` is an older one can be given the ``newer`` one.

        Raises:
            KeySubstituted, KeyringRolledBack: it cannot.
        """


_CUSTODIES: Mapping[CustodyName, Custody] = {"e2e": EndToEnd(), "uce": UserControlled()}


def custody_of(name: CustodyName) -> Custody:
    """Return how an account in this custody is handled."""
    return _CUSTODIES[name]

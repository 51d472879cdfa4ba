"""Changing the password and rotating the keyring, so that a lost answer loses nothing.

The new keyring is kept on the device, sealed, before it is sent. When the answer does not come, the server is asked
which keyring it has, at once or at the next start: only once it is known to have the new one is anything written under
it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.account.sessions import fetch_account
from lockleaf.client.device.device import Device
from lockleaf.client.keychain.password_keys import kdf_from_wire
from lockleaf.client.media.media_rotation import begin_media_rotation
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.kdf import KdfParameters
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.account_fields import Kdf
from lockleaf.wire.accounts import Account
from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, Digest

__all__ = [
    "KeyChange",
    "KeyringAt",
    "KeyringChange",
    "SealedChange",
    "discard",
    "holds_codes",
    "is_open",
    "settle",
    "take_codes",
    "take_over",
]

KeyringAt = Callable[[HistoryPlace], Keyring]
"""Gives the keyring whose older keys end at a place of the history."""

_CHANGE = "key_change"
_CODES = "unseen_recovery_codes"


@dataclass(frozen=True, kw_only=True)
class KeyringChange(ABC):
    """A change of password or keyring, from before it is sent until it is known what became of it.

    Args:
        device: this device, logged in.
        version: the keyring version that the change makes.
        fields: what this device adds to the request.
        codes: the recovery codes that come with it, where this device draws them.
    """

    device: Device
    version: int
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    codes: RecoveryCodes | None = None

    def prepare(self) -> None:  # noqa: B027  (not every custody has something to lose)
        """Keep what a crash must not lose, before the change is sent."""

    def discard(self) -> None:  # noqa: B027
        """Forget what was kept: the server refused the change."""

    @abstractmethod
    async def settle(self) -> bool:
        """Find out, after no answer came, whether the change was accepted; if so, take it over."""

    @abstractmethod
    async def commit(self) -> None:
        """Take over a change that was accepted.

        Raises:
            IntegrityError: its subclass says how the server made something else of it.
        """


class KeyChange(Body):
    """A change of keyring or password that was sent, and of which it is not yet known whether it was accepted.

    ``media``, of a rotation: attachments are to be sealed anew behind it.
    """

    version: int
    sealed_hash: Digest
    kdf: Kdf
    keyring: Bytes
    codes: tuple[str, ...] = ()
    media: bool = False

    def __repr__(self) -> str:
        """Name the version alone: the rest is secret."""
        return f"KeyChange(version={self.version})"

    __str__ = __repr__


@dataclass(frozen=True, kw_only=True)
class SealedChange(KeyringChange):
    """A change whose keyring is sealed on the device, which keeps it until it is known what became of it."""

    kept: KeyChange

    def prepare(self) -> None:
        """Keep the new keyring."""
        self.device.opened.store.set_secret(_CHANGE, self.kept.model_dump_json().encode())

    def discard(self) -> None:
        """Forget it."""
        discard(self.device)

    async def settle(self) -> bool:
        """Ask the server which keyring it has."""
        return await settle(self.device, await fetch_account(self.device))

    async def commit(self) -> None:
        """Write under the new keyring from now on."""
        await commit(self.device, self.kept)


def discard(device: Device) -> None:
    """Forget a change that the server refused."""
    device.opened.store.set_secret(_CHANGE, None)


async def settle(device: Device, account: Account) -> bool:
    """Find out what became of a change whose answer was lost; return whether it was accepted.

    A change that the server does not show is kept: its request may still be on the way. It is replaced by the next.

    Args:
        device: this device.
        account: the server's word on the account.
    """
    kept = device.opened.store.get_secret(_CHANGE)
    if kept is None:
        return False
    try:
        change = KeyChange.model_validate_json(kept)
    except ValidationError:
        discard(device)
        return False
    if account.keyring_version > change.version:
        discard(device)
        return False
    if account.keyring_version < change.version or account.keyring is None:
        return False
    if sha256(account.keyring).digest() != change.sealed_hash:
        discard(device)
        return False
    await commit(device, change)
    return True


async def commit(device: Device, change: KeyChange) -> None:
    """Take over a change that the server has accepted. Doing it twice, after a crash in between, does no harm."""
    try:
        keyring = Keyring.unpack(change.keyring)
    except CryptoError:
        discard(device)
        return
    await take_over(device, keyring, change.version, kdf_from_wire(change.kdf))
    store = device.opened.store
    with store.transaction():
        begin_media_rotation(store, wanted=change.media)
        if change.codes:
            store.set_secret(_CODES, " ".join(change.codes).encode())
        discard(device)


async def take_over(device: Device, keyring: Keyring, version: int, kdf: KdfParameters | None = None) -> None:
    """Write under the newest key of an account's keyring from now on, and remember its public keys."""
    if keyring != device.opened.keyring:
        await device.adopt_keyring(keyring)
    newest = keyring.newest
    profile = replace(
        device.opened.profile,
        keyring_version=version,
        recipient=newest.recipient,
        signing_key=newest.public_signing_key,
        kdf=kdf,
    )
    device.remember(profile)


def is_open(device: Device) -> bool:
    """Tell whether a change was sent of which it is not known what became."""
    return device.opened.store.get_secret(_CHANGE) is not None


def holds_codes(device: Device) -> bool:
    """Tell whether there are recovery codes of a rotation that nobody has been shown yet."""
    return device.opened.store.get_secret(_CODES) is not None


def take_codes(device: Device) -> RecoveryCodes | None:
    """Return the recovery codes of a rotation that nobody has been shown yet, and forget them here."""
    kept = device.opened.store.get_secret(_CODES)
    if kept is None:
        return None
    device.opened.store.set_secret(_CODES, None)
    return RecoveryCodes(tuple(kept.decode().split()))

"""Changing the password and rotating the keyring, so that a lost answer loses nothing.

The new keyring is kept on the device, sealed, before it is sent. When the answer does not come, the server is asked
which keyring it has, at once or at the next start: only once it is known to have the new one is anything written under
it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

from pydantic import ValidationError

from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.device.device import Device
from lockleaf.client.media.media_rotation import begin_media_rotation
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.account_fields import Kdf
from lockleaf.wire.accounts import Account
from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, Digest

__all__ = ["KeyChange", "commit", "discard", "holds_codes", "is_open", "prepare", "settle", "take_codes"]

_CHANGE = "key_change"
_CODES = "unseen_recovery_codes"


class KeyChange(Body):
    """A change of keyring or password that was sent, and of which it is not yet known whether it was accepted."""

    kind: Literal["password", "rotation"]
    version: int
    sealed_hash: Digest
    kdf: Kdf
    keyring: Bytes
    codes: tuple[str, ...] = ()
    media: bool = False

    @classmethod
    def of(
        cls,
        kind: Literal["password", "rotation"],
        *,
        version: int,
        sealed: bytes,
        kdf: Kdf,
        keyring: Keyring,
        codes: tuple[str, ...] = (),
        media: bool = False,
    ) -> KeyChange:
        """Return the change that makes keyring ``version`` of the ``sealed`` bytes.

        Args:
            media: of a rotation: attachments are to be sealed anew behind it.
        """
        return cls(
            kind=kind,
            version=version,
            sealed_hash=sha256(sealed).digest(),
            kdf=kdf,
            keyring=keyring.pack(),
            codes=codes,
            media=media,
        )

    def __repr__(self) -> str:
        """Name the kind alone: the rest is secret."""
        return f"KeyChange(kind={self.kind!r})"

    __str__ = __repr__


def prepare(device: Device, change: KeyChange) -> None:
    """Keep ``change`` before it is sent."""
    device.opened.store.set_secret(_CHANGE, change.model_dump_json().encode())


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
    opened = device.opened
    if keyring != opened.keyring:
        await device.adopt_keyring(keyring)
    device.remember(
        opened.profile.model_copy(
            update={
                "keyring_version": change.version,
                "kdf": change.kdf,
                "recipient": keyring.newest.recipient,
                "signing_key": keyring.newest.public_signing_key,
            }
        )
    )
    with opened.store.transaction():
        begin_media_rotation(opened.store, wanted=change.media)
        if change.codes:
            opened.store.set_secret(_CODES, " ".join(change.codes).encode())
        discard(device)


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

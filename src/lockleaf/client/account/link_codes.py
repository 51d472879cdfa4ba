"""Link codes between devices: making one, and holding a first contact to it (PROTOCOL section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    InvalidLinkCode,
    KeyringRolledBack,
    KeySubstituted,
    LinkOutdated,
    NotYetSynced,
    WithoutLinkCodes,
)
from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.kdf import KdfParameters
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.links import LinkCode
from lockleaf.wire.accounts import Account

__all__ = [
    "FirstContact",
    "LinkCode",
    "link_checkpoint",
    "link_code",
    "parse_link_code",
    "require_account",
    "require_keyring",
    "require_parameters",
]


@dataclass(frozen=True)
class FirstContact:
    """What a device that has never used an account takes on whose word.

    Args:
        link: a code of another device, by whose word it goes.
        allow_pbkdf2: the server may name pbkdf2.
        allow_weak_kdf: the server may name a cheaper key derivation than the defaults.
    """

    link: LinkCode | None = None
    allow_pbkdf2: bool = False
    allow_weak_kdf: bool = False


def link_code(device: Device) -> str:
    """Return what another device needs to hold a server to what this one has verified.

    Raises:
        NotLoggedIn: there is no account here.
        WithoutLinkCodes: the server makes the keys of this account, so that no word of a device binds it.
        NotYetSynced: this device has verified nothing yet.
    """
    profile, store = device.opened.profile, device.opened.store
    if profile.kdf is None:
        raise WithoutLinkCodes
    position = store.history.position()
    if position is None:
        raise NotYetSynced
    return LinkCode(
        server=profile.server,
        user_id=str(profile.user_id),
        kdf=profile.kdf,
        keyring_version=profile.keyring_version,
        signing_key=store.keyring.newest.public_signing_key,
        epoch=position.epoch,
        seq=position.seq,
        head=position.head,
    ).text()


def parse_link_code(text: str) -> LinkCode:
    """Return what a link code says.

    Raises:
        InvalidLinkCode: it is no link code, or was not copied whole.
    """
    try:
        return LinkCode.parse(text)
    except Malformed:
        raise InvalidLinkCode from None


def link_checkpoint(link: LinkCode) -> RememberedCheckpoint:
    """Return the end of the history that a code names, as one more device's word on it."""
    return RememberedCheckpoint("link code", link.epoch, link.seq, link.head)


def require_parameters(link: LinkCode, offered: KdfParameters) -> None:
    """Check, before anything is derived, that the server names the key derivation of the code.

    Raises:
        LinkOutdated: it does not.
    """
    if offered != link.kdf:
        raise LinkOutdated


def require_account(link: LinkCode, account: Account) -> None:
    """Check that an account is the one of the code, and not an older state of it.

    Raises:
        AccountMismatch, KeyringRolledBack: as their names say.
    """
    if str(account.id) != link.user_id:
        raise AccountMismatch
    if account.keyring_version < link.keyring_version:
        raise KeyringRolledBack


def require_keyring(link: LinkCode, keyring: Keyring, version: int) -> None:
    """Check that a keyring is the one of the code, or one that came of it by a rotation since.

    A key that was retired in another epoch than the code's is judged by the first sync, which begins at the code's
    head and wants every such place on its chain.

    Raises:
        KeySubstituted: it lacks the code's key, gave it up before the code was made, or has another newest one although
            its version is the code's.
    """
    held = [entry for entry in keyring if entry.public_signing_key == link.signing_key]
    if not held:
        raise KeySubstituted
    if version == link.keyring_version and keyring.newest.public_signing_key != link.signing_key:
        raise KeySubstituted
    retired = held[-1].retired_at
    if retired is None or retired.epoch != link.epoch:
        return
    if retired.seq < link.seq or (retired.seq == link.seq and retired.head != link.head):
        raise KeySubstituted

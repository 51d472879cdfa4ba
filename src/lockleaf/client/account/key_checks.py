"""Holding the server's word on the account against what this device knows."""

from __future__ import annotations

from lockleaf.client.account import key_rotation
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    ApiError,
    CustodyMismatch,
    KdfWeakened,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    SessionRevoked,
    TransportError,
)
from lockleaf.client.keychain.password_keys import kdf_from_wire
from lockleaf.crypto.kdf import is_weaker
from lockleaf.wire.accounts import Account

__all__ = ["check_keys", "fetch_account", "may_have_been_accepted"]


async def fetch_account(device: Device) -> Account:
    """Return the server's word on the account, unchecked.

    Raises:
        NotLoggedIn: there is no session.
    """
    return await device.session.transport.request("GET", "/auth/me", answer=Account)


async def check_keys(device: Device) -> Account:
    """Return the server's word on the account, once nothing in it contradicts what this device knows.

    A change of keyring or password whose answer was lost is settled here.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack, KeySubstituted, KdfWeakened: as their names say.
        KeyringMissing: the server holds the keyring back.
        KeysChangedElsewhere: log in again to go on.
    """
    try:
        account = await fetch_account(device)
    except SessionRevoked:
        if key_rotation.is_open(device):
            # Whatever became of it: the next login finds it out.
            device.notice(
                "A change of password or keys was interrupted before its answer came. Log in again with the new "
                "password, or with the old one if the new one is refused; then run the command again."
            )
        raise
    profile = device.session.profile
    if account.id != profile.user_id:
        raise AccountMismatch
    if account.encryption_tier != profile.custody:
        raise CustodyMismatch
    if await key_rotation.settle(device, account):
        device.notice("A change of keys whose answer was lost had been accepted; it is complete now.")
    session = device.session
    if account.keyring_version < session.profile.keyring_version:
        raise KeyringRolledBack
    if account.keyring is None:
        raise KeyringMissing
    if account.keyring_version > session.profile.keyring_version:
        raise KeysChangedElsewhere
    newest = session.keyring.newest
    if account.recipient != newest.recipient or account.signing_key != newest.public_signing_key:
        raise KeySubstituted
    if profile.custody == "uce":
        if account.kek_salt is None:
            raise KeyringMissing
        return account
    kept = session.profile.kdf
    if account.kdf is None or kept is None or is_weaker(kdf_from_wire(account.kdf), kdf_from_wire(kept)):
        raise KdfWeakened
    return account


def may_have_been_accepted(error: LockleafError) -> bool:
    """Return whether a request that ended so may have been carried out nevertheless."""
    return isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)

"""Holding the server's word on the account against what this device knows."""

from __future__ import annotations

from lockleaf.client.account import key_rotation
from lockleaf.client.account.custody import custody_of
from lockleaf.client.account.sessions import check_public_keys, fetch_account
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    CustodyMismatch,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    SessionRevoked,
)
from lockleaf.wire.accounts import Account

__all__ = ["check_keys"]


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
    check_public_keys(account, session.keyring)
    custody_of(profile.custody).check_account(account, session.profile)
    return account

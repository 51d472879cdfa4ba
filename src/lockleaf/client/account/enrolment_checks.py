"""What this device knows of an account before it logs in, and what the server's word is held against then."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace

from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    AlreadyLoggedIn,
    ApiError,
    CustodyMismatch,
    IntegrityError,
    JournalLocked,
    KeyringRolledBack,
    KeysChangedElsewhere,
    LockleafError,
    NotLoggedIn,
    RefreshTokenReused,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    TransportError,
)
from lockleaf.client.profile.profiles import CustodyName, Profile
from lockleaf.wire.accounts import Account

__all__ = ["check_account", "check_remembered", "remembered_profile"]


async def remembered_profile(
    device: Device, place: AccountPlace, custody: CustodyName | None
) -> tuple[Profile | None, AccountPlace]:
    """Return what this profile remembers of the account, and the place with the custody that holds there.

    Custody comes from the caller, else from memory, else it is e2e; nothing has been sent yet.

    Raises:
        AlreadyLoggedIn: the profile has a session that is in use, or belongs to another account.
        CustodyMismatch: the caller names another custody than the account has.
        JournalLocked: there is a journal here that has no account, and it wants its own password first.
    """
    profile = device.profile
    if profile is not None and profile.is_local:
        if device.is_locked:
            raise JournalLocked
        profile = None
    if profile is not None and profile.login_name != place.login_name:
        raise AlreadyLoggedIn
    if profile is not None and custody not in (None, profile.custody):
        raise CustodyMismatch
    if device.is_logged_in and not await _session_is_over(device):
        raise AlreadyLoggedIn
    return profile, replace(place, custody=custody or (profile.custody if profile is not None else "e2e"))


async def _session_is_over(device: Device) -> bool:
    """Ask whether the session is of no use any more: signed out elsewhere, or older than the account's keys."""
    transport = device.session.transport
    try:
        await check_keys(device)
    except (SessionRevoked, TokenExpired, TokenInvalid, RefreshTokenReused, NotLoggedIn):
        return True
    except KeysChangedElsewhere:
        with suppress(LockleafError):
            await transport.command("POST", "/auth/logout", retry=False)
        transport.tokens.clear()
        return True
    except (IntegrityError, TransportError, ApiError):
        # Whatever that is, the session is not over: say what was asked, not what was found on the way.
        return False
    return False


def check_remembered(remembered: Profile, user_id: uuid.UUID, keyring_version: int) -> None:
    """Check that an account is the one that is remembered, and not an older state of it.

    Raises:
        AccountMismatch, KeyringRolledBack: as their names say.
    """
    if user_id != remembered.user_id:
        raise AccountMismatch
    if keyring_version < remembered.keyring_version:
        raise KeyringRolledBack


def check_account(account: Account, place: AccountPlace, remembered: Profile | None, *, older: bool = False) -> None:
    """Check that nothing in the server's word on an account contradicts what is known here.

    Args:
        older: it may be an older one than is remembered: its user agreed to put a newer one in its place.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack: as their names say.
    """
    if account.encryption_tier != place.custody:
        raise CustodyMismatch
    if remembered is not None:
        version = remembered.keyring_version if older else account.keyring_version
        check_remembered(remembered, account.id, version)

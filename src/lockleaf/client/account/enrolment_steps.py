"""What every way into an account has in common: where it leads, what is remembered of it, and what is checked."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from lockleaf.client.account.key_checks import check_keys
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    AccountMismatch,
    AlreadyLoggedIn,
    ApiError,
    CustodyMismatch,
    IntegrityError,
    InvalidDeviceName,
    InvalidLoginName,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    NotLoggedIn,
    RefreshTokenReused,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    TransportError,
)
from lockleaf.client.profile.profiles import Custody, Profile
from lockleaf.client.transport.http import Transport
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.normalise import normalise_email
from lockleaf.wire.account_fields import Kdf, Name
from lockleaf.wire.accounts import Account
from lockleaf.wire.identification import Identification, LoginName, identification
from lockleaf.wire.sessions import Login, LoginAnswer

__all__ = [
    "AccountPlace",
    "check_account",
    "check_public_keys",
    "check_remembered",
    "ended_on_failure",
    "enrol",
    "enrol_own",
    "new_profile",
    "remembered_profile",
]

_LOGIN_NAME: TypeAdapter[str] = TypeAdapter(LoginName)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class AccountPlace:
    """Which account at which server, in whose custody, and how this device is called there."""

    server: str
    login_name: str
    device_name: str
    custody: Custody = "e2e"
    allow_insecure: bool = False
    display_name: str | None = None

    @property
    def identification(self) -> Identification:
        """The login name as ``email`` or ``username``, as it travels; the other is None."""
        return identification(self.login_name)

    def __post_init__(self) -> None:
        try:
            _LOGIN_NAME.validate_python(self.login_name)
        except ValidationError:
            raise InvalidLoginName from None
        try:
            _NAME.validate_python(self.device_name)
            _NAME.validate_python(self.display_name or "")
        except ValidationError:
            raise InvalidDeviceName from None
        object.__setattr__(self, "login_name", normalise_email(self.login_name))


async def remembered_profile(
    device: Device, place: AccountPlace, custody: Custody | None
) -> tuple[Profile | None, AccountPlace]:
    """Return what this profile remembers of the account, and the place with the custody that holds there.

    Custody comes from the caller, else from memory, else it is e2e; nothing has been sent yet.

    Raises:
        AlreadyLoggedIn: the profile has a session that is in use, or belongs to another account.
        CustodyMismatch: the caller names another custody than the account has.
    """
    profile = device.profile
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


class ended_on_failure:  # noqa: N801  (read as a statement: async with ended_on_failure(...))
    """Ends a session that was opened and then not taken over."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, LockleafError):
            with suppress(LockleafError):
                await self._transport.command("POST", "/auth/logout", retry=False)


def check_remembered(remembered: Profile, user_id: uuid.UUID, keyring_version: int) -> None:
    """Check that an account is the one that is remembered, and not an older state of it.

    Raises:
        AccountMismatch, KeyringRolledBack: as their names say.
    """
    if user_id != remembered.user_id:
        raise AccountMismatch
    if keyring_version < remembered.keyring_version:
        raise KeyringRolledBack


def check_account(account: Account, place: AccountPlace, remembered: Profile | None, *, older: bool = False) -> bytes:
    """Return the sealed keyring of an account, once nothing in the server's word contradicts what is known here.

    Args:
        older: it may be an older one than is remembered: its user agreed to put a newer one in its place.

    Raises:
        AccountMismatch, CustodyMismatch, KeyringRolledBack, KeyringMissing: as their names say.
    """
    if account.encryption_tier != place.custody:
        raise CustodyMismatch
    if remembered is not None:
        version = remembered.keyring_version if older else account.keyring_version
        check_remembered(remembered, account.id, version)
    if account.keyring is None:
        raise KeyringMissing
    return account.keyring


def check_public_keys(account: Account, keyring: Keyring) -> None:
    """Check that the public keys that the server shows for an account are those of its keyring.

    Raises:
        KeySubstituted: one is not.
    """
    newest = keyring.newest
    if account.recipient != newest.recipient or account.signing_key != newest.public_signing_key:
        raise KeySubstituted


async def enrol(transport: Transport, place: AccountPlace, secret: str, device_id: str) -> LoginAnswer:
    """Open a session with what proves the password: an authentication secret (e2e) or the password itself (uce)."""
    body = Login(**place.identification, password=secret, device_name=place.device_name, device_id=device_id)
    return await transport.request("POST", "/auth/login", body=body, answer=LoginAnswer, authenticated=False)


async def enrol_own(transport: Transport, place: AccountPlace, secret: str, device_id: str) -> LoginAnswer | None:
    """Open a session if the server lets us, None if not."""
    with suppress(LockleafError):
        return await enrol(transport, place, secret, device_id)
    return None


def new_profile(
    transport: Transport,
    place: AccountPlace,
    user_id: uuid.UUID,
    device_id: str,
    keyring_version: int,
    keyring: Keyring,
    *,
    kdf: Kdf | None = None,
    remembered: Profile | None = None,
) -> Profile:
    """Return what this device remembers of the account from now on; ``remembered`` holds its user's wishes so far."""
    return Profile(
        server=transport.server,
        allow_insecure=place.allow_insecure,
        login_name=place.login_name,
        user_id=user_id,
        device_id=device_id,
        device_name=place.device_name,
        custody=place.custody,
        kdf=kdf,
        keyring_version=keyring_version,
        recipient=keyring.newest.recipient,
        signing_key=keyring.newest.public_signing_key,
        share_dates=remembered.share_dates if remembered is not None else False,
        keychain_entry=remembered.keychain_entry if remembered is not None else uuid.uuid4().hex,
    )

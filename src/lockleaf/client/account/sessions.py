"""Opening a session of an account, and what the server says of that account."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter, ValidationError

from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    ApiError,
    InvalidDeviceName,
    InvalidLoginName,
    KeySubstituted,
    LockleafError,
    TransportError,
)
from lockleaf.client.profile.profiles import CustodyName, Profile
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.second_factor import answered
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.normalise import normalise_email
from lockleaf.wire.account_fields import Name
from lockleaf.wire.accounts import Account
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.identification import LoginName
from lockleaf.wire.login_names import Identification, identification
from lockleaf.wire.sessions import Login, LoginAnswer

__all__ = [
    "AccountPlace",
    "check_public_keys",
    "ended_on_failure",
    "enrol",
    "enrol_own",
    "fetch_account",
    "may_have_been_accepted",
]

_LOGIN_NAME: TypeAdapter[str] = TypeAdapter(LoginName)
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class AccountPlace:
    """Which account at which server, in whose custody, and how this device is called there."""

    server: str
    login_name: str
    device_name: str
    custody: CustodyName = "e2e"
    allow_insecure: bool = False
    display_name: str | None = None

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Return the place of the account that a profile remembers."""
        return cls(profile.server, profile.login_name, profile.device_name, profile.custody, profile.allow_insecure)

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


async def enrol(transport: Transport, place: AccountPlace, proof: str, device_id: str) -> LoginAnswer:
    """Open a session with what proves the password, and with the second factor where the account has one."""

    async def send(factor: FactorAnswer | None) -> LoginAnswer:
        body = Login(
            **place.identification, password=proof, device_name=place.device_name, device_id=device_id, factor=factor
        )
        return await transport.request("POST", "/auth/login", body=body, answer=LoginAnswer, authenticated=False)

    return await answered(transport, send)


async def enrol_own(transport: Transport, place: AccountPlace, proof: str, device_id: str) -> LoginAnswer | None:
    """Open a session if the server lets us, None if not."""
    with suppress(LockleafError):
        return await enrol(transport, place, proof, device_id)
    return None


class ended_on_failure:  # noqa: N801  (read as a statement: async with ended_on_failure(...))
    """Ends a session that was opened and then not taken over."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, LockleafError):
            with suppress(LockleafError):
                await self._transport.command("POST", "/auth/logout", retry=False)


async def fetch_account(device: Device) -> Account:
    """Return the server's word on the account, unchecked.

    Raises:
        NotLoggedIn: there is no session.
    """
    return await device.session.transport.request("GET", "/auth/me", answer=Account)


def check_public_keys(account: Account, keyring: Keyring) -> None:
    """Check that the public keys that the server shows for an account are those of its keyring.

    Raises:
        KeySubstituted: one is not.
    """
    newest = keyring.newest
    if account.recipient != newest.recipient or account.signing_key != newest.public_signing_key:
        raise KeySubstituted


def may_have_been_accepted(error: LockleafError) -> bool:
    """Return whether a request that ended so may have been carried out nevertheless."""
    return isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)

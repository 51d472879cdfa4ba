"""Bodies of logging in, and the list of devices that are."""

from __future__ import annotations

from uuid import UUID

from pydantic import AliasChoices, Field

from lockleaf.wire.account_fields import EmailText, Kdf, Name, Scope
from lockleaf.wire.accounts import Account
from lockleaf.wire.base import Body
from lockleaf.wire.fields import DeviceId, Instant, Secret
from lockleaf.wire.tokens import Tokens

__all__ = [
    "Login",
    "LoginAnswer",
    "Prelogin",
    "PreloginAnswer",
    "Session",
    "Sessions",
]


class Prelogin(Body):
    """Whose key derivation parameters are asked for."""

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))


class PreloginAnswer(Body):
    """Key derivation parameters, real or, for an unknown email, indistinguishable from real ones."""

    kdf: Kdf


class Login(Body):
    """Credentials of a session to open."""

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))
    password: Secret = Field(validation_alias=AliasChoices("password", "h_auth", "auth_secret"))
    device_name: Name | None = None
    device_id: DeviceId | None = None
    scope: Scope | None = Field(default=None, description="Space-separated; absent means all.")


class LoginAnswer(Tokens):
    """A new session, and whose it is."""

    user: Account


class Session(Body):
    """A device that is signed in."""

    id: UUID
    device_id: str | None = None
    device_name: str | None = None
    scope: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    current: bool


class Sessions(Body):
    """The sessions of the account, latest used first."""

    items: tuple[Session, ...]

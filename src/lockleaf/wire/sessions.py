"""Bodies of logging in, and the list of devices that are."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from lockleaf.wire.account_fields import Kdf, Name, Scope
from lockleaf.wire.accounts import Account
from lockleaf.wire.base import Body, Listed
from lockleaf.wire.factors import HasFactor
from lockleaf.wire.fields import DeviceId, Instant, Secret
from lockleaf.wire.identification import SECRET, HasSecret, Identified
from lockleaf.wire.tokens import Tokens

__all__ = [
    "Login",
    "LoginAnswer",
    "Prelogin",
    "PreloginAnswer",
    "Session",
    "Sessions",
]


class Prelogin(Identified):
    """Whose key derivation parameters are asked for."""


class PreloginAnswer(Body):
    """Key derivation parameters and salt, real or, for an unknown account, indistinguishable from real ones."""

    kdf: Kdf
    salt: str | None = Field(default=None, description="As a vault client sent it when it registered.")


class Login(Identified, HasSecret, HasFactor):
    """Credentials of a session to open."""

    password: Secret = Field(validation_alias=SECRET)
    device_name: Name | None = None
    device_id: DeviceId | None = None
    scope: Scope | None = Field(default=None, description="Space-separated; absent means all.")


class LoginAnswer(Tokens):
    """A new session, and whose it is."""

    user: Account
    salt: str | None = None
    vault_id: str | None = None


class Session(Body):
    """A device that is signed in."""

    id: UUID
    device_id: str | None = None
    device_name: str | None = None
    scope: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    opened_with: tuple[str, ...] | None = Field(
        default=None,
        description="What proved its owner: `registration`, `password` or `recovery_code`, and the second factor, if "
        "there was one: `totp`, `passkey`, or `code` for a factor code. Null for a session from before this was noted.",
    )
    current: bool


class Sessions(Listed[Session]):
    """A page of the sessions of the account, latest used first."""

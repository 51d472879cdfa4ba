"""An account: what makes one, what its devices see of it, what ends it (PROTOCOL sections 1 and 2)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AliasChoices, Field

from lockleaf.wire.account_fields import (
    Custody,
    EmailText,
    Kdf,
    KeyringBytes,
    Name,
    PrivacyTier,
    RecipientText,
    RecoverySet,
)
from lockleaf.wire.base import Body
from lockleaf.wire.credentials import Credentials
from lockleaf.wire.fields import Bytes, DeviceId, Digest, Instant, Secret, Sequence64
from lockleaf.wire.profiles import PreferencesChange
from lockleaf.wire.tokens import Tokens

__all__ = [
    "Account",
    "AccountDeletion",
    "Register",
    "Signup",
    "SignupAnswer",
]


class Register(PreferencesChange):
    """A new end-to-end encrypted account.

    Older clients send email and password alone and keep their keys to themselves.
    """

    null_takes_away: ClassVar[bool] = False

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))
    password: Secret = Field(
        validation_alias=AliasChoices("password", "h_auth", "auth_secret"),
        description="The authentication secret derived on the client (base64); opaque here.",
    )
    id: UUID | None = Field(default=None, description="Chosen by the client; required with `keyring`.")
    display_name: Name | None = None
    privacy_tier: PrivacyTier | None = None
    consent_timestamp: Instant | None = Field(
        default=None, description="When the user chose the tier; the time of this request if it is left out."
    )
    kdf: Kdf | None = None
    keyring: KeyringBytes | None = None
    recipient: RecipientText | None = Field(
        default=None,
        validation_alias=AliasChoices("recipient", "public_key"),
        description="An age recipient, or 32 raw X25519 bytes in base64.",
    )
    signing_key: Digest | None = Field(default=None, description="Ed25519 public key.")
    recovery: RecoverySet | None = None
    device_name: Name | None = None
    device_id: DeviceId | None = None


class Signup(Register):
    """A new account in either custody. e2e requires the key fields."""

    encryption_tier: Custody


class SignupAnswer(Tokens):
    """A new account and its first session."""

    id: UUID
    email: str
    display_name: str | None
    timezone: str
    locale: str
    privacy_tier: PrivacyTier
    encryption_tier: Custody
    created_at: Instant
    recovery_codes: tuple[str, ...] | None = None


class Account(Body):
    """The account of the token: custody, tier, and the keys that the client sealed or published."""

    id: UUID
    email: str
    display_name: str | None = None
    timezone: str
    locale: str
    privacy_tier: PrivacyTier
    encryption_tier: Custody
    created_at: Instant
    kdf: Kdf | None = None
    kek_salt: Bytes | None = Field(default=None, description="uce: the salt of the key that seals the keyring.")
    keyring: Bytes | None = None
    keyring_version: Sequence64 = 0
    recipient: str | None = None
    signing_key: Digest | None = None
    rotation_signature: Bytes | None = None
    session_id: UUID | None = None
    device_id: str | None = None


class AccountDeletion(Credentials):
    """Delete the account and everything in it."""

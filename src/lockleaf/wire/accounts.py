"""Bodies of ``/auth`` and ``/users``: accounts, sessions, keys, recovery, profile (PROTOCOL sections 1 and 2)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from annotated_types import Len
from pydantic import AliasChoices, Field, StringConstraints, model_validator

from lockleaf.wire.account_fields import (
    SCOPES,
    Custody,
    EmailText,
    Kdf,
    KeyringBytes,
    Locale,
    Name,
    PrivacyTier,
    RecipientText,
    RecoveryEntry,
    RecoverySet,
    Scope,
    Theme,
    TimeOfDay,
    TimeZone,
)
from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, DeviceId, Digest, Instant, Secret, Sequence64

__all__ = [
    "SCOPES",
    "Account",
    "AccountDeletion",
    "Credentials",
    "Custody",
    "EmailText",
    "FeatureFlags",
    "Features",
    "Kdf",
    "KeyringReplacement",
    "KeyringVersion",
    "Login",
    "LoginAnswer",
    "Name",
    "PasswordChange",
    "Preferences",
    "PreferencesChange",
    "Prelogin",
    "PreloginAnswer",
    "PrivacyTier",
    "Profile",
    "ProfileChange",
    "Recover",
    "RecoveryCodesLeft",
    "RecoveryCodesReplacement",
    "RecoveryEntry",
    "Refresh",
    "Register",
    "RetiredAt",
    "Session",
    "Sessions",
    "Signup",
    "SignupAnswer",
    "Statistics",
    "Storage",
    "Tokens",
    "VerifyRecoveryCode",
    "VerifyRecoveryCodeAnswer",
]


class Preferences(Body):
    """What an application remembers of its user's wishes."""

    daily_word_goal: int | None = None
    writing_reminder_time: str | None = None
    theme_preferences: dict[str, Any] | None = None
    ai_features_enabled: bool = False
    timezone: str = "UTC"
    locale: str = "en"


class PreferencesChange(Body):
    """The preferences to change; absent ones stay."""

    null_takes_away: ClassVar[bool] = True

    daily_word_goal: Annotated[int, Field(ge=0, le=100_000)] | None = None
    writing_reminder_time: TimeOfDay | None = None
    theme_preferences: Theme | None = None
    ai_features_enabled: bool | None = None
    timezone: TimeZone | None = None
    locale: Locale | None = None


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


class Credentials(Body):
    """What proves who is asking, within a request that changes how that is proven."""

    current_password: Secret


class Tokens(Body):
    """The two tokens of a session."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds until the access token expires.")
    scope: str | None = None
    session_id: UUID | None = None


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


class Login(Body):
    """Credentials of a session to open."""

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))
    password: Secret = Field(validation_alias=AliasChoices("password", "h_auth", "auth_secret"))
    device_name: Name | None = None
    device_id: DeviceId | None = None
    scope: Scope | None = Field(default=None, description="Space-separated; absent means all.")


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


class LoginAnswer(Tokens):
    """A new session, and whose it is."""

    user: Account


class Refresh(Body):
    """A refresh token to rotate. The same token with the same ``retry_id`` is answered alike for 60 seconds."""

    refresh_token: Annotated[str, StringConstraints(max_length=2048)]
    retry_id: Annotated[str, StringConstraints(min_length=8, max_length=64)] | None = None


class Prelogin(Body):
    """Whose key derivation parameters are asked for."""

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))


class PreloginAnswer(Body):
    """Key derivation parameters, real or, for an unknown email, indistinguishable from real ones."""

    kdf: Kdf


class PasswordChange(Credentials):
    """A new verifier, with the keyring sealed under the new key."""

    password: Secret = Field(validation_alias=AliasChoices("password", "h_auth", "auth_secret"))
    kdf: Kdf | None = None
    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None


class RetiredAt(Body):
    """The end of the history, where the key that wrote until now ends."""

    epoch: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seq: Sequence64
    head: Digest


class KeyringReplacement(Credentials):
    """The first keyring of an account, or a rotation, with the recovery set that goes with it.

    A rotation brings a new verifier and new parameters, since the salt is drawn anew, and says where the key before
    ends: it is accepted only while the history ends there, and from then on nothing that an older key sealed is.

    In uce the server makes the new key, and `current_password` is all that it needs; `password` changes it.
    """

    password: Secret | None = Field(
        default=None,
        validation_alias=AliasChoices("password", "h_auth", "auth_secret"),
        description="A rotation: the verifier under `kdf`, of a new password or of the present one.",
    )
    key_id: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = Field(
        default=None, description="A rotation: of the new key."
    )
    retired_at: RetiredAt | None = Field(default=None, description="A rotation: the present end of the history.")

    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None
    recipient: RecipientText | None = None
    signing_key: Digest | None = None
    rotation_signature: Annotated[Bytes, Len(64, 64)] | None = Field(
        default=None, description="By the previous signing key over the new pair; required when there is one."
    )
    recovery: RecoverySet | None = None
    kdf: Kdf | None = Field(default=None, description="A rotation, or an account that had none.")


class KeyringVersion(Body):
    """The version under which a keyring is now stored, and after a rotation the session's next tokens."""

    keyring_version: Sequence64
    tokens: Tokens | None = None
    recovery_codes: tuple[str, ...] | None = Field(default=None, description="uce: the new ones, shown once.")


class RecoveryCodesLeft(Body):
    """How many recovery codes are unspent."""

    remaining: int
    created_at: Instant | None = None
    recovery_codes: tuple[str, ...] | None = Field(default=None, description="uce: drawn just now, shown once.")


class RecoveryCodesReplacement(Credentials):
    """A new set of recovery codes; the old set stops working. In uce the server draws it."""

    recovery: RecoverySet | None = None
    base_keyring_version: Sequence64 | None = None


class VerifyRecoveryCode(Body):
    """A verifier derived from a recovery code (e2e), or the code itself (uce)."""

    email: EmailText = Field(validation_alias=AliasChoices("email", "username"))
    verifier: Digest | None = None
    code: Annotated[str, StringConstraints(min_length=20, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.verifier is None) == (self.code is None):
            raise ValueError("either verifier or code is needed")
        return self


class VerifyRecoveryCodeAnswer(Body):
    """The keyring sealed under the code's key, and ten minutes to set new credentials."""

    recovery_token: str
    expires_in: int
    user_id: UUID
    keyring: Bytes
    keyring_version: Sequence64 = Field(description="The version that this keyring was sealed as.")
    current_keyring_version: Sequence64 | None = Field(
        default=None,
        description="The account's version now, which `recover` names as its base: a password may have been changed "
        "since the codes were made.",
    )


class Recover(Body):
    """New credentials after a password was lost."""

    recovery_token: Annotated[str, StringConstraints(max_length=2048)]
    password: Secret = Field(validation_alias=AliasChoices("password", "h_auth", "auth_secret"))
    kdf: Kdf | None = None
    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None
    recovery: RecoverySet | None = None
    device_name: Name | None = None
    device_id: DeviceId | None = None


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


class FeatureFlags(Body):
    """What the account may do on this server."""

    server_search: bool
    blind_search: bool
    integrations: bool
    media: bool
    analytics: bool
    server_decryption: bool
    sync: bool
    live_events: bool


class Storage(Body):
    """Bytes that the account holds, and may hold."""

    used_bytes: int
    limit_bytes: int | None
    media_used_bytes: int = Field(default=0, description="Those of media: uploading and deleted ones count too.")
    media_limit_bytes: int | None = Field(default=None, description="As many may be of media.")


class Features(Body):
    """What is allowed, and how much of the quota is used."""

    encryption_tier: Custody
    privacy_tier: PrivacyTier
    features: FeatureFlags
    storage: Storage


class Statistics(Body):
    """What the server can count without reading."""

    days_analyzed: int
    total_logs: int
    recent_logs: int
    writing_streak: int
    total_words: int | None = None
    avg_words_per_entry: float | None = None


class Profile(Body):
    """The account as its user sees it."""

    id: UUID
    email: str
    display_name: str | None
    timezone: str
    locale: str
    privacy_tier: PrivacyTier
    encryption_tier: Custody
    created_at: Instant
    statistics: Statistics


class ProfileChange(Body):
    """Fields of the profile to change; absent ones stay."""

    null_takes_away: ClassVar[bool] = True

    display_name: Name | None = None
    timezone: TimeZone | None = None
    locale: Locale | None = None


class AccountDeletion(Credentials):
    """Delete the account and everything in it."""

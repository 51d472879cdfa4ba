"""An account: what makes one, what its devices see of it, what ends it (PROTOCOL sections 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AliasChoices, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from lockleaf.wire.account_fields import (
    ClientSalt,
    CustodyChoice,
    Kdf,
    KeyringBytes,
    Name,
    RecipientText,
    RecoverySet,
)
from lockleaf.wire.base import RefusesSome, invalid_field
from lockleaf.wire.credentials import Credentials
from lockleaf.wire.fields import Bytes, DeviceId, Digest, Instant, RecordId, Secret, Sequence64
from lockleaf.wire.identification import PASSWORD, SECRET, HasSecret, Identified, secret_name
from lockleaf.wire.login_names import is_email
from lockleaf.wire.profiles import PreferenceFields, ShownAccount
from lockleaf.wire.tiers import PrivacyTier
from lockleaf.wire.tokens import Tokens

Invitation = Annotated[str, Field(min_length=1, max_length=64)]
"""A code as a person types it."""

__all__ = [
    "Account",
    "AccountDeletion",
    "Register",
    "Signup",
    "SignupAnswer",
]


class Register(PreferenceFields, Identified, HasSecret, RefusesSome):
    """A new end-to-end encrypted account.

    Older clients send email and password alone and keep their keys to themselves. A vault client calls its account by a
    name, or its secret an authentication hash: it is there to store blobs, so its account syncs from the beginning.
    """

    refused: ClassVar[Mapping[str, str]] = {"he_public_key": "PUT /users/me/privacy registers it"}
    asks_for_nothing: ClassVar[Mapping[str, str]] = {"encryption_tier": "e2e, which this makes: uce is refused below"}
    _secret_name: str = PrivateAttr(default=PASSWORD)

    password: Secret = Field(
        validation_alias=SECRET,
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
    salt: ClientSalt | None = Field(
        default=None, description="With which a vault client derives its secret: kept, and given back by prelogin."
    )
    vault_id: RecordId | None = Field(default=None, description="Of a vault client's blob: kept, and given back.")
    device_name: Name | None = None
    device_id: DeviceId | None = None
    invitation: Invitation | None = Field(
        default=None, description="A code of the operator's; asked for where accounts are made by invitation."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _note_the_name_of_the_secret(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls is Register and isinstance(data, dict) and str(data.get("encryption_tier") or "e2e").lower() != "e2e":
            raise invalid_field("encryption_tier", "this makes e2e accounts; POST /auth/signup makes uce ones")
        made = handler(data)
        made._secret_name = secret_name(data)
        return made

    @property
    def is_of_a_vault_client(self) -> bool:
        """Whether the account has a name in place of an email, or its secret another name than `password`."""
        return not is_email(self.login_name) or self._secret_name != PASSWORD


class Signup(Register):
    """A new account in either custody. e2e requires the key fields, or `public_key` alone.

    A diary client that gives its public key alone keeps its other keys to itself.
    """

    encryption_tier: CustodyChoice


class SignupAnswer(ShownAccount, Tokens):
    """A new account and its first session."""

    salt: str | None = None
    vault_id: str | None = None
    recovery_codes: tuple[str, ...] | None = None


class Account(ShownAccount):
    """The account of the token: custody, tier, and the keys that the client sealed or published."""

    user_id: UUID | None = Field(default=None, description="The same as `id`.")
    display_name: str | None = None
    kdf: Kdf | None = None
    kek_salt: Bytes | None = Field(default=None, description="uce: the salt of the key that seals the keyring.")
    keyring: Bytes | None = None
    keyring_version: Sequence64 = 0
    recipient: str | None = None
    signing_key: Digest | None = None
    rotation_signature: Bytes | None = None
    salt: str | None = None
    vault_id: str | None = None
    session_id: UUID | None = None
    device_id: str | None = None


class AccountDeletion(Credentials):
    """Delete the account and everything in it."""

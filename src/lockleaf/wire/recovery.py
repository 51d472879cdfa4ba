"""Bodies of recovery codes: how many are left, new ones, and coming back with one (PROTOCOL section 2)."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from lockleaf.wire.account_fields import ClientSalt, Kdf, KeyringBytes, Name, RecoverySet
from lockleaf.wire.base import Body
from lockleaf.wire.credentials import Credentials
from lockleaf.wire.factors import HasFactor
from lockleaf.wire.fields import Bytes, DeviceId, Digest, Instant, Secret, Sequence64
from lockleaf.wire.identification import SECRET, HasSecret, Identified

__all__ = [
    "Recover",
    "RecoveryCodesLeft",
    "RecoveryCodesReplacement",
    "VerifyRecoveryCode",
    "VerifyRecoveryCodeAnswer",
]


class RecoveryCodesLeft(Body):
    """How many recovery codes are unspent."""

    remaining: int
    created_at: Instant | None = None
    recovery_codes: tuple[str, ...] | None = Field(default=None, description="Where the server drew them: shown once.")


class RecoveryCodesReplacement(Credentials):
    """A new set of recovery codes; the old set stops working. Where the client has no keyring, the server draws it."""

    recovery: RecoverySet | None = None
    base_keyring_version: Sequence64 | None = None


class VerifyRecoveryCode(Identified, HasFactor):
    """A verifier derived from a recovery code, or the code itself where the server drew it."""

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
    keyring: Bytes | None = Field(default=None, description="Null for an account without a keyring.")
    keyring_version: Sequence64 = Field(description="The version that this keyring was sealed as.")
    current_keyring_version: Sequence64 | None = Field(
        default=None,
        description="The account's version now, which `recover` names as its base: a password may have been changed "
        "since the codes were made.",
    )


class Recover(HasSecret, HasFactor):
    """New credentials after a password was lost."""

    recovery_token: Annotated[str, StringConstraints(max_length=2048)]
    password: Secret = Field(validation_alias=SECRET)
    kdf: Kdf | None = None
    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None
    recovery: RecoverySet | None = None
    salt: ClientSalt | None = Field(default=None, description="A vault client's new one.")
    device_name: Name | None = None
    device_id: DeviceId | None = None

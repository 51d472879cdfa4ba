"""Bodies that change what proves who is asking, and what opens the keys (PROTOCOL section 2)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Len
from pydantic import Field, StringConstraints

from lockleaf.wire.account_fields import ClientSalt, Kdf, KeyringBytes, RecipientText, RecoverySet
from lockleaf.wire.base import Body
from lockleaf.wire.factors import HasFactor, NamedFactor
from lockleaf.wire.fields import Bytes, Digest, Secret, Sequence64
from lockleaf.wire.identification import SECRET, HasSecret
from lockleaf.wire.tokens import Tokens

__all__ = [
    "Credentials",
    "FactorBeginning",
    "HistoryPlace",
    "KeyringReplacement",
    "KeyringVersion",
    "PasswordChange",
]


class Credentials(HasFactor):
    """What proves who is asking, within a request that changes how that is proven."""

    current_password: Secret


LaterVersion = Annotated[
    int,
    Field(
        ge=1,
        le=2**31 - 1,
        description="Of this keyring, if it is not `base_keyring_version` + 1: after a restore one more than the"
        " highest that a device had seen; at most 10,000 beyond the present one.",
    ),
]


class PasswordChange(Credentials, HasSecret):
    """A new verifier, with the keyring sealed under the new key."""

    password: Secret = Field(validation_alias=SECRET)
    kdf: Kdf | None = None
    salt: ClientSalt | None = Field(default=None, description="A vault client's new one.")
    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None
    keyring_version: LaterVersion | None = None


class HistoryPlace(Body):
    """The end of the history, where the key that wrote until now ends."""

    epoch: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    seq: Sequence64
    head: Digest


class KeyringReplacement(Credentials, HasSecret):
    """The first keyring of an account, or a rotation, with the recovery set that goes with it.

    A rotation brings a new verifier and new parameters, since the salt is drawn anew, and says where the key before
    ends: it is accepted only while the history ends there, and from then on nothing that an older key sealed is.

    In uce the server makes the new key, and `current_password` is all that it needs; `password` changes it.
    """

    password: Secret | None = Field(
        default=None,
        validation_alias=SECRET,
        description="A rotation: the verifier under `kdf`, of a new password or of the present one.",
    )
    key_id: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = Field(
        default=None, description="A rotation: of the new key."
    )
    retired_at: HistoryPlace | None = Field(default=None, description="A rotation: the present end of the history.")

    keyring: KeyringBytes | None = None
    base_keyring_version: Sequence64 | None = None
    keyring_version: LaterVersion | None = None
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


class FactorBeginning(NamedFactor, Credentials):
    """A second factor to be added."""

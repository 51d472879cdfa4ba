"""Bodies of ``/users/me/privacy``: how much of an account leaves its devices."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Len
from pydantic import Field

from lockleaf.wire.base import Body
from lockleaf.wire.epochs import Statement
from lockleaf.wire.factors import HasFactor
from lockleaf.wire.fields import Bytes, Instant, Secret
from lockleaf.wire.tiers import PrivacyTier

__all__ = [
    "MAX_PUBLIC_CONTEXT_BYTES",
    "DeletedCounts",
    "FeaturesAvailable",
    "Privacy",
    "PrivacyChange",
    "PrivacyChanged",
    "PrivacyRevocation",
    "PrivacyRevoked",
]

MAX_PUBLIC_CONTEXT_BYTES = 12 * 1024 * 1024
"""More than a public context with relinearisation keys takes in any of the named parameter sets."""


class PrivacyChange(HasFactor):
    """The tier that the user chooses, when they did, and the key under which metrics are encrypted."""

    privacy_tier: PrivacyTier
    consent_timestamp: Instant | None = Field(
        default=None,
        description="When the user chose so: before the account was made, too. Needed to raise the tier, and to "
        "register a key.",
    )
    he_public_key: Annotated[Bytes, Len(1, MAX_PUBLIC_CONTEXT_BYTES)] | None = Field(
        default=None,
        description="SEAL's own public key (`PublicKey.save()`): then answers are SEAL's own ciphertexts. Or a "
        "serialised public TenSEAL context. It comes with the tier, or later with the present one, before the first "
        "metric, and takes the place of the one of the same parameter set.",
    )
    epoch_end: Statement | None = Field(
        default=None,
        description="Where the tier is lowered from `full_sync`: the signed end of the account's epoch, with the name "
        "of the next. Without it the account's other devices ask their users before they go on.",
    )
    current_password: Secret | None = Field(
        default=None, description="The account's current secret. Needed to lower the tier of an account with a keyring."
    )


class PrivacyRevocation(HasFactor):
    """What proves that the account's owner takes everything back."""

    current_password: Secret | None = Field(
        default=None, description="The account's current secret. Needed where the account has a keyring."
    )


class FeaturesAvailable(Body):
    """What works at a tier."""

    local_storage: bool = True
    local_themes: bool = True
    local_search: bool = True
    cloud_sync: bool
    cross_device_search: bool
    encrypted_backup: bool
    analytics_sync: bool


class DeletedCounts(Body):
    """What the server deleted because the new tier does not hold it. ``backups``: records of any collection."""

    metrics: int = 0
    backups: int = 0
    conflicts: int = 0
    media: int = 0


class Privacy(Body):
    """The present tier, and what works with it."""

    current_tier: PrivacyTier
    sync_enabled: bool = Field(description="Whether anything but the account itself leaves the device.")
    sync_enabled_at: Instant | None = Field(description="When the user chose the present tier, if it is.")
    he_public_key_registered: bool
    features_available: FeaturesAvailable


class PrivacyChanged(Privacy):
    """The tier as it is now, and what went with the one before."""

    deleted: DeletedCounts


class PrivacyRevoked(Body):
    """Nothing but the account is left on the server."""

    message: str
    new_tier: PrivacyTier
    deleted_metrics: int
    deleted_backups: int
    deleted_conflicts: int
    deleted_media: int

"""Bodies of ``/users/me`` and ``/auth/features``: what is known of a person, what they prefer, what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field

from lockleaf.wire.account_fields import Locale, Name, Theme, TimeOfDay, TimeZone
from lockleaf.wire.base import OF_THE_SERVER, Body, RefusesSome
from lockleaf.wire.fields import Instant
from lockleaf.wire.identification import SECRET_NAMES
from lockleaf.wire.tiers import Custody, PrivacyTier

__all__ = [
    "FeatureFlags",
    "Features",
    "PreferenceFields",
    "Preferences",
    "PreferencesChange",
    "Profile",
    "ProfileChange",
    "ShownAccount",
    "Statistics",
    "Storage",
]

_OF_THE_ACCOUNT = {
    **dict.fromkeys(SECRET_NAMES, "PUT /auth/password changes it, with the present one as `current_password`"),
    **dict.fromkeys(("email", "username"), "an account keeps the email or the name that it was made with"),
    "encryption_tier": "an account stays in the custody in which it was made",
    "privacy_tier": "PUT /users/me/privacy changes it",
}


class Preferences(Body):
    """What an application remembers of its user's wishes."""

    daily_word_goal: int | None = None
    writing_reminder_time: str | None = None
    theme_preferences: dict[str, Any] | None = None
    ai_features_enabled: bool = False
    timezone: str = "UTC"
    locale: str = "en"


class PreferenceFields(Body):
    """Preferences as a client may give them."""

    daily_word_goal: Annotated[int, Field(ge=0, le=100_000)] | None = None
    writing_reminder_time: TimeOfDay | None = None
    theme_preferences: Theme | None = None
    ai_features_enabled: bool | None = None
    timezone: TimeZone | None = None
    locale: Locale | None = None


class PreferencesChange(PreferenceFields, RefusesSome):
    """The preferences to change; absent ones stay."""

    null_takes_away: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = {"display_name": "PUT /users/me changes it", **_OF_THE_ACCOUNT}


class Statistics(Body):
    """What the server can count without reading."""

    days_analyzed: int
    total_logs: int
    recent_logs: int
    writing_streak: int
    total_words: int | None = None
    avg_words_per_entry: float | None = None


class ShownAccount(Body):
    """What every answer about an account says of it."""

    id: UUID
    email: str | None = None
    username: str | None = Field(default=None, description="Of an account that has a name, and no email.")
    display_name: str | None
    timezone: str
    locale: str
    privacy_tier: PrivacyTier
    encryption_tier: Custody
    created_at: Instant


class Profile(ShownAccount):
    """The account as its user sees it. Some of it is said twice, as diary clients look for it."""

    user_id: UUID | None = Field(default=None, description="The same as `id`.")
    statistics: Statistics
    updated_at: Instant | None = None
    daily_word_goal: int | None = None
    logs_count: int | None = Field(default=None, description="`statistics.total_logs`")
    writing_streak: int | None = Field(default=None, description="`statistics.writing_streak`")
    total_words_written: int | None = Field(default=None, description="Null: the server does not count words.")


class ProfileChange(PreferenceFields, RefusesSome):
    """Fields of the profile to change, preferences among them; absent ones stay."""

    null_takes_away: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = _OF_THE_ACCOUNT
    asks_for_nothing: ClassVar[Mapping[str, str]] = {
        **OF_THE_SERVER,
        **dict.fromkeys(
            ("statistics", "logs_count", "writing_streak", "total_words_written"), "the server counts, and shows it"
        ),
    }

    display_name: Name | None = None


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

"""What an account says of itself: to its devices, to its user, and what its user changes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.accounts.models import Account
from lockleaf.server.identity.accounts.prelogin import kdf_from_stored
from lockleaf.server.identity.accounts.repository import AccountRepository
from lockleaf.server.platform.db.engine import driver
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records import service as records
from lockleaf.server.records.quota import Quota
from lockleaf.wire.accounts import Account as AccountBody
from lockleaf.wire.login_names import is_email
from lockleaf.wire.profiles import (
    FeatureFlags,
    Features,
    PreferenceFields,
    Preferences,
    Profile,
    ProfileChange,
    Statistics,
    Storage,
)
from lockleaf.wire.tiers import PrivacyTier

__all__ = [
    "change_preferences",
    "change_profile",
    "describe",
    "features",
    "given_preferences",
    "preferences",
    "profile",
    "shown_at_signup",
    "statistics",
]

PREFERENCES = ("daily_word_goal", "writing_reminder_time", "theme_preferences", "ai_features_enabled")
"""The preferences beside time zone and locale, which stand in the profile too."""


def given_preferences(body: PreferenceFields) -> dict[str, Any]:
    """Return the preferences that a body gives, as they are stored."""
    return {name: value for name in PREFERENCES if (value := getattr(body, name)) is not None}


async def describe(
    session: AsyncSession, account: Account, *, session_id: UUID | None = None, device_id: str | None = None
) -> AccountBody:
    """Return the account as its own devices see it."""
    signature = None
    if account.keyring_version > 1:
        signature = await AccountRepository(session, account.user_id).rotation_signature()
    return AccountBody(
        **_shown(account),
        kdf=None if account.kdf is None else kdf_from_stored(account.kdf),
        kek_salt=account.kek_salt,
        keyring=account.keyring,
        keyring_version=account.keyring_version,
        recipient=account.recipient,
        signing_key=account.signing_key,
        rotation_signature=signature,
        salt=account.salt,
        vault_id=account.vault_id,
        session_id=session_id,
        device_id=device_id,
    )


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.user_id,
        "user_id": account.user_id,
        "email": account.email_shown if is_email(account.email) else None,
        "username": None if is_email(account.email) else account.email_shown,
        "display_name": account.display_name,
        "timezone": account.timezone,
        "locale": account.locale,
        "privacy_tier": account.privacy_tier,
        "encryption_tier": account.custody,
        "created_at": account.created_at,
    }


def shown_at_signup(account: Account) -> dict[str, Any]:
    """Return what the answer to a registration says of the account."""
    return {**_shown(account), "salt": account.salt, "vault_id": account.vault_id}


async def features(
    session: AsyncSession, account: Account, settings: Settings, quota: Quota, *, searchable: bool
) -> Features:
    """Return what the account may do on this server, and its quota.

    Arguments:
        quota: how much of this server the account may use.
        searchable: whether the server keeps an index of the account's words.
    """
    sync = account.privacy_tier == "full_sync"
    connection = await driver(session)
    used = await quota.bytes_used(connection, account.user_id)
    media = await quota.bytes_used_by("media", connection, account.user_id)
    return Features(
        encryption_tier=_custody(account),
        privacy_tier=_tier(account),
        features=FeatureFlags(
            server_search=sync and searchable and account.custody == "uce",
            blind_search=sync and searchable and account.custody == "e2e",
            integrations=sync and account.recipient is not None,
            media=sync,
            analytics=account.privacy_tier != "local_only",
            server_decryption=account.custody == "uce",
            sync=sync,
            live_events=sync,
        ),
        storage=Storage(
            used_bytes=used,
            limit_bytes=await quota.limit_of(connection, account.user_id),
            media_used_bytes=media,
            media_limit_bytes=settings.media.quota_bytes(account.custody),
        ),
    )


async def profile(session: AsyncSession, account: Account, *, days: int, now: datetime) -> Profile:
    """Return the account as its user sees it."""
    counted = await statistics(session, account, days=days, now=now)
    return Profile(
        **_shown(account),
        statistics=counted,
        updated_at=account.updated_at,
        daily_word_goal=account.preferences.get("daily_word_goal"),
        logs_count=counted.total_logs,
        writing_streak=counted.writing_streak,
        total_words_written=counted.total_words,
    )


async def statistics(session: AsyncSession, account: Account, *, days: int, now: datetime) -> Statistics:
    """Count what can be counted without reading, in the days of the user's time zone."""
    counts = await records.statistics(session, account.user_id, days=days, timezone=account.timezone, now=now)
    return Statistics(
        days_analyzed=days, total_logs=counts.total, recent_logs=counts.recent, writing_streak=counts.streak
    )


def change_profile(account: Account, body: ProfileChange, *, now: datetime) -> None:
    """Change what ``body`` names. A display name can be taken away, time zone and locale only replaced."""
    if "display_name" in body.model_fields_set:
        account.display_name = body.display_name
    change_preferences(account, body, now=now)


def preferences(account: Account) -> Preferences:
    """Return all preferences."""
    return Preferences(**account.preferences, timezone=account.timezone, locale=account.locale)


def change_preferences(account: Account, body: PreferenceFields, *, now: datetime) -> Preferences:
    """Change what ``body`` names, and return the whole; null puts a preference back to what it is without one."""
    changed = dict(account.preferences)
    for name in PREFERENCES:
        if name in body.model_fields_set:
            changed[name] = getattr(body, name)
    account.preferences = {name: value for name, value in changed.items() if value is not None}
    account.timezone = body.timezone or account.timezone
    account.locale = body.locale or account.locale
    account.updated_at = now
    return preferences(account)


def _custody(account: Account) -> Literal["e2e", "uce"]:
    return "e2e" if account.custody == "e2e" else "uce"


def _tier(account: Account) -> PrivacyTier:
    tier: Any = account.privacy_tier
    found: PrivacyTier = tier
    return found

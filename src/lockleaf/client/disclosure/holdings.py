"""What the server says that it has of an account, as facts under headings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import RootModel

from lockleaf.client.disclosure.facts import Fact, FactGroup
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.lists import fetch_list
from lockleaf.wire.accounts import Account
from lockleaf.wire.analytics import Metrics
from lockleaf.wire.backups import Backups
from lockleaf.wire.base import Body, Listed
from lockleaf.wire.conflicts import Conflicts
from lockleaf.wire.custody import Access, AccessHistory
from lockleaf.wire.factors import FactorList
from lockleaf.wire.inbox import Inbox
from lockleaf.wire.integrations import Integration, Integrations
from lockleaf.wire.jobs import Jobs
from lockleaf.wire.media import MediaList
from lockleaf.wire.privacy import Privacy
from lockleaf.wire.profiles import Features, Preferences, Profile
from lockleaf.wire.recovery import RecoveryCodesLeft
from lockleaf.wire.search import SearchIndex
from lockleaf.wire.sessions import Session, Sessions
from lockleaf.wire.vault import Vaults

__all__ = ["Answers", "JournalAnswers", "access_group", "fetch_access", "fetch_answers", "groups_of"]

M = TypeVar("M", bound=Body)
_CUSTODY = {"e2e": "end-to-end encryption (e2e)", "uce": "user-controlled encryption (uce)"}
_TIERS = {
    "local_only": "local_only: the account, and nothing of the journal",
    "analytics_sync": "analytics_sync: the account, and encrypted numbers",
    "full_sync": "full_sync: the account, encrypted numbers, and the encrypted journal",
}


class _Tags(RootModel[tuple[Any, ...]]):
    """The tags, as the server has them."""


@dataclass(frozen=True, slots=True)
class JournalAnswers:
    """What the server says of a journal that it holds: mostly how many there are."""

    tags: int
    media: int
    inbox: int
    conflicts: int
    vaults: int
    backups: int
    index: SearchIndex
    networks: tuple[Integration, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server says of an account; ``metrics`` and ``journal`` where the tier holds any."""

    account: Account
    profile: Profile
    preferences: Preferences
    features: Features
    privacy: Privacy
    sessions: tuple[Session, ...]
    factors: FactorList
    recovery_codes: int
    jobs: int
    metrics: int | None
    journal: JournalAnswers | None


async def fetch_answers(transport: Transport) -> Answers:
    """Ask the server for all that it shows of the account.

    Raises:
        TransportError, ApiError: it cannot be reached, or refuses.
    """

    async def ask(path: str, answer: type[M]) -> M:
        return await transport.request("GET", path, answer=answer)

    privacy = await ask("/users/me/privacy", Privacy)
    account, profile, preferences, features = await asyncio.gather(
        ask("/auth/me", Account),
        ask("/users/me", Profile),
        ask("/users/me/preferences", Preferences),
        ask("/auth/features", Features),
    )
    sessions, factors, codes, jobs = await asyncio.gather(
        fetch_list(transport, "/auth/sessions", Sessions),
        ask("/auth/factors", FactorList),
        ask("/auth/recovery-codes", RecoveryCodesLeft),
        _total(transport, "/jobs", Jobs),
    )
    counted = privacy.current_tier != "local_only"
    return Answers(
        account=account,
        profile=profile,
        preferences=preferences,
        features=features,
        privacy=privacy,
        sessions=tuple(sessions),
        factors=factors,
        recovery_codes=codes.remaining,
        jobs=jobs,
        metrics=await _total(transport, "/encryption/metrics", Metrics) if counted else None,
        journal=await _journal(transport) if privacy.current_tier == "full_sync" else None,
    )


async def _journal(transport: Transport) -> JournalAnswers:
    tags, media, inbox, vaults = await asyncio.gather(
        transport.request("GET", "/tags", answer=_Tags),
        _total(transport, "/media", MediaList),
        _total(transport, "/inbox", Inbox),
        _total(transport, "/vault", Vaults),
    )
    one: dict[str, str | int] = {"limit": 1}
    conflicts, backups, index, networks = await asyncio.gather(
        transport.request("GET", "/sync/conflicts", answer=Conflicts, params=one),
        transport.request("GET", "/sync/backups", answer=Backups, params=one),
        transport.request("GET", "/search/stats", answer=SearchIndex),
        fetch_list(transport, "/integrations", Integrations),
    )
    return JournalAnswers(
        tags=len(tags.root),
        media=media,
        inbox=inbox,
        conflicts=conflicts.total_count,
        vaults=vaults,
        backups=backups.total_count,
        index=index,
        networks=tuple(networks),
    )


async def _total(transport: Transport, path: str, answer: type[Listed[Any]]) -> int:
    """Return how many items a list has."""
    page = await transport.request("GET", path, answer=answer, params={"page": 1, "page_size": 1})
    return page.total or 0


async def fetch_access(transport: Transport) -> tuple[Access, ...]:
    """Return when the server opened content of the account, by its own word; of an e2e account there is none."""
    return tuple(await fetch_list(transport, "/users/me/access", AccessHistory))


def groups_of(said: Answers) -> tuple[FactGroup, ...]:
    """Return what the server has, under headings."""
    return (
        FactGroup("Who you are to it", tuple(_identity(said))),
        FactGroup("What it has for your keys", tuple(_keys(said))),
        FactGroup("Devices that are signed in, and when each was last there", tuple(_devices(said))),
        FactGroup("What it holds, and can count", tuple(_counts(said))),
    )


def access_group(access: tuple[Access, ...]) -> FactGroup:
    """Return how often the server opened content of the account, as it says itself."""
    facts = [
        Fact("Times that it opened your keys for a request", sum(each.openings for each in access), "count"),
        Fact("Records that it opened or sealed then", sum(each.records for each in access), "count"),
        Fact("Last time", max((each.last_at for each in access), default=None), "time"),
    ]
    return FactGroup("When it opened your journal, by its own word", tuple(facts))


def _identity(said: Answers) -> Iterator[Fact]:
    account, wishes = said.account, said.preferences
    if account.email is not None:
        yield Fact("Email address", account.email)
    if account.username is not None:
        yield Fact("Name to log in with", account.username)
    yield Fact("Display name", account.display_name)
    yield Fact("Time zone", account.timezone)
    yield Fact("Language", account.locale)
    yield Fact("Account made", account.created_at, "time")
    yield Fact("Custody", _CUSTODY[account.encryption_tier])
    yield Fact("Privacy tier", _TIERS[said.privacy.current_tier])
    if said.privacy.sync_enabled_at is not None:
        yield Fact("Tier chosen", said.privacy.sync_enabled_at, "time")
    if wishes.daily_word_goal is not None:
        yield Fact("Words a day", wishes.daily_word_goal, "count")
    if wishes.writing_reminder_time is not None:
        yield Fact("Reminder", wishes.writing_reminder_time)
    if wishes.theme_preferences:
        yield Fact("Theme", ", ".join(sorted(wishes.theme_preferences)))
    if said.journal is not None:
        for network in said.journal.networks:
            name = " at ".join(filter(None, (network.name, network.instance)))
            yield Fact(f"Connected: {network.provider}", name or None)


def _keys(said: Answers) -> Iterator[Fact]:
    account, kdf = said.account, said.account.kdf
    if kdf is not None:
        memory = "" if kdf.memory_kib is None else f", {kdf.memory_kib // 1024} MiB"
        yield Fact("How keys are derived from your password", f"{kdf.algorithm}{memory}, iterations: {kdf.iterations}")
    if account.keyring is not None:
        yield Fact("Keyring, sealed", len(account.keyring), "bytes")
    if account.recipient is not None:
        yield Fact("Public key", account.recipient)
    yield Fact("Recovery codes that are left, as hashes", said.recovery_codes, "count")
    for factor in said.factors.items:
        kind = "Authenticator app" if factor.kind == "totp" else "Security key"
        yield Fact(f"{kind}, added", factor.created_at, "time")
        yield Fact("What you call it", factor.name)
    if said.factors.items:
        yield Fact("Factor codes that are left", said.factors.codes_left, "count")
    yield Fact("Public key for encrypted numbers", "registered" if said.privacy.he_public_key_registered else None)


def _devices(said: Answers) -> Iterator[Fact]:
    for session in said.sessions:
        name = session.device_name or "A device without a name"
        yield Fact(f"{name} (this one)" if session.current else name, session.last_used_at, "time")


def _counts(said: Answers) -> Iterator[Fact]:
    storage = said.features.storage
    yield Fact("Stored, all in all", storage.used_bytes, "bytes")
    yield Fact("Background jobs", said.jobs, "count")
    if said.metrics is not None:
        yield Fact("Encrypted numbers (ciphertexts)", said.metrics, "count")
    journal = said.journal
    if journal is None:
        return
    yield Fact("Entries", said.profile.statistics.total_logs, "count")
    yield Fact("Days in a row on which one was written", said.profile.statistics.writing_streak, "count")
    yield Fact("Tags", journal.tags, "count")
    yield Fact("Attached files", journal.media, "count")
    yield Fact("Stored, of attached files", storage.media_used_bytes, "bytes")
    yield Fact("Open conflicts", journal.conflicts, "count")
    yield Fact("Waiting in the inbox", journal.inbox, "count")
    if journal.vaults:
        yield Fact("Blobs of a vault", journal.vaults, "count")
    if journal.backups:
        yield Fact("Backups of other applications", journal.backups, "count")
    if journal.index.enabled:
        yield Fact("Digests of words in its search index", journal.index.tokens, "count")
    else:
        yield Fact("Search index", None)

"""The whole of what a server holds of an account and can see of it: fetched from it now, nothing assumed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.disclosure.facts import FactGroup, Visibility
from lockleaf.client.disclosure.holdings import access_group, fetch_access, fetch_answers, groups_of
from lockleaf.client.disclosure.stored_entries import StoredEntry, fetch_stored
from lockleaf.client.disclosure.visibility import Circumstances, visibility_of
from lockleaf.client.profile.profiles import CustodyName
from lockleaf.client.records import labels
from lockleaf.client.records.entries import Entry
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["ServerView", "fetch_server_view"]


@dataclass(frozen=True, slots=True)
class ServerView:
    """What the server of an account has and can see.

    Attributes:
        server: its address.
        custody: as this device remembers it.
        tier: as the server says.
        entries: some entries as it stores them; none below ``full_sync``.
        groups: the facts that it has.
        visibility: what it can see and what it cannot.
    """

    server: str
    custody: CustodyName
    tier: PrivacyTier
    entries: tuple[StoredEntry, ...]
    groups: tuple[FactGroup, ...]
    visibility: tuple[Visibility, ...]


async def fetch_server_view(opened: OpenAccount, newest: Sequence[Entry], limit: int) -> ServerView:
    """Ask the server for what it has; see `Client.server_view`.

    Args:
        newest: of this device.
    """
    profile = opened.profile
    said = await fetch_answers(opened.transport)
    tier, journal = said.privacy.current_tier, said.journal
    entries: tuple[StoredEntry, ...] = ()
    if journal is not None and limit:
        devices = {each.device_id: each.device_name for each in said.sessions if each.device_id and each.device_name}
        entries = await fetch_stored(opened, newest, limit, devices)
    groups = groups_of(said)
    if profile.opened_by_server:
        # Last, so that it tells of what this view itself had the server open.
        groups = (*groups, access_group(await fetch_access(opened.transport)))
    now = Circumstances(
        tier,
        profile.opened_by_server,
        labels=profile.opened_by_server or await asyncio.to_thread(labels.is_on, opened.store),
        dates=profile.share_dates,
        index=journal is not None and journal.index.enabled,
        networks=journal is not None and bool(journal.networks),
    )
    return ServerView(profile.server, profile.custody, tier, entries, groups, visibility_of(now))

"""How much leaves this device: reading and changing the account's privacy tier."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from lockleaf.client.device import Device
from lockleaf.client.metrics.state import State, prepared_pair
from lockleaf.client.store import LocalStore
from lockleaf.wire.accounts import PrivacyTier
from lockleaf.wire.privacy import Privacy, PrivacyChange, PrivacyChanged

__all__ = ["TIERS", "change", "show"]

TIERS: Final = ("local_only", "analytics_sync", "full_sync")
"""The tiers, each leaving more on the server than the one before."""


def want(store: LocalStore) -> None:
    """Have the account's sums begun with the next sync, if no device has begun them."""
    with store.transaction():
        replace(State.load(store), wanted=True).save(store)


async def show(device: Device) -> Privacy:
    """Return the account's tier; see `Client.privacy`."""
    return await device.session.transport.request("GET", "/users/me/privacy", answer=Privacy)


async def change(device: Device, tier: PrivacyTier, he_public_key: bytes | None) -> PrivacyChanged:
    """Set the account's tier; see `Client.set_privacy_tier`."""
    session = device.session
    present = await show(device)
    rises = TIERS.index(tier) > TIERS.index(present.current_tier)
    if rises and he_public_key is None and not present.he_public_key_registered:
        _, he_public_key = await asyncio.to_thread(prepared_pair, session.store)
        await asyncio.to_thread(want, session.store)
    if "full_sync" in (tier, present.current_tier) and tier != present.current_tier:
        # Before it is asked for: an answer that is lost must not leave this device astonished at an empty server.
        await asyncio.to_thread(session.store.history.expect_emptied)
    body = PrivacyChange(privacy_tier=tier, consent_timestamp=device.clock(), he_public_key=he_public_key)
    return await session.transport.request("PUT", "/users/me/privacy", body=body, answer=PrivacyChanged)

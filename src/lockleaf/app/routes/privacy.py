"""How much the server holds, and what goes from it when that is less."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.gathering import gathered
from lockleaf.app.models.account import TierChange, TierChanged
from lockleaf.app.proving import with_factor
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()


@endpoints.add("GET", "/account/tier")
async def get_tier(call: Call[None]) -> TierChanged:
    """Return how much the server holds, as it says."""
    return TierChanged(tier=(await call.desk.client.privacy.tier()).current_tier, deletes={})


@endpoints.add("POST", "/account/tier")
async def change_tier(call: Call[TierChange]) -> TierChanged:
    """Choose how much the server holds; a dry run fetches what only the server has, and says what it would delete."""
    given, privacy = call.body, call.desk.client.privacy
    present = (await privacy.tier()).current_tier
    lower = sdk.TIERS.index(given.tier) < sdk.TIERS.index(present)
    async with call.desk.without_sync():
        deletes, lost = await _lost(call.desk, present, given.tier) if lower else ({}, 0)
        if given.dry_run:
            return TierChanged(tier=present, deletes=deletes, lost=lost)
        with with_factor(call.desk, given.factor):
            changed = await privacy.set_tier(given.tier, password=given.password)
    await call.desk.tell_state()
    return TierChanged(tier=changed.current_tier, deletes=changed.deleted.model_dump(), lost=lost)


async def _lost(desk: Desk, present: sdk.PrivacyTier, tier: sdk.PrivacyTier) -> tuple[dict[str, int | None], int]:
    """Fetch what only the server has, and return what it would delete, as this device knows it.

    Beside it stands how many attached files would be nowhere any more. How many ciphertexts the server's sums are
    nobody here knows: None.
    """
    deletes: dict[str, int | None] = {}
    lost = 0
    if present == "full_sync":
        found = await gathered(desk)
        lost = found.lost
        deletes = {
            "entries": found.entries,
            "tags": found.tags,
            "media": found.media,
            "conflicts": found.conflicts,
            "inbox": found.inbox,
        }
    if tier == "local_only":
        deletes["metrics"] = None
    return deletes, lost

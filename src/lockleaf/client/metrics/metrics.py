"""What the client does with metrics, put together: see the methods of `Client`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

from lockleaf.client.account import privacy_tiers
from lockleaf.client.device.device import Device
from lockleaf.client.errors import MetricsOff, MetricsOutdated, MetricsUnreadable
from lockleaf.client.metrics.stats import Query, from_device, from_server
from lockleaf.client.metrics.summary import By, Stats
from lockleaf.client.metrics.sums import EncryptedSums, MetricsReport
from lockleaf.client.records.entries import date_text
from lockleaf.client.sync.synchroniser import Synchroniser

__all__ = ["count", "send", "stats", "tally"]

MakeSynchroniser = Callable[[EncryptedSums], Synchroniser]


def tally(device: Device, *, again: bool = False) -> EncryptedSums:
    """Return the sums of the account that is logged in.

    Raises:
        NotLoggedIn: none is.
    """
    session = device.session
    return EncryptedSums(
        session.store,
        session.transport,
        user_id=str(session.profile.user_id),
        device_id=session.profile.device_id,
        clock=device.clock,
        again=again,
    )


async def stats(
    device: Device, metric: str, by: By, since: date | str | None, until: date | str | None, *, local: bool
) -> Stats:
    """See `Client.stats`."""
    query = Query.of(metric, by, _day(since), _day(until))
    if local:
        return await asyncio.to_thread(from_device, device.opened.store, query)
    session = device.session
    # Always, and first: asked only where the sums cannot be read, it would tell the server what they decrypt to.
    outdated = await tally(device).is_outdated()
    try:
        found = await from_server(session.store, session.transport, query)
    except (MetricsOff, MetricsUnreadable):
        if outdated:
            raise MetricsOutdated from None
        raise
    # Sums under a key that was given up are no more.
    if found.whole is None and outdated:
        raise MetricsOutdated
    return found


def _day(given: date | str | None) -> date | None:
    return None if given is None else date.fromisoformat(date_text(given)[:10])


async def count(device: Device, synchroniser: MakeSynchroniser, *, on: bool, again: bool) -> MetricsReport:
    """See `Client.count_metrics`."""
    store = device.session.store
    if on:
        await asyncio.to_thread(privacy_tiers.want, store)
        return await _carry(device, synchroniser, tally(device, again=again))
    with store.only_sync():
        await tally(device).stop()
    return MetricsReport()


async def send(device: Device, synchroniser: MakeSynchroniser) -> MetricsReport:
    """See `Client.sync_metrics`."""
    return await _carry(device, synchroniser, tally(device))


async def _carry(device: Device, synchroniser: MakeSynchroniser, sums: EncryptedSums) -> MetricsReport:
    if (await privacy_tiers.show(device)).current_tier != "analytics_sync":
        # The sync of a tier that holds nothing says so.
        return (await synchroniser(sums).run()).metrics
    with device.session.store.only_sync():
        await sums.look()
        await asyncio.to_thread(sums.arrive, None)
        return await sums.settle(holds_entries=False)

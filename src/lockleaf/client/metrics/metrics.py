"""The account's metrics, as its user asks for them: averages and trends, and whether a server keeps sums of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

from lockleaf.client.device.device import Device
from lockleaf.client.errors import MetricsOff, MetricsOutdated, MetricsUnreadable, TierRequired
from lockleaf.client.metrics.census_state import State
from lockleaf.client.metrics.stats import Query, from_device, from_server
from lockleaf.client.metrics.summary import By, Stats
from lockleaf.client.metrics.sums import EncryptedSums, MetricsReport
from lockleaf.client.records.entries import date_text
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["Metrics", "encrypted_sums"]


def encrypted_sums(device: Device, *, again: bool = False) -> EncryptedSums:
    """Return the sums of the account that is logged in.

    Args:
        again: begin them anew, whatever there is.

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


class Metrics:
    """Numbers of the journal: made on its devices, added up by a server that cannot read them.

    Args:
        sync: synchronises, and the given sums with everything else.
        tier: asks the server for the account's privacy tier.
    """

    def __init__(
        self,
        device: Device,
        *,
        sync: Callable[[EncryptedSums], Awaitable[MetricsReport]],
        tier: Callable[[], Awaitable[PrivacyTier]],
    ) -> None:
        self._device = device
        self._sync = sync
        self._tier = tier

    async def stats(
        self,
        metric: str = "word_count",
        *,
        by: By = "month",
        since: date | str | None = None,
        until: date | str | None = None,
        local: bool | None = None,
    ) -> Stats:
        """Return averages, variances and the trend of a metric, with the count of values behind each.

        The server adds up encrypted numbers of all devices and cannot read them; they are decrypted here, and what
        comes out stays here. It does not vouch for them: a server can answer with a wrong sum, and ``local`` shows it.

        Args:
            metric: ``word_count``, ``characters``, ``mood``, ``sentiment``, or one of the user's own.
            by: periods of a ``week`` (from Monday), a ``month`` or a ``year``.
            since, until: days, both inclusive.
            local: True: work it out from the entries on this device, without a server. False: from the server's sums
                alone. If absent, from the server's sums, and where it keeps none from the entries on this device; which
                it was, `Stats.source` says.

        Raises:
            NotLoggedIn: there is no account here, or no session where ``local`` is not True.
            InvalidEntry: no metric can be called so, or a day is invalid.
            MetricsOff: no sums are kept for the account, where ``local`` is False; see `count`.
            TierRequired: the privacy tier holds no metrics, where ``local`` is False.
            MetricsUnreadable: the account's devices cannot have made the server's sums.
        """
        query = Query.of(metric, by, _day(since), _day(until))
        if local:
            return await asyncio.to_thread(from_device, self._device.opened.store, query)
        session = self._device.session
        # Always, and first: asked only where the sums cannot be read, it would tell the server what they decrypt to.
        sums = encrypted_sums(self._device)
        outdated = await sums.is_outdated()
        try:
            if not sums.are_kept:  # another device may have switched them off
                raise MetricsOff
            found = await from_server(session.store, session.transport, query)
        except (MetricsOff, MetricsUnreadable, TierRequired) as error:
            if outdated:
                raise MetricsOutdated from None
            if local is None and isinstance(error, (MetricsOff, TierRequired)):
                return await asyncio.to_thread(from_device, session.store, query)
            raise
        # Sums under a key that was given up are no more.
        if found.whole is None and outdated:
            raise MetricsOutdated
        return found

    async def count(self, on: bool = True, *, again: bool = False) -> MetricsReport:
        """Have the server keep encrypted sums of the account's metrics, or delete them, for all devices.

        What it learns is in which months entries lie, and which changes touched them: no value, count or sum.

        Args:
            on: count every entry from now on, those that are there included; False deletes what the server has.
            again: begin anew under a new key, although there are sums.

        Raises:
            NotLoggedIn: there is no session.
            TierRequired: the privacy tier holds no metrics.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `Client.sync`, which is part of this.
        """
        store = self._device.session.store
        if on:
            await asyncio.to_thread(State.want, store)
            return await self._send(encrypted_sums(self._device, again=again))
        with store.only_sync():
            await encrypted_sums(self._device).stop()
        return MetricsReport()

    async def send(self) -> MetricsReport:
        """Send what changed to the account's sums, where the tier is ``analytics_sync`` and entries stay here.

        With ``full_sync`` it is part of each sync, which is what this does then.

        Raises:
            NotLoggedIn: there is no session.
            SyncAlreadyRunning: another program syncs this profile.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for `Client.sync`.
        """
        return await self._send(encrypted_sums(self._device))

    async def _send(self, sums: EncryptedSums) -> MetricsReport:
        if await self._tier() != "analytics_sync":
            # The sync of a tier that holds nothing says so.
            return await self._sync(sums)
        with self._device.session.store.only_sync():
            await sums.look()
            await asyncio.to_thread(sums.arrive, None)
            return await sums.settle(holds_entries=False)


def _day(given: date | str | None) -> date | None:
    return None if given is None else date.fromisoformat(date_text(given)[:10])

"""What leaves the device, by its user's choice: the privacy tier, dates and labels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lockleaf.client.account import credentials, privacy_tiers
from lockleaf.client.device.device import Device
from lockleaf.client.errors import LabelsBelongToCustody, PasswordRequired
from lockleaf.client.records import labels
from lockleaf.client.records.entries import Entry
from lockleaf.lazy import late
from lockleaf.wire.privacy import Privacy, PrivacyChanged
from lockleaf.wire.tiers import PrivacyTier

if TYPE_CHECKING:
    from lockleaf.client.disclosure import server_view
else:
    # It knows every answer that a server gives about an account; syncs ask for the tier alone.
    server_view = late("lockleaf.client.disclosure.server_view")

__all__ = ["PrivacyChoices"]

_LOOKED_AT = 3
"""So many entries for each that is shown: some may not be at the server yet."""


class PrivacyChoices:
    """What the server gets, by the user's choice.

    Args:
        catch_up: fetches and verifies what is new at the server, and sends nothing.
        newest: gives so many entries of this device, newest first.
    """

    def __init__(
        self,
        device: Device,
        *,
        catch_up: Callable[[], Awaitable[None]],
        newest: Callable[[int], Awaitable[list[Entry]]],
    ) -> None:
        self._device = device
        self._catch_up = catch_up
        self._newest = newest

    async def server_view(self, *, entries: int = 3) -> server_view.ServerView:
        """Ask the server for what it holds of the account, and return it with what the server can see of that.

        The facts are what the server answers now, beside what this device shows. With uce the server opens the entries
        and tags that are shown, as for any request of a session; `AccountService.access` lists it.

        Args:
            entries: how many entries to show as the server stores them, fewer where there are no more. With e2e they
                are the newest of this device; with uce the first of the account's history, since there the sealed bytes
                are in the feed alone.

        Raises:
            NotLoggedIn: there is no session.
            TransportError, ApiError: the server cannot be reached, or refuses.
        """
        newest = await self._newest(_LOOKED_AT * entries)
        return await server_view.fetch_server_view(self._device.session, newest, entries)

    async def tier(self) -> Privacy:
        """Return how much the server holds of the account, and what works with that.

        Raises:
            NotLoggedIn: there is no session.
        """
        return await privacy_tiers.show(self._device)

    async def set_tier(
        self, tier: PrivacyTier, *, password: str | None = None, he_public_key: bytes | None = None
    ) -> PrivacyChanged:
        """Choose how much the server holds. What a lower tier does not hold is deleted there at once, and counted.

        This device keeps what it has; attachments are among that after `Media.keep_all`. Where the tier rises to
        ``full_sync`` again, each device sends what it has with its next sync.

        Args:
            tier: ``local_only``, ``analytics_sync`` or ``full_sync``.
            password: the account's password. A lower tier needs it, since it deletes: a stolen session alone must not.
            he_public_key: a public TenSEAL context for encrypted metrics. Where the tier rises, none is given and none
                is registered, a key pair is made, its secret half kept sealed on this device.

        Raises:
            NotLoggedIn: there is no session.
            PasswordRequired, WrongPassword: the tier is lower, and the password is missing or wrong.
            SecretKeyReceived, InvalidHePublicKey: the given key is not one to give away.
            ConsentRequired: this device's clock is far from the server's.
        """

        async def prove() -> str:
            if password is None:
                raise PasswordRequired
            return await credentials.current_secret(self._device, password)

        return await privacy_tiers.change(self._device, tier, he_public_key, self._catch_up, prove)

    def share_dates(self, share: bool) -> None:
        """Decide whether the server may know date and source of entries written from now on, to sort by them.

        Raises:
            NotLoggedIn: there is no account here.
        """
        self._device.remember(replace(self._device.opened.profile, share_dates=share))

    @property
    def sends_labels(self) -> bool:
        """Whether labels of mood, tags and source go to the server with each entry, as this device knows it.

        Raises:
            NotLoggedIn, JournalLocked: as for `Client.journal`.
        """
        return self._device.opened.profile.opened_by_server or labels.is_on(self._device.opened.store)

    async def send_labels(self, send: bool) -> None:
        """Decide for all devices of the account whether labels go to the server; carried out by each one's next sync.

        A label is a keyed digest: it tells no word, but equal words give equal labels. Without them filters work on
        the device. The choice is sealed, so the server can neither make nor undo it. Each entry is sealed anew
        without its labels, or with them, as a new revision.

        Raises:
            LabelsBelongToCustody: with uce, where the server can read, they hide nothing.
            NotLoggedIn, JournalLocked: as for `Client.journal`.
        """
        opened = self._device.opened
        if opened.profile.opened_by_server:
            raise LabelsBelongToCustody
        await asyncio.to_thread(labels.choose, opened.store, on=send, now=self._device.now())

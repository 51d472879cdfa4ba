"""Where attachments of an account may lie, as its user allowed on this device: a server's word is not enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lockleaf.client.device.device import Device
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.transport import addresses
else:
    addresses = late("lockleaf.client.transport.addresses")  # which takes httpx to read one

__all__ = ["PinnedStores"]


class PinnedStores:
    """The stores that the user of one profile allowed.

    Args:
        device: this device.
    """

    def __init__(self, device: Device) -> None:
        self._device = device

    async def stores(self) -> tuple[str, ...]:
        """Return the origins, beside the server's own, to which attachments of this account may go from this device.

        Raises:
            NotLoggedIn: there is no account here.
        """
        return await asyncio.to_thread(self._device.memory.store_origins, self._device.opened.profile.user_id)

    async def allow_store(self, origin: str) -> str:
        """Let attachments go to, and come from, a store; remembered on this device although the journal is forgotten.

        Args:
            origin: such as ``https://files.example.org``; what `StoreNotPinned` names, once its user agreed.

        Returns:
            The origin as it is kept.

        Raises:
            NotLoggedIn: there is no account here.
            InvalidServerAddress, InsecureServer: it is no such origin, or plain http to another machine.
        """
        profile = self._device.opened.profile
        allowed = addresses.store_origin(origin, allow_insecure=profile.allow_insecure)
        known = await self.stores()
        await asyncio.to_thread(self._device.memory.set_store_origins, profile, {*known, allowed})
        return allowed

    async def forbid_store(self, origin: str) -> bool:
        """Take back what `allow_store` did; return whether it had been allowed.

        Raises:
            NotLoggedIn, InvalidServerAddress, InsecureServer: as for `allow_store`.
        """
        profile = self._device.opened.profile
        unwanted = addresses.store_origin(origin, allow_insecure=True)
        known = await self.stores()
        await asyncio.to_thread(self._device.memory.set_store_origins, profile, set(known) - {unwanted})
        return unwanted in known

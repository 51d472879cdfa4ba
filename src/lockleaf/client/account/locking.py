"""The part of `Client` that locks and unlocks the journal on a device without a keychain."""

from __future__ import annotations

import asyncio

from lockleaf.client.device.device import Device
from lockleaf.client.keychain.keychains import KeysIn, PasswordKeychain, keys_in

__all__ = ["Locking"]


class Locking:
    """Who may open the journal on this device."""

    _device: Device

    @property
    def is_locked(self) -> bool:
        """Whether the journal on this device wants the password before it opens."""
        return self._device.is_locked

    async def unlock(self, password: str, *, unlocked_for: float | None = None) -> bool:
        """Open a journal that is locked; no server is asked.

        Args:
            password: the account's. After a change on another device, the one before it until the next login here.
            unlocked_for: seconds without use after which it is locked again for other programs.

        Returns:
            Whether other programs find it open for that time.

        Raises:
            WrongPassword: it does not open it.
        """
        return await self._device.unlock(password, idle=unlocked_for)

    async def lock(self) -> None:
        """Close the journal until the password is given, for other programs too. Those that have it open go on.

        Where the system's keychain keeps the key, nothing is done: it has a lock of its own.
        """
        await self._device.lock()

    async def keep_unlocked(self) -> None:
        """Leave the key beside the journal, until `lock`: whoever copies the folder can then read it.

        Raises:
            JournalLocked: it is locked.
        """
        if isinstance(self._device.keychain, PasswordKeychain):
            await asyncio.to_thread(self._device.keychain.keep_unlocked)

    @property
    def keys_in(self) -> KeysIn:
        """Where the key of the journal is kept."""
        return keys_in(self._device.keychain)

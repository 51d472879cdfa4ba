"""The part of `Client` that locks and unlocks the journal on a device without a keychain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lockleaf.client.device.device import Device
from lockleaf.client.keychain.keychains import KeysIn, PasswordKeychain, keys_in
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.account import passkeys, unlocking_keys
else:
    passkeys = late("lockleaf.client.account.passkeys")
    unlocking_keys = late("lockleaf.client.account.unlocking_keys")

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

    async def unlock_with(self, key: passkeys.SecurityKey, *, unlocked_for: float | None = None) -> bool:
        """Open a journal that is locked with the security key that was added to it; no server is asked.

        Args:
            key: the security key.
            unlocked_for: as for `unlock`.

        Returns:
            As `unlock` does.

        Raises:
            SecurityKeyFailed: it is not that key, was not touched, or did not verify its user.
            KeychainUnavailable: the journal is locked by something else than its password.
        """
        return await unlocking_keys.unlock_with(self._device, key, idle=unlocked_for)

    async def let_unlock(self, key: passkeys.SecurityKey) -> None:
        """Have a security key open the journal on this device beside the password, in place of one that did.

        It stays through changes of password and keys. A new login on this device ends it: add the key again.

        Raises:
            JournalLocked: it is locked.
            SecurityKeyFailed: the key was not touched, did not verify its user, or has no PRF (``hmac-secret``).
            KeychainUnavailable: the journal is locked by something else than its password.
        """
        await unlocking_keys.let_unlock(self._device, key)

    @property
    def is_unlocked_by_key(self) -> bool:
        """Whether a security key opens the journal on this device, too."""
        keychain = self._device.keychain
        return isinstance(keychain, PasswordKeychain) and keychain.security_key is not None

    async def forget_security_key(self) -> None:
        """Have no security key open the journal on this device any more."""
        if isinstance(self._device.keychain, PasswordKeychain):
            await asyncio.to_thread(self._device.keychain.forget_security_key)

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

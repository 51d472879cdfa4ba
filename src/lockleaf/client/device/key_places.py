"""Where the key of a journal goes when it is taken over: into the keychain, under a password, or into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lockleaf.client.keychain.keychains import KEYCHAIN_FILE, FileKeychain, Keychain
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.client.keychain.unlocked_key import DEFAULT_IDLE
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.crypto.device_lock import LockContext

__all__ = ["Unlocking", "keep_keys"]


@dataclass(frozen=True, slots=True)
class Unlocking:
    """How a journal lies under a password.

    Attributes:
        idle: seconds without use after which it is locked again.
        keep: leave it open for good once it is put there.
        allow_test_parameters: key derivation may be far too cheap.
    """

    idle: float = DEFAULT_IDLE
    keep: bool = False
    allow_test_parameters: bool = False

    def keychain(self, folder: Path, notice: Callable[[str], None]) -> PasswordKeychain:
        """Return what locks the journal of a profile's folder so."""
        return PasswordKeychain(
            folder,
            notice,
            idle=self.idle,
            keep_unlocked=self.keep,
            allow_test_parameters=self.allow_test_parameters,
        )


class _KeyHolder(Protocol):
    folder: ProfileFolder
    keychain: Keychain
    unlocking: Unlocking
    profile: Profile | None

    @property
    def notice(self) -> Callable[[str], None]:
        """Told what a person should hear."""


async def keep_keys(device: _KeyHolder, profile: Profile, text: str, password: str | None) -> None:
    """Keep the keys of a journal.

    A journal that had no account, and no keychain either, had them in a file beside it: they are put under the password
    of the account as soon as there is one. Without a password, they are put into such a file, and its user is told.
    """
    keychain, file = device.keychain, device.folder.path / KEYCHAIN_FILE
    was_local = device.profile is not None and device.profile.is_local
    if isinstance(keychain, FileKeychain) and keychain.file == file and was_local and password is not None:
        keychain = device.keychain = device.unlocking.keychain(device.folder.path, device.notice)
    if isinstance(keychain, PasswordKeychain) and password is None:
        keychain = device.keychain = FileKeychain(file, device.notice)
    if isinstance(keychain, PasswordKeychain):
        assert password is not None
        context = LockContext(profile.login_name, str(profile.user_id), profile.device_id)
        await asyncio.to_thread(keychain.enrol, context, password, text)
        # Only now: until then, it is what opens the journal.
        await asyncio.to_thread(file.unlink, missing_ok=True)
    else:
        await asyncio.to_thread(keychain.set, profile.keychain_entry, text)

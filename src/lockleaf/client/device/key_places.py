"""Where the key of a journal goes when it is taken over: into the keychain, under a password, or into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from lockleaf.client.keychain.keychains import KEYCHAIN_FILE, FileKeychain, Keychain
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.crypto.device_lock import LockContext

__all__ = ["keep_keys"]


class _KeyHolder(Protocol):
    folder: ProfileFolder
    keychain: Keychain
    allow_test_parameters: bool
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
        keychain = device.keychain = PasswordKeychain(
            device.folder.path, device.notice, allow_test_parameters=device.allow_test_parameters
        )
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

"""A local store whose profile is missing or damaged: a login to its account goes on with it, all else sets it aside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from lockleaf.client.errors import LocalError, ProfileDamaged, StoreDamaged
from lockleaf.client.keychain.keychains import KEYCHAIN_FILE
from lockleaf.client.keychain.lock_file import LOCK_FILE
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring

__all__ = ["described", "keep_orphan"]


def described(folder: ProfileFolder) -> tuple[Profile | None, LocalError | None]:
    """Return the profile, and what is wrong where it or its store is missing, or it cannot be read."""
    try:
        profile = folder.load()
    except ProfileDamaged as error:
        return None, error
    if profile is None:
        return None, ProfileDamaged() if folder.store.exists() else None
    return profile, None if profile.logged_out or folder.store.exists() else StoreDamaged("it is missing")


def keep_orphan(
    folder: ProfileFolder, now: datetime, notice: Callable[[str], None], keyring: Keyring | None = None
) -> None:
    """Set a store aside that lies here without a profile, with what opens it; one that ``keyring`` opens stays."""
    if not folder.store.exists() or (keyring is not None and _opens(folder, keyring)):
        return
    aside = folder.set_store_aside(now)
    for name in (LOCK_FILE, KEYCHAIN_FILE):
        with suppress(FileNotFoundError):
            (folder.path / name).rename(aside / name)
    notice(
        f"A journal was here without the file that describes its profile. It was set aside as {aside}, sealed. If it "
        "is an account's, log in to it and run lockleaf repair, which takes in what the server lacks."
    )


def _opens(folder: ProfileFolder, keyring: Keyring) -> bool:
    try:
        LocalStore.open(folder.store, local_keys(keyring)).close()
    except StoreDamaged:
        return False
    return True

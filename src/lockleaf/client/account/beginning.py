"""A journal before there is an account: its keys are drawn here, and become those of an account that is registered."""

from __future__ import annotations

import asyncio
import uuid

from lockleaf.client.device.device import Device
from lockleaf.client.device.joining import alone
from lockleaf.client.device.key_places import keep_keys
from lockleaf.client.device.orphans import keep_orphan
from lockleaf.client.errors import AlreadyLoggedIn
from lockleaf.client.keychain.keychains import pack_local_keys
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring

__all__ = ["begin"]


async def begin(device: Device, device_name: str, password: str | None) -> None:
    """Begin a journal without an account; see `Client.begin`."""
    if device.profile is not None:
        raise AlreadyLoggedIn
    keyring = await asyncio.to_thread(Keyring.new, device.now())
    profile = Profile(
        server="",
        login_name="",
        user_id=uuid.uuid4(),
        device_id=str(uuid.uuid4()),
        device_name=device_name,
        custody="e2e",
        keyring_version=1,
        recipient=keyring.newest.recipient,
        signing_key=keyring.newest.public_signing_key,
        keychain_entry=uuid.uuid4().hex,
    )
    async with alone(device.folder):
        if device.folder.load() is not None:
            raise AlreadyLoggedIn  # another program was quicker, and there may be words in its journal already
        await asyncio.to_thread(keep_orphan, device.folder, device.clock(), device.notice)
        await keep_keys(device, profile, pack_local_keys(local_keys(keyring)), password)
        device.begin(profile, await asyncio.to_thread(LocalStore.create, device.folder.store, keyring))

"""A device with an account that no server knows: for what works without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from lockleaf.client import Client, FileKeychain
from lockleaf.client.device.device import Device
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.keyring import Keyring

__all__ = ["offline_device"]


@asynccontextmanager
async def offline_device(home: Path, *, server: str = "http://127.0.0.1:9") -> AsyncIterator[tuple[Client, Device]]:
    """A client whose server answers nothing, unless another is named, and the device under it."""
    keyring = Keyring.new("2026-01-01T00:00:00Z")
    folder = ProfileFolder(home, "laptop")
    folder.make()
    device = Device(folder, FileKeychain(folder.path / "keychain.json"), print)
    profile = Profile(
        server=server,
        login_name="ada@example.org",
        user_id=uuid4(),
        device_id="device",
        device_name="laptop",
        custody="e2e",
        keyring_version=1,
        recipient=keyring.newest.recipient,
        signing_key=keyring.newest.public_signing_key,
        keychain_entry=uuid4().hex,
    )
    await device.adopt(profile, keyring, SessionTokens(access_token="access", refresh_token="refresh"))
    client = Client(device)
    try:
        yield client, device
    finally:
        await client.aclose()

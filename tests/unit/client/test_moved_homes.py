"""A home that was moved or copied opens: the key of a journal goes by the profile's own name, not by a path."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from lockleaf.client.client import Client
from lockleaf.client.device.device import Device
from lockleaf.client.errors import KeychainUnavailable
from lockleaf.client.profile.private_files import make_private_folder
from lockleaf.client.profile.profiles import Profile, ProfileFolder
from lockleaf.client.transport.tokens import SessionTokens
from lockleaf.crypto.keyring import Keyring


class SharedKeychain:
    """One keychain of a system, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, profile_key: str) -> str | None:
        return self.kept.get(profile_key)

    def set(self, profile_key: str, value: str) -> None:
        self.kept[profile_key] = value

    def delete(self, profile_key: str) -> None:
        self.kept.pop(profile_key, None)


async def written(home: Path, keychain: SharedKeychain, body: str) -> None:
    keyring = Keyring.new("2026-01-01T00:00:00Z")
    device = Device(ProfileFolder(home, "laptop"), keychain, print)
    profile = Profile(
        server="http://127.0.0.1:9",
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
    await Client(device).journal.write(body=body)
    await device.aclose()


async def bodies(home: Path, keychain: SharedKeychain) -> list[str]:
    async with await Client.open(home, "laptop", keychain=keychain) as client:
        return [entry.body for entry in await client.journal.list()]


async def test_a_home_opens_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keychain = SharedKeychain()
    first, second = tmp_path / "first", tmp_path / "second"
    await written(first, keychain, "of one home")
    await written(second, keychain, "of another")
    first.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to("moved")
    shutil.copytree(second, first)
    monkeypatch.chdir(tmp_path)
    for home in (tmp_path / "moved", tmp_path / "link", Path("moved"), tmp_path / "second" / ".." / "moved"):
        assert await bodies(home, keychain) == ["of one home"]
    # A copy opens as its original does, where another home was before.
    assert await bodies(first, keychain) == await bodies(second, keychain) == ["of another"]


async def test_every_command_says_that_the_key_is_not_at_hand(tmp_path: Path) -> None:
    keychain = SharedKeychain()
    await written(tmp_path, keychain, "kept")
    keychain.kept.clear()
    async with await Client.open(tmp_path, "laptop", keychain=keychain) as client:
        with pytest.raises(KeychainUnavailable):
            _ = client.journal
        for asked in (client.sync, client.account.sessions, client.account.me, client.privacy.tier):
            with pytest.raises(KeychainUnavailable):
                await asked()


def test_a_home_that_is_a_link_to_nowhere_is_named_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "home").symlink_to(tmp_path / "not plugged in")
    with pytest.raises(FileNotFoundError) as raised:
        make_private_folder(tmp_path / "home" / "profiles" / "laptop")
    assert raised.value.filename == str(tmp_path / "not plugged in")

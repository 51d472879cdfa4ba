"""A security key that opens the journal on a device without a keychain: offline, and through what changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from lockleaf.client import Client, FileKeychain, ProfileFolder, SecurityKey
from lockleaf.client.errors import JournalLocked, KeychainUnavailable, SecurityKeyFailed, SessionRevoked
from lockleaf.client.keychain.password_keychain import PasswordKeychain
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from tests.support.authenticator import Credential, SoftwareKey
from tests.support.people import AT_ONCE, NEW_PASSWORD, PASSWORD

SERVER = "http://127.0.0.1:1"


class Owner:
    """Somebody with a laptop that has no keychain, and a security key."""

    def __init__(self, home: Path, network: httpx.AsyncBaseTransport, stack: AsyncExitStack) -> None:
        self.home, self.network, self.stack = home, network, stack
        self.key = SoftwareKey()
        self.heard: list[str] = []

    @property
    def security_key(self) -> SecurityKey:
        return SecurityKey(self.key)

    async def laptop(self) -> Client:
        """The laptop as the next program finds it, nothing of it being open any more."""
        folder = ProfileFolder(self.home, "laptop").path
        keychain = PasswordKeychain(folder, self.heard.append, idle=0, allow_test_parameters=True)
        client = await Client.open(
            self.home, "laptop", keychain=keychain, http_transport=self.network, retry=AT_ONCE,
            allow_test_parameters=True,
        )  # fmt: skip
        return await self.stack.enter_async_context(client)

    async def phone(self) -> Client:
        """A device that has a keychain."""
        client = await Client.open(
            self.home, "phone", keychain=FileKeychain(self.home / "keys"), http_transport=self.network, retry=AT_ONCE,
            allow_test_parameters=True,
        )  # fmt: skip
        await self.stack.enter_async_context(client)
        await self.login(client)
        return client

    async def login(self, client: Client) -> None:
        await client.account.login(SERVER, f"{self.home.name}@example.org", PASSWORD, device_name="laptop")


@pytest.fixture
async def ada(tmp_path: Path, settings: Settings) -> AsyncIterator[Owner]:
    app = create_app(settings)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        ada = Owner(tmp_path, httpx.ASGITransport(app), stack)
        laptop = await ada.laptop()
        await laptop.account.register(
            SERVER, f"{tmp_path.name}@example.org", PASSWORD, device_name="laptop", kdf_profile=CHEAPEST
        )
        await laptop.journal.write(body="It rained.", title="Monday")
        await laptop.sync()
        await laptop.aclose()
        yield ada


async def titles(client: Client) -> list[str | None]:
    return [entry.title for entry in await client.journal.list()]


async def test_a_security_key_opens_the_journal_in_place_of_the_password(ada: Owner) -> None:
    laptop = await ada.laptop()
    with pytest.raises(SecurityKeyFailed):
        await laptop.unlock_with(ada.security_key)
    with pytest.raises(JournalLocked):
        await laptop.let_unlock(ada.security_key)
    await laptop.unlock(PASSWORD)
    assert not laptop.is_unlocked_by_key
    await laptop.let_unlock(ada.security_key)
    await laptop.aclose()
    again = await ada.laptop()
    assert (again.is_locked, again.is_unlocked_by_key) == (True, True)
    await again.unlock_with(ada.security_key)
    assert await titles(again) == ["Monday"]
    await again.forget_security_key()
    await again.aclose()
    last = await ada.laptop()
    with pytest.raises(SecurityKeyFailed):
        await last.unlock_with(ada.security_key)
    await last.unlock(PASSWORD)


async def test_it_opens_it_after_a_change_of_password_and_of_keys(ada: Owner) -> None:
    laptop = await ada.laptop()
    await laptop.unlock(PASSWORD)
    await laptop.let_unlock(ada.security_key)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.account.rotate_keyring(NEW_PASSWORD)
    await laptop.sync()
    await laptop.aclose()
    again = await ada.laptop()
    await again.unlock_with(ada.security_key)
    assert await titles(again) == ["Monday"]
    await again.sync()
    assert again.sync.sealed_again


async def test_a_new_login_draws_the_lock_anew_and_says_so(ada: Owner) -> None:
    laptop = await ada.laptop()
    await laptop.unlock(PASSWORD)
    await laptop.let_unlock(ada.security_key)
    phone = await ada.phone()
    (session,) = [each for each in await phone.account.sessions() if not each.current]
    await phone.account.revoke(session.id)
    with pytest.raises(SessionRevoked):
        await laptop.sync()
    await ada.login(laptop)
    assert not laptop.is_unlocked_by_key
    assert sum("security key" in sentence for sentence in ada.heard) == 1


async def test_another_key_another_person_and_a_copied_folder_open_nothing(ada: Owner) -> None:
    laptop = await ada.laptop()
    await laptop.unlock(PASSWORD)
    await laptop.let_unlock(ada.security_key)
    await laptop.aclose()
    credentials, (credential,) = ada.key.credentials, ada.key.credentials.values()
    locked = await ada.laptop()
    with pytest.raises(SecurityKeyFailed):
        await locked.unlock_with(SecurityKey(SoftwareKey()))
    with pytest.raises(SecurityKeyFailed):  # one that does not know its user
        await locked.unlock_with(SecurityKey(SoftwareKey(verifies=False, credentials=credentials)))
    with pytest.raises(SecurityKeyFailed):  # one whose secret is another
        forged = {name: Credential(credential.rp_id, credential.private_key) for name in credentials}
        await locked.unlock_with(SecurityKey(SoftwareKey(credentials=forged)))
    assert locked.is_locked
    await locked.unlock_with(ada.security_key)


async def test_a_key_without_a_prf_is_told_and_adds_nothing(ada: Owner) -> None:
    laptop = await ada.laptop()
    await laptop.unlock(PASSWORD)
    with pytest.raises(SecurityKeyFailed, match="PRF"):
        await laptop.let_unlock(SecurityKey(SoftwareKey(has_prf=False)))
    assert not laptop.is_unlocked_by_key


async def test_where_a_keychain_opens_the_journal_no_security_key_does(ada: Owner) -> None:
    phone = await ada.phone()
    with pytest.raises(KeychainUnavailable):
        await phone.let_unlock(ada.security_key)

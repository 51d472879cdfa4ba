"""A device whose system has no keychain: a copied home folder is no readable journal, and the password follows."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lockleaf.client import BlockingClient, Client
from lockleaf.client.errors import JournalLocked, KeysChangedElsewhere, WrongPassword
from lockleaf.crypto.kdf import CHEAPEST
from tests.support.files import bytes_below
from tests.support.people import AT_ONCE, NEW_PASSWORD, PASSWORD, Person
from tests.support.process import RunningServer

CANARY = "xylophone-lagoon-canary"


class Locked(Person):
    """Somebody whose devices have no keychain."""

    async def device(self, name: str, **given) -> Client:
        client = await Client.open(
            self.home, name, notice=self.heard.append, retry=AT_ONCE, allow_test_parameters=True, **given
        )
        self._stack.push_async_callback(client.aclose)
        return client

    def folder(self, name: str) -> Path:
        return self.home / "profiles" / name


@pytest.fixture
async def eve(tmp_path: Path, server: RunningServer) -> AsyncIterator[Locked]:
    async with AsyncExitStack() as stack:
        person = Locked(tmp_path / "home", server.url, stack)
        yield person
    for name in ("laptop", "phone"):
        async with await Client.open(person.home, name) as client:
            await client.lock()


async def written(eve: Locked) -> Client:
    laptop = await eve.device("laptop")
    await eve.register(laptop)
    await laptop.journal.write(body=CANARY, title=CANARY, tags=[CANARY], mood=CANARY)
    await laptop.sync()
    return laptop


async def test_a_copied_home_folder_holds_no_readable_text_and_no_usable_key(eve: Locked, tmp_path: Path) -> None:
    laptop = await written(eve)
    secrets = {
        bytes(secret)
        for entry in laptop._device.opened.keyring.entries
        for secret in (entry.master_key, entry.local_key, entry.signing_seed)
    }
    tokens = laptop._device.opened.transport.tokens.load()
    assert tokens is not None
    await laptop.aclose()
    await laptop.lock()
    copied = bytes_below(eve.home)
    for secret in (CANARY.encode(), PASSWORD.encode(), tokens.refresh_token.encode(), *secrets):
        assert secret not in copied
        assert secret.hex().encode() not in copied
    # Nor on another machine, to which nothing in memory was copied.
    shutil.copytree(eve.home, tmp_path / "copy")
    async with await Client.open(tmp_path / "copy", "laptop", allow_test_parameters=True) as thief:
        assert thief.is_locked
        assert not thief.is_logged_in
        with pytest.raises(JournalLocked):
            _ = thief.journal
        with pytest.raises(JournalLocked):
            await thief.sync()
        with pytest.raises(WrongPassword):
            await thief.unlock("password1234")
        with pytest.raises(JournalLocked):
            _ = thief.journal


async def test_the_password_opens_it_without_a_server_and_other_programs_find_it_open(eve: Locked) -> None:
    laptop = await written(eve)
    await laptop.lock()
    assert laptop.is_locked
    eve.server = "http://127.0.0.1:9"
    asked: list[str] = []

    def ask() -> str:
        asked.append("password")
        return PASSWORD

    again = await eve.device("laptop", password=ask)
    assert [entry.body for entry in await again.journal.list()] == [CANARY]
    other = await eve.device("laptop", password=ask)
    assert [entry.body for entry in await other.journal.list()] == [CANARY]
    assert asked == ["password"]
    assert other.is_logged_in
    assert (await other.sync()).pulled == 0
    await other.lock()
    with pytest.raises(WrongPassword):
        await eve.device("laptop", password="password1234")


async def test_a_changed_password_opens_it_from_then_on(eve: Locked) -> None:
    laptop = await written(eve)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.lock()
    with pytest.raises(WrongPassword):
        await laptop.unlock(PASSWORD)
    assert await laptop.unlock(NEW_PASSWORD)
    assert await laptop.journal.count() == 1
    assert (await laptop.sync()).pushed == 0


async def test_a_password_changed_elsewhere_opens_it_after_the_next_login(eve: Locked) -> None:
    laptop = await written(eve)
    phone = await eve.device("phone")
    await eve.login(phone)
    await phone.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.journal.write(body="not sent yet")
    await laptop.lock()
    with pytest.raises(WrongPassword):
        await laptop.unlock(NEW_PASSWORD)
    await eve.login(laptop, NEW_PASSWORD)
    assert await laptop.journal.count() == 2
    await laptop.lock()
    with pytest.raises(WrongPassword):
        await laptop.unlock(PASSWORD)
    await laptop.unlock(NEW_PASSWORD)
    assert (await laptop.sync()).pushed == 1


async def test_a_recovery_code_brings_a_locked_journal_back(eve: Locked) -> None:
    laptop = await eve.device("laptop")
    codes = await eve.register(laptop)
    await laptop.journal.write(body=CANARY)
    await laptop.lock()
    await laptop.account.recover(
        eve.server, eve.email, codes[0], NEW_PASSWORD, device_name="first", kdf_profile=CHEAPEST
    )
    await laptop.lock()
    await laptop.unlock(NEW_PASSWORD)
    assert [entry.body for entry in await laptop.journal.list()] == [CANARY]


async def test_a_rotation_is_kept_under_the_same_password(eve: Locked) -> None:
    laptop = await written(eve)
    await laptop.account.rotate_keyring(PASSWORD)
    await laptop.journal.write(body="after")
    await laptop.lock()
    await laptop.unlock(PASSWORD)
    assert await laptop.journal.count() == 2
    assert (await laptop.sync()).pushed == 1


async def test_logging_out_while_it_is_locked_leaves_a_sealed_journal_for_the_next_login(eve: Locked) -> None:
    laptop = await written(eve)
    await laptop.lock()
    await laptop.account.logout()
    assert any("could not be told" in sentence for sentence in eve.heard)
    assert not (eve.folder("laptop") / "lock.json").exists()
    again = await eve.device("laptop")
    assert not again.is_locked
    await eve.login(again)
    assert [entry.body for entry in await again.journal.list()] == [CANARY]


async def test_it_stays_open_where_its_user_chose_that(eve: Locked) -> None:
    laptop = await eve.device("laptop", keep_unlocked=True, unlocked_for=0)
    await eve.register(laptop)
    await laptop.journal.write(body=CANARY)
    assert laptop.keys_in == "file"
    again = await eve.device("laptop")
    assert await again.journal.count() == 1
    await again.lock()
    assert (await eve.device("laptop")).is_locked


async def test_a_program_without_an_event_loop_unlocks_as_well(eve: Locked) -> None:
    laptop = await written(eve)
    await laptop.lock()

    def blocking() -> int:
        with BlockingClient.open(eve.home, "laptop", allow_test_parameters=True) as client:
            assert client.is_locked
            client.unlock(PASSWORD, unlocked_for=60)
            assert client.keys_in == "password"
            count = client.journal.count()
            client.lock()
            assert client.is_locked
        return count

    assert await asyncio.to_thread(blocking) == 1


async def test_keys_that_changed_elsewhere_are_told_as_before(eve: Locked) -> None:
    laptop = await written(eve)
    phone = await eve.device("phone")
    await eve.login(phone)
    await phone.account.rotate_keyring(PASSWORD)
    with pytest.raises(Exception) as caught:
        await laptop.sync()
    assert type(caught.value).__name__ in (KeysChangedElsewhere.__name__, "SessionRevoked")
    await eve.login(laptop)
    await laptop.lock()
    await laptop.unlock(PASSWORD)
    assert await laptop.journal.count() == 1

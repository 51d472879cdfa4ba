"""Passkeys through the real SDK, fido2's own client and a security key in software, against the real application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from lockleaf.client import Client, FactorQuestion, FileKeychain, PasskeyAssertion, SecurityKey
from lockleaf.client.account.passkeys import make_passkey
from lockleaf.client.errors import (
    InvalidFactor,
    PasskeyOfAnotherServer,
    PasskeysNotConfigured,
    SecurityKeyFailed,
)
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from lockleaf.wire.factors import PasskeyOptions
from tests.support.account_holders import Clock
from tests.support.authenticator import SoftwareKey
from tests.support.people import AT_ONCE, NEW_PASSWORD, PASSWORD

SERVER = "https://journal.example.org"
CHALLENGE = "A" * 43


@dataclass
class Owner:
    """Somebody with a security key, who answers what their devices ask."""

    home: Path
    network: httpx.AsyncBaseTransport
    clock: Clock
    stack: AsyncExitStack
    email: str
    key: SoftwareKey = field(default_factory=SoftwareKey)
    touched: int = 0
    replayed: PasskeyAssertion | None = None
    """Sent in place of what the key signs."""
    signed: list[PasskeyAssertion] = field(default_factory=list)

    async def device(self, name: str, server: str = SERVER) -> Client:
        client = await Client.open(
            self.home, name, keychain=FileKeychain(self.home / "keys"), http_transport=self.network, retry=AT_ONCE,
            second_factor=self.answer, allow_test_parameters=True,
        )  # fmt: skip
        return await self.stack.enter_async_context(client)

    def security_key(self) -> SecurityKey:
        return SecurityKey(self.key, touch=self.touch)

    def touch(self) -> None:
        self.touched += 1

    async def answer(self, question: FactorQuestion) -> PasskeyAssertion | None:
        if question.refused:
            return None
        if self.replayed is not None:
            return self.replayed
        assertion = await self.security_key().sign(question)
        self.signed.append(assertion)
        return assertion

    async def register(self, client: Client) -> None:
        await client.account.register(SERVER, self.email, PASSWORD, device_name="laptop", kdf_profile=CHEAPEST)

    async def login(self, client: Client) -> None:
        await client.account.login(SERVER, self.email, PASSWORD, device_name="phone")

    async def add_key(self, client: Client) -> tuple[str, ...]:
        codes = await client.factors.add_passkey(PASSWORD, self.security_key(), "key on the ring")
        assert codes is not None
        return codes.codes


def options(rp_id: str) -> PasskeyOptions:
    """What a server asks a key to make."""
    return PasskeyOptions(
        rp_id=rp_id,
        rp_name="Lockleaf",
        user_id=b"ada",
        user_name="ada",
        challenge=CHALLENGE,
        algorithms=(-7,),
        exclude=(),
    )


def at_its_address(settings: Settings, *origins: str) -> Settings:
    """Settings of a server whose users reach it there."""
    return settings.model_copy(update={"factors": settings.factors.model_copy(update={"origins": origins})})


@pytest.fixture
async def ada(tmp_path: Path, settings: Settings) -> AsyncIterator[Owner]:
    clock = Clock()
    app = create_app(at_its_address(settings, SERVER), clock=clock)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        yield Owner(tmp_path, httpx.ASGITransport(app), clock, stack, f"{tmp_path.name}@example.org")


async def test_a_security_key_lets_in_and_changes_what_opens_the_account(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    codes = await ada.add_key(laptop)
    assert len(codes) == 10
    await ada.login(phone)
    assert ada.touched == 2
    sessions = {each.device_name: each.opened_with for each in await phone.account.sessions()}
    assert sessions == {"laptop": ("registration",), "phone": ("password", "passkey")}
    await phone.account.change_password(PASSWORD, NEW_PASSWORD)
    await phone.account.change_password(NEW_PASSWORD, PASSWORD)
    (factor,) = (await phone.factors.list()).items
    assert (factor.kind, factor.name) == ("passkey", "key on the ring")
    await phone.factors.remove(factor, PASSWORD)
    signed = len(ada.signed)
    await laptop.account.logout()
    await ada.login(laptop)
    assert len(ada.signed) == signed


async def test_what_a_key_says_of_its_make_stays_on_the_device(ada: Owner) -> None:
    made = await make_passkey(ada.security_key(), SERVER, options("journal.example.org"))
    assert b"packed" not in made.attestation_object
    assert b"none" in made.attestation_object


async def test_an_answer_is_good_once(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_key(laptop)
    await ada.login(phone)
    await phone.account.logout()
    ada.replayed = ada.signed[-1]
    with pytest.raises(InvalidFactor):
        await ada.login(phone)
    ada.replayed = None
    await ada.login(phone)


async def test_a_key_whose_count_goes_back_is_a_copy(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_key(laptop)
    await ada.login(phone)
    copied = ada.key.counter
    await phone.account.logout()
    await ada.login(phone)
    await phone.account.logout()
    ada.key.counter = copied
    with pytest.raises(InvalidFactor):
        await ada.login(phone)


async def test_a_key_that_does_not_count_lets_in_again_and_again(ada: Owner) -> None:
    ada.key.counts = False
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_key(laptop)
    for _ in range(2):
        await ada.login(phone)
        await phone.account.logout()


async def test_a_key_that_does_not_verify_its_user_is_none(ada: Owner) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    ada.key.verifies = False
    with pytest.raises(SecurityKeyFailed):
        await ada.add_key(laptop)
    assert ada.key.asked == []


async def test_another_key_does_not_answer(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_key(laptop)
    ada.key = SoftwareKey()
    with pytest.raises(SecurityKeyFailed):
        await ada.login(phone)


async def test_one_key_is_added_once(ada: Owner) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await ada.add_key(laptop)
    with pytest.raises(SecurityKeyFailed):
        await ada.add_key(laptop)
    assert len((await laptop.factors.list()).items) == 1


@pytest.mark.parametrize(
    ("server", "rp_id"),
    [
        (SERVER, "bank.example.com"),
        (SERVER, "org"),
        ("https://evil.example.net", "journal.example.org"),
        ("http://journal.example.org", "journal.example.org"),
    ],
)
async def test_a_server_that_asks_for_the_passkey_of_another_gets_nothing(server: str, rp_id: str) -> None:
    key = SoftwareKey()
    await make_passkey(
        SecurityKey(key),
        f"https://{rp_id}" if "." in rp_id else SERVER,
        options("journal.example.org" if "." not in rp_id else rp_id),
    )
    (credential,) = key.credentials
    key.asked.clear()
    with pytest.raises(PasskeyOfAnotherServer):
        await make_passkey(SecurityKey(key), server, options(rp_id))
    question = FactorQuestion(server, ("passkey",), False, CHALLENGE, rp_id, (credential,))
    with pytest.raises(PasskeyOfAnotherServer):
        await SecurityKey(key).sign(question)
    assert key.asked == []


async def test_a_server_without_an_address_takes_no_passkey(tmp_path: Path, settings: Settings) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        ada = Owner(tmp_path, httpx.ASGITransport(app), Clock(), stack, f"{tmp_path.name}@example.org")
        laptop = await ada.device("laptop")
        await ada.register(laptop)
        with pytest.raises(PasskeysNotConfigured):
            await ada.add_key(laptop)

"""Second factors through the real SDK against the real application, with a clock that moves when it is told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyotp
import pytest

from lockleaf.client import BlockingClient, Client, FactorQuestion, FileKeychain
from lockleaf.client.errors import (
    InvalidFactor,
    InvalidRecoveryCode,
    SecondFactorRequired,
    SessionRevoked,
    TooManyFactorAttempts,
    WrongPassword,
)
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock
from tests.support.networks import Network
from tests.support.people import AT_ONCE, NEW_PASSWORD, PASSWORD
from tests.support.process import RunningServer

SERVER = "http://127.0.0.1:1"


@dataclass
class Owner:
    """Somebody with an app on a phone, who answers what their devices ask."""

    home: Path
    network: httpx.AsyncBaseTransport
    clock: Clock
    stack: AsyncExitStack
    custody: str
    email: str
    secret: str = ""
    answers: list[str | None] = field(default_factory=list)
    """What is typed in place of what the app shows, one after the other."""
    asked: list[FactorQuestion] = field(default_factory=list)

    async def device(self, name: str) -> Client:
        client = await Client.open(
            self.home, name, keychain=FileKeychain(self.home / "keys"), http_transport=self.network, retry=AT_ONCE,
            second_factor=self.answer, allow_test_parameters=True,
        )  # fmt: skip
        return await self.stack.enter_async_context(client)

    async def answer(self, question: FactorQuestion) -> str | None:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else self.code()

    def code(self) -> str:
        self.clock.advance(seconds=30)
        return pyotp.TOTP(self.secret).at(self.clock())

    async def register(self, client: Client) -> tuple[str, ...]:
        codes = await client.account.register(
            SERVER, self.email, PASSWORD, device_name="laptop", custody=self.custody, kdf_profile=CHEAPEST
        )
        return codes.codes

    async def login(self, client: Client) -> None:
        await client.account.login(SERVER, self.email, PASSWORD, device_name="phone", custody=self.custody)

    async def add_app(self, client: Client) -> tuple[str, ...]:
        app = await client.factors.add_app(PASSWORD, "phone")
        self.secret = app.secret
        codes = await client.factors.confirm_app(app, self.code())
        assert codes is not None
        return codes.codes


IN_BOTH = pytest.mark.parametrize("ada", ["e2e", "uce"], indirect=True)


@pytest.fixture
async def ada(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> AsyncIterator[Owner]:
    clock, custody = Clock(), getattr(request, "param", "e2e")
    app = create_app(settings, clock=clock)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        email = f"{tmp_path.name}@example.org"
        yield Owner(tmp_path, httpx.ASGITransport(app), clock, stack, custody, email)


@IN_BOTH
async def test_a_login_asks_for_a_code_and_the_journal_at_hand_never_does(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_app(laptop)
    entry = await laptop.journal.write(body="It rained.")
    await laptop.sync()
    assert ada.asked == []
    await ada.login(phone)
    assert [(each.kinds, each.refused, each.server) for each in ada.asked] == [(("totp", "code"), False, SERVER)]
    await phone.sync()
    assert (await phone.journal.get(entry.id)).body == "It rained."
    with_what = {each.device_name: each.opened_with for each in await phone.account.sessions()}
    assert with_what == {"laptop": ("registration",), "phone": ("password", "totp")}


async def test_a_wrong_code_is_asked_for_again_until_nobody_answers(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.add_app(laptop)
    ada.answers = ["12", "000000", None]  # the first is no code at all, and is not sent
    with pytest.raises(InvalidFactor):
        await ada.login(phone)
    assert [each.refused for each in ada.asked] == [False, True, True]
    assert (await laptop.factors.list()).wrong_codes == 1
    ada.answers = [None]
    with pytest.raises(SecondFactorRequired):
        await ada.login(phone)
    ada.answers = ["000000"]
    await ada.login(phone)
    assert (await laptop.factors.list()).wrong_codes == 0


@IN_BOTH
async def test_what_opens_the_account_is_changed_with_the_factor(ada: Owner) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    factor_codes = await ada.add_app(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.account.rotate_keyring(NEW_PASSWORD, PASSWORD)
    codes = await laptop.account.new_recovery_codes(PASSWORD)
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    assert len(ada.asked) == 4
    # Coming back takes a recovery code and the factor: here the phone is lost too.
    phone = await ada.device("phone")
    ada.answers = [factor_codes[0]]
    await phone.account.recover(
        SERVER, ada.email, codes.codes[0], NEW_PASSWORD, device_name="phone", custody=ada.custody, kdf_profile=CHEAPEST
    )
    (session,) = await phone.account.sessions()
    assert session.opened_with == ("recovery_code", "code")
    ada.answers = [factor_codes[1]]
    await phone.account.delete(NEW_PASSWORD)
    assert phone.profile is not None
    assert phone.profile.account_deleted


async def test_without_an_answer_nothing_is_changed(ada: Owner) -> None:
    laptop = await ada.device("laptop")
    codes = await ada.register(laptop)
    await ada.add_app(laptop)
    ada.answers = [None] * 6
    with pytest.raises(SecondFactorRequired):
        await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    with pytest.raises(SecondFactorRequired):
        await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    with pytest.raises(SecondFactorRequired):
        await laptop.privacy.set_tier("local_only", password=PASSWORD)
    with pytest.raises(SecondFactorRequired):
        await laptop.account.delete(PASSWORD)
    phone = await ada.device("phone")
    with pytest.raises(SecondFactorRequired):
        await phone.account.recover(
            SERVER, ada.email, codes[0], NEW_PASSWORD, device_name="phone", custody=ada.custody, kdf_profile=CHEAPEST
        )
    with pytest.raises(SecondFactorRequired):
        await ada.login(phone)
    await laptop.sync()
    assert await laptop.account.recovery_codes_left() == 10
    await ada.login(phone)


async def test_factors_are_listed_removed_and_their_codes_replaced(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    assert (await laptop.factors.list()).items == ()
    old = await ada.add_app(laptop)
    await ada.login(phone)
    new = await laptop.factors.new_codes(PASSWORD)
    with pytest.raises(SessionRevoked):
        await phone.account.me()
    ada.answers = [old[0], new.codes[0]]
    await ada.login(phone)
    (factor,) = (await phone.factors.list()).items
    assert (factor.name, factor.kind, (await phone.factors.list()).codes_left) == ("phone", "totp", 9)
    with pytest.raises(WrongPassword):
        await phone.factors.remove(factor, NEW_PASSWORD)
    await phone.factors.remove(factor, PASSWORD)
    ada.asked.clear()
    await ada.login(laptop)
    assert ada.asked == []


async def test_a_server_that_is_guessed_at_says_so_and_a_factor_code_goes_on(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    codes = await ada.add_app(laptop)
    ada.answers = ["000000"] * 6
    with pytest.raises(TooManyFactorAttempts):
        await ada.login(phone)
    ada.answers = [codes[0]]
    await ada.login(phone)


async def test_no_wrong_code_of_the_other_kind_is_good(ada: Owner) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    recovery_codes = await ada.register(laptop)
    factor_codes = await ada.add_app(laptop)
    ada.answers = [recovery_codes[0], None]
    with pytest.raises(InvalidFactor):
        await ada.login(phone)
    with pytest.raises(InvalidRecoveryCode):
        await phone.account.recover(
            SERVER, ada.email, factor_codes[0], NEW_PASSWORD, device_name="phone", custody=ada.custody
        )


def test_the_blocking_client_asks_a_plain_function(tmp_path: Path, server: RunningServer) -> None:
    networks = Network(), Network()
    asked: list[str] = []
    codes: list[str] = []

    def answer(question: FactorQuestion) -> str:
        asked.append(question.server)
        return codes.pop()

    def opened(name: str, network: Network) -> BlockingClient:
        return BlockingClient.open(
            tmp_path, name, keychain=FileKeychain(tmp_path / "keys"), http_transport=network, second_factor=answer,
            allow_test_parameters=True,
        )  # fmt: skip

    with opened("laptop", networks[0]) as laptop, opened("phone", networks[1]) as phone:
        email = f"{tmp_path.name}@example.org"
        laptop.account.register(server.url, email, PASSWORD, device_name="laptop", kdf_profile=CHEAPEST)
        app = laptop.factors.add_app(PASSWORD)
        drawn = laptop.factors.confirm_app(app, pyotp.TOTP(app.secret).now())
        assert drawn is not None
        codes = [drawn.codes[0]]
        phone.account.login(server.url, email, PASSWORD, device_name="phone")
        assert asked == [server.url]
    sent = [json.loads(body) for _, path, body in networks[1].sent if path.endswith("/auth/login")]
    assert [("factor" in each and each["factor"] is not None) for each in sent] == [False, True]
    # What answered is bound to the question.
    assert sent[1]["factor"]["challenge"]

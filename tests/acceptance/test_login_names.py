"""Accounts that are known by a name without an @: every way in and every change, in either custody."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lockleaf.client.errors import EmailTaken, WrongPassword
from lockleaf.client.profile.profiles import CustodyName
from lockleaf.crypto.kdf import CHEAPEST
from tests.support.command_line import PASSWORD as TYPED
from tests.support.command_line import CommandLine
from tests.support.networks import Network
from tests.support.people import NEW_PASSWORD, PASSWORD, Person, UcePerson
from tests.support.process import RunningServer


@pytest.fixture(params=["e2e", "uce"])
async def ada(request: pytest.FixtureRequest, tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        person = (Person if request.param == "e2e" else UcePerson)(tmp_path / "home", server.url, stack)
        person.email = f"ada-{secrets.token_hex(6)}"
        yield person


async def test_a_name_leads_into_an_account_in_any_spelling(ada: Person) -> None:
    network = Network()
    laptop, phone = await ada.device("laptop", network=network), await ada.device("phone", network=network)
    await ada.register(laptop)
    name, ada.email = ada.email, f" {ada.email.upper()} "
    await ada.login(phone)
    assert phone.profile is not None
    assert phone.profile.login_name == name
    account = await phone.account.check_keys()
    assert (account.email, account.username) == (None, name)
    bodies = [json.loads(body) for _, path, body in network.sent if "/auth/" in path and body.startswith(b"{")]
    assert {body["username"] for body in bodies if "username" in body} == {name}
    assert not any("email" in body for body in bodies)
    with pytest.raises(EmailTaken):
        await ada.register(await ada.device("tablet"))


async def test_password_keys_and_codes_change_for_a_name_as_for_an_email(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    with pytest.raises(WrongPassword):
        await ada.login(phone)
    await ada.login(phone, NEW_PASSWORD)
    codes = await laptop.account.rotate_keyring(NEW_PASSWORD)
    assert laptop.profile is not None
    custody: CustodyName = laptop.profile.custody
    tablet = await ada.device("tablet")
    await tablet.account.recover(
        ada.server, ada.email, codes.codes[0], PASSWORD, device_name="x", custody=custody, kdf_profile=CHEAPEST
    )
    await tablet.sync()
    assert (await tablet.account.me()).username == ada.email
    await tablet.account.delete(PASSWORD)


async def test_a_link_code_binds_the_first_contact_of_a_name(tmp_path: Path, server: RunningServer) -> None:
    async with AsyncExitStack() as stack:
        ada = Person(tmp_path / "home", server.url, stack)
        ada.email = f"ada-{secrets.token_hex(6)}"
        laptop, phone = await ada.device("laptop"), await ada.device("phone")
        await ada.register(laptop)
        await laptop.sync()
        code = await laptop.account.link_code()
        await phone.account.login(ada.server, ada.email, PASSWORD, device_name="phone", link=code)
        await phone.sync()


def test_the_command_line_takes_a_name_and_shows_it(server: RunningServer, tmp_path: Path) -> None:
    laptop, phone, tablet = (CommandLine(tmp_path, name) for name in ("laptop", "phone", "tablet"))
    name = f"ada-{secrets.token_hex(6)}"
    made = laptop.run("register", "--server", server.url, "--username", name, "--device-name", "laptop", "--json")
    assert (made.value()["email"], made.value()["username"]) == (None, name)
    assert laptop.run("account", "show", "--json").value()["username"] == name
    assert name in laptop.run("account", "show").out
    laptop.run("logout")
    assert f"Logged in as {name}." in laptop.run("login").out
    # Which of the two it is, the @ tells, and not the option's name.
    phone.run("login", "--server", server.url, "--email", name, "--device-name", "phone")
    assert name in phone.run("status").out
    other = f"ada-{secrets.token_hex(6)}"
    welcome = tablet.run("register", "--server", server.url, "-u", other, "--device-name", "tablet")
    assert f"It has a name, {other}, and no email address." in welcome.out
    phone.run("password", environment={"LOCKLEAF_NEW_PASSWORD": NEW_PASSWORD})
    refused = laptop.run("login", "--json", code=3, environment={"LOCKLEAF_PASSWORD": TYPED}).error()
    assert "name" in refused["message"]

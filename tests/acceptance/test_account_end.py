"""The account's details, and its end: what is deleted, what stays here, and that nothing is lost by surprise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lockleaf.client.errors import (
    AccountDeleted,
    HeldHereAlone,
    InvalidAccountDetail,
    LockleafError,
    NotLoggedIn,
    SignedOut,
    WrongPassword,
)
from tests.support.command_line import PASSWORD as TYPED
from tests.support.command_line import CommandLine, fresh_email
from tests.support.networks import LosingNetwork, Network
from tests.support.people import PASSWORD, Person, UcePerson
from tests.support.process import RunningServer


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield Person(tmp_path / "home", server.url, stack)


@pytest.fixture(params=[Person, UcePerson])
async def person(request: pytest.FixtureRequest, tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    """Somebody end-to-end encrypted, and somebody whose server may read while a session is in use."""
    async with AsyncExitStack() as stack:
        yield request.param(tmp_path / "home", server.url, stack)


async def test_details_and_preferences_are_changed_one_by_one_and_taken_away(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await laptop.account.update(display_name=" Ada ", locale="de-CH")
    changed = await laptop.account.update(time_zone="Europe/Berlin")
    assert (changed.display_name, changed.locale, changed.timezone) == ("Ada", "de-CH", "Europe/Berlin")
    assert (await laptop.account.update(display_name="")).display_name is None
    assert (await laptop.account.details()).timezone == "Europe/Berlin"
    wishes = await laptop.account.update_preferences(daily_word_goal=300, writing_reminder_time="20:30")
    assert (wishes.daily_word_goal, wishes.writing_reminder_time) == (300, "20:30")
    wishes = await laptop.account.update_preferences(daily_word_goal=0, writing_reminder_time="")
    assert (wishes.daily_word_goal, wishes.writing_reminder_time) == (None, None)
    assert await laptop.account.preferences() == wishes


async def test_details_that_are_not_well_formed_are_refused_before_they_are_sent(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    sent = len(network.sent)
    for wrong in ({"time_zone": "Mars/Olympus"}, {"locale": "!"}, {"display_name": "a\nb"}):
        with pytest.raises(InvalidAccountDetail):
            await laptop.account.update(**wrong)
    with pytest.raises(InvalidAccountDetail):
        await laptop.account.update_preferences(writing_reminder_time="25:00")
    with pytest.raises(InvalidAccountDetail):
        await laptop.account.update_preferences(daily_word_goal=-1)
    assert len(network.sent) == sent


async def test_a_deleted_account_leaves_the_journal_on_each_device(person: Person) -> None:
    laptop, phone = await person.device("laptop"), await person.device("phone")
    await person.register(laptop)
    await laptop.journal.write(body="stays")
    await laptop.sync()
    await person.login(phone)
    await phone.sync()
    await phone.journal.write(body="on the phone alone")
    with pytest.raises(WrongPassword):
        await laptop.account.delete("not the password")
    assert laptop.is_logged_in
    await laptop.account.delete(PASSWORD)
    assert not laptop.is_logged_in
    assert laptop.profile is not None
    assert laptop.profile.account_deleted
    with pytest.raises(NotLoggedIn):
        await laptop.sync()
    await laptop.journal.write(body="written afterwards")
    await laptop.aclose()
    again = await person.device("laptop")
    assert {entry.body for entry in await again.journal.list()} == {"stays", "written afterwards"}
    with pytest.raises(LockleafError):
        await phone.sync()
    assert {entry.body for entry in await phone.journal.list()} == {"stays", "on the phone alone"}
    # The address is free again.
    await person.register(await person.device("new"))


async def test_a_logout_that_could_never_be_followed_by_a_login_is_refused(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await laptop.journal.write(body="stays")
    await laptop.account.delete(PASSWORD)
    with pytest.raises(AccountDeleted):
        await laptop.account.logout()
    assert await laptop.journal.count() == 1
    await laptop.account.logout(forget=True)
    assert laptop.profile is None


async def test_a_device_that_was_signed_out_keeps_open_what_it_holds_alone(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    await phone.journal.write(body="on the phone alone")
    await laptop.account.delete(PASSWORD)
    # Whether the phone has heard of it or hears of it now.
    for _ in range(2):
        with pytest.raises(HeldHereAlone):
            await phone.account.logout()
        assert [entry.body for entry in await phone.journal.list()] == ["on the phone alone"]
    with pytest.raises(SignedOut, match="Log in again"):
        await phone.sync()
    aside = await phone.account.logout(forget=True)
    assert aside is not None


async def test_a_device_that_was_signed_out_and_holds_nothing_alone_logs_out(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    await phone.journal.write(body="at the server")
    await phone.sync()
    await laptop.account.delete(PASSWORD)
    await phone.account.logout()
    assert not phone.is_open


async def test_a_deletion_whose_answer_was_lost_is_found_out(person: Person) -> None:
    laptop = await person.device("laptop", network=LosingNetwork("DELETE", "/users/me"))
    await person.register(laptop)
    await laptop.account.delete(PASSWORD)
    assert laptop.profile is not None
    assert laptop.profile.account_deleted


async def test_a_deletion_that_never_arrived_changes_nothing(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    network.refused = frozenset({"DELETE"})
    with pytest.raises(LockleafError):
        await laptop.account.delete(PASSWORD)
    assert laptop.is_logged_in
    assert (await laptop.sync()).pushed == 0


def test_the_command_line_says_what_goes_saves_it_first_and_keeps_the_journal(
    server: RunningServer, tmp_path: Path
) -> None:
    device = CommandLine(tmp_path, "laptop")
    device.run("register", "--server", server.url, "--email", fresh_email(), "--device-name", "x")
    device.run("account", "set", "--display-name", "Ada", "--time-zone", "Europe/Berlin")
    shown = device.run("account", "--json").value()
    assert (shown["display_name"], shown["time_zone"]) == ("Ada", "Europe/Berlin")
    device.run("write", "stays here")
    asked = device.run("account", "delete", code=2)
    assert "1 entry" in asked.err
    assert "--yes" in asked.err
    (tmp_path / "there.zip").touch()
    taken = device.run("account", "delete", "--yes", "--archive", str(tmp_path / "there.zip"), code=5)
    assert "there already" in taken.err
    assert "deleted at the server" in device.run("account", "delete", "--yes").out
    assert device.run("list", "--json").value()["body"] == "stays here"
    refused = device.run("logout", "--json", code=5).error()
    assert refused["name"] == "AccountDeleted"
    assert device.run("list", "--json").value()["body"] == "stays here"
    assert device.run("login", environment={"LOCKLEAF_PASSWORD": TYPED}, code=3).code == 3
    device.run("logout", "--forget", "--yes")
    assert not (tmp_path / "profiles" / "laptop").exists()

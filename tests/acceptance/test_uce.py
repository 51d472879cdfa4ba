"""User-controlled encryption through the real SDK: the server makes the keys, the devices keep them and check it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lockleaf.client import Client
from lockleaf.client.account.recovery_codes import CODES
from lockleaf.client.errors import (
    CustodyMismatch,
    InvalidRecoveryCode,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    RecoveryCodesUnconfirmed,
    SealBroken,
    ServerUnreachable,
    SessionRevoked,
    WrongPassword,
)
from tests.support.diarist import caught
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request
from tests.support.networks import LosingNetwork, Network
from tests.support.people import NEW_PASSWORD, PASSWORD, Person
from tests.support.process import RunningServer


class UcePerson(Person):
    """Somebody who chose uce."""

    async def register(self, client: Client) -> tuple[str, ...]:
        codes = await client.account.register(
            self.server, self.email, PASSWORD, device_name="first", custody="uce", display_name="Ada L."
        )
        return codes.codes

    async def login(self, client: Client, password: str = PASSWORD) -> None:
        await client.account.login(self.server, self.email, password, device_name="second", custody="uce")


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[UcePerson]:
    async with AsyncExitStack() as stack:
        yield UcePerson(tmp_path / "home", server.url, stack)


def sent_to(network: Network, path: str) -> list[dict[str, Any]]:
    """The bodies of the requests to ``path``."""
    return [json.loads(body) for _, asked, body in network.sent if asked.endswith(path) and body]


# ---- coming in ---------------------------------------------------------------------------------------------------


async def test_two_devices_have_the_keys_that_the_server_made_and_read_each_other(ada: UcePerson) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    codes = await ada.register(laptop)
    assert len(set(codes)) == CODES
    assert laptop.profile is not None
    assert (laptop.profile.custody, laptop.profile.kdf) == ("uce", None)
    assert (await laptop.account.me()).display_name == "Ada L."
    entry = await laptop.journal.write(body="It rained.", mood="calm", tags=["weather"], date="2026-01-02")
    await laptop.sync()
    await ada.login(phone)
    await phone.sync()
    read = await phone.journal.get(entry.id)
    assert (read.body, read.mood, read.tags, read.date) == ("It rained.", "calm", ("weather",), "2026-01-02")
    assert await phone.account.recovery_codes_left() == CODES


async def test_edits_made_offline_on_two_devices_merge_and_others_become_a_conflict(ada: UcePerson) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    entry = await laptop.journal.write(body="a\nb\nc")
    await laptop.sync()
    await ada.login(phone)
    await phone.sync()
    await laptop.journal.edit(entry.id, body="A\nb\nc")
    await phone.journal.edit(entry.id, body="a\nb\nC", mood="glad")
    await laptop.sync()
    assert (await phone.sync()).merged == 1
    await laptop.sync()
    assert (await laptop.journal.get(entry.id)).body == (await phone.journal.get(entry.id)).body == "A\nb\nC"
    await laptop.journal.edit(entry.id, body="one")
    await phone.journal.edit(entry.id, body="two")
    await laptop.sync()
    assert (await phone.sync()).conflicts == 1


async def test_the_journal_opens_without_the_server_once_the_device_has_logged_in(ada: UcePerson) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    entry = await laptop.journal.write(body="offline")
    await laptop.aclose()
    down = Network()
    down.refused = frozenset({"GET", "POST"})
    again = await ada.device("laptop", network=down)
    assert (await again.journal.get(entry.id)).body == "offline"


async def test_the_server_gets_the_date_and_source_of_entries_to_list_them_by(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=(network := Network()))
    await ada.register(laptop)
    await laptop.journal.write(body="x", date="2026-01-02")
    await laptop.sync()
    (pushed,) = [body for _, path, body in network.sent if path.endswith("/sync/push")]
    assert b"2026-01-02T00:00:00Z" in pushed


# ---- who chooses the custody -------------------------------------------------------------------------------------


async def test_the_password_itself_is_sent_only_where_the_caller_chose_uce(ada: UcePerson) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    network = Network()
    phone = await ada.device("phone", network=network)
    with pytest.raises(WrongPassword):
        await phone.account.login(ada.server, ada.email, PASSWORD, device_name="x")
    assert PASSWORD.encode() not in b"".join(body for _, _, body in network.sent)
    await ada.login(phone)
    assert [body["password"] for body in sent_to(network, "/auth/login")][-1] == PASSWORD


async def test_a_profile_remembers_its_custody(ada: UcePerson) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    await laptop.account.logout()
    sent = len(network.sent)
    with pytest.raises(CustodyMismatch):
        await laptop.account.login(ada.server, ada.email, PASSWORD, device_name="x", custody="e2e")
    assert len(network.sent) == sent
    await laptop.account.login(ada.server, ada.email, PASSWORD, device_name="x")
    assert laptop.is_logged_in


async def test_a_profile_of_an_end_to_end_encrypted_account_never_sends_the_password(
    tmp_path: Path, server: RunningServer
) -> None:
    async with AsyncExitStack() as stack:
        person = Person(tmp_path / "home", server.url, stack)
        network = Network()
        laptop = await person.device("laptop", network=network)
        await person.register(laptop)
        await laptop.account.logout()
        with pytest.raises(CustodyMismatch):
            await laptop.account.login(server.url, person.email, PASSWORD, device_name="x", custody="uce")
        with pytest.raises(CustodyMismatch):
            await laptop.account.recover(
                server.url, person.email, "0" * 20, NEW_PASSWORD, device_name="x", custody="uce"
            )
        assert PASSWORD.encode() not in b"".join(body for _, _, body in network.sent)


# ---- changing what opens it --------------------------------------------------------------------------------------


async def test_a_password_change_keeps_the_keys_and_signs_the_others_out(ada: UcePerson) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    entry = await laptop.journal.write(body="before")
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.sync()
    with pytest.raises(SessionRevoked):
        await phone.sync()
    with pytest.raises(WrongPassword):
        await ada.login(phone)
    await ada.login(phone, NEW_PASSWORD)
    await phone.sync()
    assert (await phone.journal.get(entry.id)).body == "before"
    assert phone.profile is not None
    assert phone.profile.keyring_version == 2


async def test_a_mistyped_password_is_not_sent_and_changes_nothing(ada: UcePerson) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    for attempt in (
        laptop.account.change_password("mistyped by me", NEW_PASSWORD),
        laptop.account.rotate_keyring("mistyped by me"),
        laptop.account.new_recovery_codes("short"),
    ):
        with pytest.raises(WrongPassword):
            await attempt
    assert b"mistyped" not in b"".join(body for _, _, body in network.sent)
    await laptop.sync()


async def test_after_a_rotation_both_devices_read_what_was_and_what_is_written(ada: UcePerson) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    old = await ada.register(laptop)
    before = await laptop.journal.write(body="before")
    await laptop.sync()
    await ada.login(phone)
    unsent = await phone.journal.write(body="unsent")
    codes = await laptop.account.rotate_keyring(PASSWORD)
    assert len(set(codes) - set(old)) == CODES
    after = await laptop.journal.write(body="after")
    await laptop.sync()
    assert len(laptop._device.opened.keyring) == 2
    await ada.login(phone)
    await phone.sync()
    await laptop.sync()
    for device in (laptop, phone):
        read = {entry.id: entry.body for entry in await device.journal.list()}
        assert read == {before.id: "before", after.id: "after", unsent.id: "unsent"}


async def test_a_recovery_code_brings_everything_back_and_is_spent(ada: UcePerson) -> None:
    laptop, tablet = await ada.device("laptop"), await ada.device("tablet")
    codes = await ada.register(laptop)
    entry = await laptop.journal.write(body="kept")
    await laptop.sync()
    await laptop.account.change_password(PASSWORD, "forgotten at once")
    await tablet.account.recover(
        ada.server, ada.email, f" {codes[3].lower()} ", NEW_PASSWORD, device_name="tablet", custody="uce"
    )
    await tablet.sync()
    assert (await tablet.journal.get(entry.id)).body == "kept"
    assert await tablet.account.recovery_codes_left() == CODES - 1
    other = await ada.device("other")
    with pytest.raises(InvalidRecoveryCode):
        await other.account.recover(ada.server, ada.email, codes[3], NEW_PASSWORD, device_name="other", custody="uce")
    # The device that was there before goes on with the new password, and remembers its custody.
    await laptop.account.login(ada.server, ada.email, NEW_PASSWORD, device_name="laptop")
    await laptop.sync()


async def test_new_recovery_codes_end_the_old_ones(ada: UcePerson) -> None:
    laptop, tablet = await ada.device("laptop"), await ada.device("tablet")
    old = await ada.register(laptop)
    new = await laptop.account.new_recovery_codes(PASSWORD)
    for code, right in ((old[0], False), (new.codes[0], True)):
        recovering = tablet.account.recover(
            ada.server, ada.email, code, NEW_PASSWORD, device_name="tablet", custody="uce"
        )
        if right:
            await recovering
        else:
            with pytest.raises(InvalidRecoveryCode):
                await recovering


# ---- answers that are lost ---------------------------------------------------------------------------------------


async def test_a_registration_whose_answer_was_lost_is_one_account_with_codes_that_work(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("POST", "/auth/signup"))
    codes = await ada.register(laptop)
    assert await laptop.account.recovery_codes_left() == CODES
    await laptop.sync()
    tablet = await ada.device("tablet")
    await tablet.account.recover(ada.server, ada.email, codes[0], NEW_PASSWORD, device_name="tablet", custody="uce")


async def test_a_password_change_whose_answer_was_lost_is_found_out_at_once(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("PUT", "/auth/password"))
    await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    assert laptop.profile is not None
    assert laptop.profile.keyring_version == 2
    await laptop.sync()


async def test_a_rotation_whose_answer_was_lost_gives_codes_that_work(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("PUT", "/auth/keyring"))
    await ada.register(laptop)
    codes = await laptop.account.rotate_keyring(PASSWORD)
    await laptop.journal.write(body="under the new key")
    await laptop.sync()
    tablet = await ada.device("tablet")
    await tablet.account.recover(
        ada.server, ada.email, codes.codes[0], NEW_PASSWORD, device_name="tablet", custody="uce"
    )
    await tablet.sync()
    assert [entry.body for entry in await tablet.journal.list()] == ["under the new key"]


async def test_codes_that_nobody_confirmed_are_not_handed_out(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("POST", "/auth/recovery-codes"))
    await ada.register(laptop)
    with pytest.raises(RecoveryCodesUnconfirmed):
        await laptop.account.new_recovery_codes(PASSWORD)


# ---- a server that lies ------------------------------------------------------------------------------------------


class Says(Lie):
    """Alters what the server says of the account.

    Args:
        fields: what is said instead; None takes a field away.
    """

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        answer = await honest(request)
        if request.path not in ("/auth/me", "/auth/login") or answer.status != 200:
            return answer
        said = answer.read()
        account = said.get("user", said)
        account.update(self.fields)
        return Answer.of(request, {name: value for name, value in said.items() if value is not None})


OTHER = {
    "recipient": "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
    "signing_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "keyring": "AQEAAAAA" + "A" * 120,
    "kek_salt": "AAAAAAAAAAAAAAAAAAAAAA==",
}

LIES: list[tuple[dict[str, Any], type[LockleafError], type[LockleafError]]] = [
    # said, to a device that syncs, to one that logs in anew
    ({"encryption_tier": "e2e"}, CustodyMismatch, CustodyMismatch),
    ({"keyring_version": 0}, KeyringRolledBack, SealBroken),
    ({"keyring_version": 7}, KeysChangedElsewhere, SealBroken),
    ({"recipient": OTHER["recipient"]}, KeySubstituted, KeySubstituted),
    ({"signing_key": OTHER["signing_key"]}, KeySubstituted, KeySubstituted),
    ({"keyring": None}, KeyringMissing, KeyringMissing),
    ({"kek_salt": None}, KeyringMissing, KeyringMissing),
]


@pytest.mark.parametrize(("said", "syncing", "entering"), LIES, ids=[str(next(iter(lie[0]))) for lie in LIES])
async def test_a_lie_about_the_account_is_noticed(
    tmp_path: Path,
    liar: LyingServer,
    said: dict[str, Any],
    syncing: type[LockleafError],
    entering: type[LockleafError],
) -> None:
    async with AsyncExitStack() as stack:
        ada = UcePerson(tmp_path / "home", liar.url, stack)
        laptop, phone = await ada.device("laptop"), await ada.device("phone")
        await ada.register(laptop)
        await laptop.sync()
        liar.tell(Says(**said))
        await caught(laptop.sync(), syncing)
        await caught(ada.login(phone), entering)
        assert phone.profile is None


@pytest.mark.parametrize("name", ["keyring", "kek_salt"])
async def test_another_keyring_does_not_open(tmp_path: Path, liar: LyingServer, name: str) -> None:
    async with AsyncExitStack() as stack:
        ada = UcePerson(tmp_path / "home", liar.url, stack)
        laptop, phone = await ada.device("laptop"), await ada.device("phone")
        await ada.register(laptop)
        liar.tell(Says(**{name: OTHER[name]}))
        await caught(ada.login(phone), SealBroken)
        with pytest.raises(WrongPassword):
            await laptop.account.change_password(PASSWORD, NEW_PASSWORD)


async def test_a_rotation_that_the_old_key_does_not_vouch_for_is_not_taken_over(
    tmp_path: Path, liar: LyingServer
) -> None:
    async with AsyncExitStack() as stack:
        ada = UcePerson(tmp_path / "home", liar.url, stack)
        laptop = await ada.device("laptop")
        await ada.register(laptop)
        liar.tell(Says(rotation_signature="A" * 86 + "=="))
        await caught(laptop.account.rotate_keyring(PASSWORD), KeySubstituted)
        assert len(laptop._device.opened.keyring) == 1


async def test_a_server_that_is_away_is_named_and_nothing_is_lost(ada: UcePerson) -> None:
    laptop = await ada.device("laptop", network=(network := Network()))
    await ada.register(laptop)
    await laptop.journal.write(body="kept")
    network.refused = frozenset({"GET"})
    with pytest.raises(ServerUnreachable):
        await laptop.sync()
    network.refused = frozenset()
    assert (await laptop.sync()).pushed == 1

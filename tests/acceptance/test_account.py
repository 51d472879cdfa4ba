"""An account's life through the real SDK against a real server process."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest

from lockleaf.client import BlockingClient, Client, FileKeychain
from lockleaf.client.account.key_rotation import KeyChange
from lockleaf.client.account.recovery_codes import CODES
from lockleaf.client.errors import (
    AlreadyLoggedIn,
    EmailTaken,
    InvalidLoginName,
    InvalidRecoveryCode,
    KdfWeakened,
    KeychainUnavailable,
    NotLoggedIn,
    PasswordTooWeak,
    PasswordUnsuitable,
    RecoveryCodesUnconfirmed,
    RefreshTokenReused,
    ServerUnreachable,
    SessionRevoked,
    StoreDamaged,
    WrongPassword,
)
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.crypto.keyring import Keyring
from tests.support.networks import LosingNetwork, Network
from tests.support.people import AT_ONCE, NEW_PASSWORD, PASSWORD, Person
from tests.support.process import RunningServer


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield Person(tmp_path / "home", server.url, stack)


async def test_an_account_is_registered_and_its_second_device_has_the_same_keys(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    assert not laptop.is_logged_in
    codes = await ada.register(laptop)
    assert laptop.is_logged_in
    assert len(set(codes)) == CODES
    assert await laptop.account.recovery_codes_left() == CODES
    await ada.login(phone)
    assert laptop.profile is not None
    assert phone.profile is not None
    assert phone.profile.recipient == laptop.profile.recipient
    assert phone.profile.user_id == laptop.profile.user_id
    assert phone.profile.device_id != laptop.profile.device_id
    account = await phone.account.check_keys()
    assert (account.encryption_tier, account.privacy_tier, account.keyring_version) == ("e2e", "full_sync", 1)
    assert (await phone.account.features()).features.sync


async def test_what_one_device_writes_the_other_reads(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    entry = await laptop.journal.write(body="It rained.", title="Monday", mood="calm", tags=["weather"])
    await laptop.sync()
    await phone.sync()
    read = await phone.journal.get(entry.id)
    assert (read.body, read.title, read.mood, read.tags) == ("It rained.", "Monday", "calm", ("weather",))


async def test_no_secret_is_sent_at_registration_or_login(ada: Person) -> None:
    network = Network()
    laptop, phone = await ada.device("laptop", network=network), await ada.device("phone", network=network)
    codes = await ada.register(laptop)
    await ada.login(phone)
    traffic = b"".join(body for _, _, body in network.sent)
    assert ada.email.encode() in traffic
    for secret in (PASSWORD, *codes, *(code.replace("-", "") for code in codes)):
        assert secret.encode() not in traffic


async def test_a_profile_survives_a_restart_without_a_login(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    entry = await laptop.journal.write(body="kept")
    await laptop.aclose()
    again = await ada.device("laptop")
    assert again.is_logged_in
    assert (await again.journal.get(entry.id)).body == "kept"
    assert (await again.account.me()).id == (again.profile and again.profile.user_id)


async def test_a_wrong_password_is_told_and_leaves_no_profile(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    with pytest.raises(WrongPassword):
        await ada.login(phone, "wrong")
    assert phone.profile is None
    with pytest.raises(NotLoggedIn):
        _ = phone.journal
    await ada.login(phone)
    assert phone.is_logged_in


async def test_an_unknown_email_looks_like_a_wrong_password(ada: Person) -> None:
    # The parameters shown for an unknown email look real, so they are above the floors of a client.
    phone = await ada.device("phone")
    with pytest.raises(WrongPassword):
        await ada.login(phone)


async def test_parameters_made_for_tests_are_refused_outside_tests(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    async with await Client.open(ada.home, "strict", keychain=FileKeychain(ada.home / "k"), retry=AT_ONCE) as strict:
        with pytest.raises(KdfWeakened):
            await ada.login(strict)
        with pytest.raises(KdfWeakened):
            await strict.account.register(
                ada.server, "new@example.org", PASSWORD, device_name="x", kdf_profile=CHEAPEST
            )


async def test_an_email_is_taken_once(ada: Person) -> None:
    await ada.register(await ada.device("laptop"))
    other = await ada.device("other")
    with pytest.raises(EmailTaken):
        await ada.register(other)
    assert other.profile is None


async def test_a_profile_belongs_to_one_account(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    with pytest.raises(AlreadyLoggedIn):
        await ada.login(laptop)
    with pytest.raises(AlreadyLoggedIn):
        await ada.register(laptop)
    await laptop.account.logout()
    with pytest.raises(AlreadyLoggedIn):
        await laptop.account.login(ada.server, "somebody@example.org", PASSWORD, device_name="x")


async def test_a_device_that_was_signed_out_elsewhere_logs_in_again_without_more_ado(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    entry = await phone.journal.write(body="never synced")
    (session,) = [item for item in await laptop.account.sessions() if not item.current]
    await laptop.account.revoke(session.id)
    assert phone.is_logged_in  # as far as it knows
    await ada.login(phone)
    assert (await phone.sync()).pushed == 1
    assert (await phone.journal.get(entry.id)).body == "never synced"
    assert await phone.journal.last_sync() is not None


async def test_input_that_is_none_is_refused_before_anything_is_sent(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    with pytest.raises(InvalidLoginName):
        await laptop.account.register(ada.server, "not an address", PASSWORD, device_name="x")
    for custody in ("e2e", "uce"):
        with pytest.raises(PasswordTooWeak):
            await laptop.account.register(ada.server, ada.email, "short", device_name="x", custody=custody)
    with pytest.raises(PasswordTooWeak):
        await laptop.account.register(ada.server, ada.email, f"{ada.email}1", device_name="x")
    with pytest.raises(PasswordUnsuitable):
        await laptop.account.register(
            ada.server, ada.email, "short", device_name="x", custody="uce", allow_weak_password=True
        )
    with pytest.raises(PasswordTooWeak):
        await laptop.account.recover(ada.server, ada.email, "0" * 20, "password1234", device_name="x")
    with pytest.raises(WrongPassword):
        await laptop.account.login(ada.server, ada.email, "short", device_name="x", custody="uce")
    with pytest.raises(InvalidRecoveryCode):
        await laptop.account.recover(ada.server, ada.email, "nonsense", NEW_PASSWORD, device_name="x")
    assert network.sent == []


async def test_logging_out_ends_the_session_and_seals_the_journal_until_the_next_login(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    entry = await laptop.journal.write(body="not sent yet")
    await laptop.account.logout()
    assert network.count("POST", "/auth/logout") == 1
    with pytest.raises(NotLoggedIn):
        _ = laptop.journal
    with pytest.raises(NotLoggedIn):
        await laptop.account.me()
    assert not (ada.home / "laptop.keychain").exists()
    await ada.login(laptop)
    assert (await laptop.journal.get(entry.id)).pending
    assert (await laptop.sync()).pushed == 1


async def test_forgetting_what_the_server_has_leaves_nothing_on_the_device(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await laptop.journal.write(body="x")
    await laptop.sync()
    assert await laptop.account.logout(forget=True) is None
    assert not (ada.home / "profiles" / "laptop").exists()
    assert laptop.profile is None


async def test_logging_out_works_without_the_server_and_says_so(ada: Person) -> None:
    network = LosingNetwork("GET", "/auth/me", then_down=True)
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    with pytest.raises(ServerUnreachable):
        await laptop.account.me()
    await laptop.account.logout()
    assert not laptop.is_logged_in
    assert any("server could not be told" in sentence for sentence in ada.heard)


async def test_a_lost_key_comes_back_with_the_password(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    entry = await laptop.journal.write(body="written before the keychain was lost")
    await laptop.aclose()
    (ada.home / "laptop.keychain").unlink()
    again = await ada.device("laptop")
    assert not again.is_logged_in
    with pytest.raises(KeychainUnavailable):
        _ = again.journal
    await ada.login(again)
    assert (await again.journal.get(entry.id)).body == "written before the keychain was lost"


async def test_a_damaged_journal_is_put_aside_and_fetched_anew_by_a_login(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    await laptop.journal.write(body="on the server")
    await laptop.sync()
    await laptop.aclose()
    store = ada.home / "profiles" / "laptop" / "store.sqlite3"
    store.write_bytes(b"not a database" * 1000)
    again = await ada.device("laptop")
    assert not again.is_logged_in
    with pytest.raises(StoreDamaged):
        _ = again.journal
    await ada.login(again)
    await again.sync()
    assert [entry.body for entry in await again.journal.list()] == ["on the server"]
    [aside] = store.parent.glob("damaged-*")
    assert (aside / "store.sqlite3").read_bytes().startswith(b"not a database")
    assert str(aside) in ada.heard[-1]


# ---- sessions ----


async def test_a_device_that_is_signed_out_from_another_one_is_told_so(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    listed = await laptop.account.sessions()
    assert {session.device_name for session in listed} == {"first", "second"}
    [other] = [session for session in listed if not session.current]
    await laptop.account.revoke(other.id)
    with pytest.raises(SessionRevoked):
        await phone.account.me()
    assert not phone.is_logged_in
    await ada.login(phone)
    assert (await phone.account.me()).email == ada.email


async def test_a_copied_session_is_ended_when_both_use_it(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    transport = laptop._device.opened.transport
    stolen = transport.tokens.load()
    assert stolen is not None
    await transport._access.renew(stolen.access_token)
    assert (await laptop.account.me()).email == ada.email
    transport.tokens.save(stolen)
    with pytest.raises(RefreshTokenReused):
        await transport._access.renew(stolen.access_token)
    assert not laptop.is_logged_in


async def test_a_refresh_whose_answer_was_lost_goes_on(ada: Person) -> None:
    network = LosingNetwork("POST", "/auth/refresh", times=2)
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    transport = laptop._device.opened.transport
    held = transport.tokens.load()
    assert held is not None
    await transport._access.renew(held.access_token)
    assert network.count("POST", "/auth/refresh") == 3
    assert (await laptop.account.me()).email == ada.email


# ---- answers that were lost ----


async def test_a_registration_whose_answer_was_lost_is_one_account(ada: Person) -> None:
    network = LosingNetwork("POST", "/auth/signup")
    laptop = await ada.device("laptop", network=network)
    codes = await ada.register(laptop)
    assert network.count("POST", "/auth/signup") == 2
    await laptop.account.check_keys()
    phone = await ada.device("phone")
    await phone.account.recover(
        ada.server, ada.email, codes[0], NEW_PASSWORD, device_name="phone", kdf_profile=CHEAPEST
    )
    assert phone.is_logged_in


async def test_a_password_change_signs_the_others_out_and_keeps_the_journal(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    await laptop.journal.write(body="before")
    await laptop.sync()
    unsent = await phone.journal.write(body="on the phone, unsent")
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.sync()
    with pytest.raises(SessionRevoked):
        await phone.sync()
    with pytest.raises(WrongPassword):
        await ada.login(phone)
    await ada.login(phone, NEW_PASSWORD)
    assert (await phone.journal.get(unsent.id)).pending
    await phone.sync()
    assert {entry.body for entry in await phone.journal.list()} == {"before", "on the phone, unsent"}


async def test_a_mistyped_present_password_changes_nothing_and_is_not_sent(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    calls: list[Callable[[], Any]] = [
        lambda: laptop.account.change_password("mistyped", NEW_PASSWORD),
        lambda: laptop.account.rotate_keyring("mistyped"),
        lambda: laptop.account.new_recovery_codes("mistyped"),
    ]
    for call in calls:
        with pytest.raises(WrongPassword):
            await call()
    assert {method for method, _, _ in network.sent[1:]} == {"GET"}
    assert (await laptop.account.check_keys()).keyring_version == 1


async def test_a_password_change_whose_answer_was_lost_is_found_out_at_once(ada: Person) -> None:
    network = LosingNetwork("PUT", "/auth/password")
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    assert network.count("PUT", "/auth/password") == 1
    assert (await laptop.account.check_keys()).keyring_version == 2
    await ada.login(await ada.device("phone"), NEW_PASSWORD)


async def test_a_password_change_whose_answer_was_lost_is_found_out_at_the_next_start(ada: Person) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("PUT", "/auth/password", then_down=True))
    await ada.register(laptop)
    with pytest.raises(ServerUnreachable):
        await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.aclose()
    again = await ada.device("laptop")
    await again.sync()
    assert again.profile is not None
    assert again.profile.keyring_version == 2
    assert ada.heard


async def test_a_password_change_that_never_arrived_changes_nothing(ada: Person) -> None:
    network = Network()
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    network.refused = frozenset({"PUT"})
    with pytest.raises(ServerUnreachable):
        await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    assert (await laptop.account.check_keys()).keyring_version == 1
    network.refused = frozenset()
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await ada.login(await ada.device("phone"), NEW_PASSWORD)


# ---- rotation ----


async def test_after_a_rotation_all_is_readable_and_new_entries_are_sealed_under_the_new_key(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    old_codes = await ada.register(laptop)
    await laptop.journal.write(body="before")
    await laptop.sync()
    before = laptop.profile
    codes = await laptop.account.rotate_keyring(PASSWORD)
    assert len(codes) == CODES
    assert not set(codes) & set(old_codes)
    await laptop.journal.write(body="after")
    await laptop.sync()
    assert laptop.profile is not None
    assert before is not None
    assert laptop.profile.recipient != before.recipient
    await ada.login(phone)
    await phone.sync()
    assert {entry.body for entry in await phone.journal.list()} == {"before", "after"}
    assert [entry.key_id for entry in phone._device.opened.keyring] == [1, 2]
    with pytest.raises(InvalidRecoveryCode):
        await (await ada.device("third")).account.recover(
            ada.server, ada.email, old_codes[0], NEW_PASSWORD, device_name="x", kdf_profile=CHEAPEST
        )


async def test_after_a_rotation_the_store_opens_again_with_what_the_keychain_has(ada: Person) -> None:
    laptop = await ada.device("laptop")
    await ada.register(laptop)
    entry = await laptop.journal.write(body="sealed twice")
    await laptop.account.rotate_keyring(PASSWORD)
    await laptop.aclose()
    again = await ada.device("laptop")
    assert (await again.journal.get(entry.id)).body == "sealed twice"
    await again.sync()


async def test_another_device_takes_the_rotation_over_with_its_unsent_edits(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    await phone.sync()
    await phone.journal.write(body="unsent")
    await laptop.account.rotate_keyring(PASSWORD)
    with pytest.raises(SessionRevoked):
        await phone.sync()
    await ada.login(phone)
    await phone.sync()
    await laptop.sync()
    assert [entry.body for entry in await laptop.journal.list()] == ["unsent"]


async def test_a_rotation_whose_answer_was_lost_is_found_out_and_gives_its_codes(ada: Person) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("PUT", "/auth/keyring", then_down=True))
    await ada.register(laptop)
    entry = await laptop.journal.write(body="x")
    with pytest.raises(ServerUnreachable):
        await laptop.account.rotate_keyring(PASSWORD)
    # Not acknowledged: nothing is written under the new key.
    assert len(laptop._device.opened.keyring) == 1
    await laptop.aclose()
    network = Network()
    again = await ada.device("laptop", network=network)
    codes = await again.account.rotate_keyring(PASSWORD)
    assert network.count("PUT", "/auth/keyring") == 0
    assert len(again._device.opened.keyring) == 2
    await again.sync()
    assert (await again.journal.get(entry.id)).body == "x"
    phone = await ada.device("phone")
    await phone.account.recover(
        ada.server, ada.email, codes.codes[3], NEW_PASSWORD, device_name="phone", kdf_profile=CHEAPEST
    )
    await phone.sync()
    assert (await phone.journal.get(entry.id)).body == "x"


async def test_a_crash_in_the_middle_of_taking_a_rotation_over_is_completed_at_the_next_start(ada: Person) -> None:
    network = LosingNetwork("PUT", "/auth/keyring", then_down=True)
    laptop = await ada.device("laptop", network=network)
    await ada.register(laptop)
    entry = await laptop.journal.write(body="x")
    with pytest.raises(ServerUnreachable):
        await laptop.account.rotate_keyring(PASSWORD)
    network.down = False
    device = laptop._device
    kept = device.opened.store.get_secret("key_change")
    assert kept is not None
    # The store is sealed anew, and the profile is not yet written, when the power goes.
    await device.adopt_keyring(Keyring.unpack(KeyChange.model_validate_json(kept).keyring))
    await laptop.aclose()
    again = await ada.device("laptop")
    assert again.profile is not None
    assert again.profile.keyring_version == 1
    await again.sync()
    assert again.profile.keyring_version == 2
    assert (await again.journal.get(entry.id)).body == "x"
    assert len(await again.account.rotate_keyring(PASSWORD)) == CODES


# ---- recovery ----


async def test_a_recovery_code_brings_everything_back_and_is_spent(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    codes = await ada.register(laptop)
    await laptop.journal.write(body="not lost")
    await laptop.sync()
    await phone.account.recover(
        ada.server, ada.email, codes[4].lower().replace("-", " "), NEW_PASSWORD, device_name="p", kdf_profile=CHEAPEST
    )
    await phone.sync()
    assert [entry.body for entry in await phone.journal.list()] == ["not lost"]
    assert await phone.account.recovery_codes_left() == CODES - 1
    with pytest.raises(SessionRevoked):
        await laptop.sync()
    with pytest.raises(WrongPassword):
        await ada.login(laptop)
    third = await ada.device("third")
    with pytest.raises(InvalidRecoveryCode):
        await third.account.recover(
            ada.server, ada.email, codes[4], NEW_PASSWORD, device_name="t", kdf_profile=CHEAPEST
        )
    # The other codes still open it, although the keyring was sealed anew since they were made.
    await third.account.recover(ada.server, ada.email, codes[5], PASSWORD, device_name="t", kdf_profile=CHEAPEST)
    await ada.login(laptop)
    await laptop.sync()


async def test_a_recovery_whose_answer_was_lost_logs_in_with_the_new_password(ada: Person) -> None:
    laptop = await ada.device("laptop")
    codes = await ada.register(laptop)
    phone = await ada.device("phone", network=LosingNetwork("POST", "/auth/recover"))
    await phone.account.recover(ada.server, ada.email, codes[0], NEW_PASSWORD, device_name="p", kdf_profile=CHEAPEST)
    await phone.sync()
    assert phone.profile is not None
    assert phone.profile.keyring_version == 2


async def test_new_recovery_codes_end_the_old_ones(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    old = await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    new = await laptop.account.new_recovery_codes(NEW_PASSWORD)
    assert await laptop.account.recovery_codes_left() == CODES
    await laptop.sync()
    for code, works in ((old[0], False), (new.codes[0], True)):
        recovering = phone.account.recover(ada.server, ada.email, code, PASSWORD, device_name="p", kdf_profile=CHEAPEST)
        if works:
            await recovering
        else:
            with pytest.raises(InvalidRecoveryCode):
                await recovering
    assert phone.is_logged_in


async def test_new_codes_that_nobody_confirmed_are_not_handed_out(ada: Person) -> None:
    laptop = await ada.device("laptop", network=LosingNetwork("POST", "/auth/recovery-codes", then_down=True))
    await ada.register(laptop)
    with pytest.raises(RecoveryCodesUnconfirmed):
        await laptop.account.new_recovery_codes(PASSWORD)


# ---- the plain face ----


def test_the_plain_face_does_the_same_without_an_event_loop(tmp_path: Path, server: RunningServer) -> None:
    email = f"{secrets.token_hex(6)}@example.org"

    def opened(name: str) -> BlockingClient:
        chain = FileKeychain(tmp_path / f"{name}.keychain")
        return BlockingClient.open(tmp_path, name, keychain=chain, retry=AT_ONCE, allow_test_parameters=True)

    with opened("laptop") as laptop, opened("phone") as phone:
        with pytest.raises(NotLoggedIn):
            laptop.journal.list()
        laptop.account.register(server.url, email, PASSWORD, device_name="laptop", kdf_profile=CHEAPEST)
        entry = laptop.journal.write(body="plain")
        assert laptop.sync().pushed == 1
        phone.account.login(server.url, email, PASSWORD, device_name="phone")
        reports = phone.sync.watch()
        assert next(reports).pulled == 1
        reports.close()  # type: ignore[attr-defined]
        assert phone.journal.get(entry.id).body == "plain"


async def test_a_watching_device_hears_of_what_another_writes(ada: Person) -> None:
    laptop, phone = await ada.device("laptop"), await ada.device("phone")
    await ada.register(laptop)
    await ada.login(phone)
    async with aclosing(phone.sync.watch(every=3600)) as reports:
        await anext(reports)
        entry = await laptop.journal.write(body="news")
        await laptop.sync()
        async with asyncio.timeout(20):
            while (await anext(reports)).pulled == 0:
                pass
    assert (await phone.journal.get(entry.id)).body == "news"

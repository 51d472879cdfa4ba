from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.client.account.recovery_codes import CODES, drawn_codes, new_recovery_set
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.account.user_controlled import sendable
from lockleaf.client.errors import (
    InvalidAnswer,
    InvalidDeviceName,
    InvalidLoginName,
    KdfWeakened,
    PasswordNotText,
    PasswordUnsuitable,
)
from lockleaf.client.keychain.password_keys import fresh_parameters, kdf_from_wire, kdf_to_wire, unlock
from lockleaf.crypto import recovery
from lockleaf.crypto.kdf import CHEAPEST, COMPATIBLE, DEFAULT, KdfParameters, is_weaker
from lockleaf.crypto.keyring import RECOVERY_LABEL, Keyring, open_keyring

USER = UUID("01890000-0000-7000-8000-000000000001")

argon2id = st.builds(
    KdfParameters,
    algorithm=st.just("argon2id"),
    salt=st.binary(min_size=16, max_size=16),
    iterations=st.integers(1, 16),
    memory_kib=st.integers(8, 1_048_576),
    parallelism=st.integers(1, 8),
)


@given(argon2id)
def test_parameters_come_back_from_their_wire_form(params: KdfParameters) -> None:
    assert kdf_from_wire(kdf_to_wire(params)) == params


@given(argon2id)
def test_a_new_password_is_never_protected_less_than_the_old_one_or_the_default(params: KdfParameters) -> None:
    fresh = fresh_parameters(params)
    assert fresh.salt != params.salt
    assert not is_weaker(fresh, DEFAULT.new())
    if not is_weaker(params, DEFAULT.new()):
        assert not is_weaker(fresh, params)


def test_a_new_password_moves_an_account_from_pbkdf2_to_argon2id() -> None:
    assert fresh_parameters(COMPATIBLE.new()).algorithm == "argon2id"


async def test_pbkdf2_is_taken_only_from_who_asked_for_it() -> None:
    params = COMPATIBLE.new()
    with pytest.raises(KdfWeakened):
        await unlock("p", "ada@example.org", params, remembered=None)
    asked = await unlock("p", "ada@example.org", params, remembered=None, allow_pbkdf2=True)
    again = await unlock("p", "ada@example.org", params, remembered=params)
    assert asked == again


async def test_parameters_for_tests_are_refused_unless_this_is_a_test() -> None:
    with pytest.raises(KdfWeakened):
        await unlock("p", "ada@example.org", CHEAPEST.new(), remembered=None)
    with pytest.raises(KdfWeakened):
        await unlock("p", "ada@example.org", CHEAPEST.new(), remembered=DEFAULT.new(), allow_test_parameters=True)


@settings(max_examples=10)
@given(version=st.integers(1, 2**31))
def test_each_code_of_a_set_opens_the_keyring_of_its_version_alone(version: int) -> None:
    keyring = Keyring.new("2026-01-01T00:00:00Z")
    codes, entries = new_recovery_set(keyring, USER, version)
    assert len(set(codes)) == len(entries) == CODES
    for code, entry in zip(codes, entries, strict=True):
        assert entry.verifier_hash == recovery.verifier_hash(recovery.verifier(code))
        opened = open_keyring(
            entry.keyring, recovery.recovery_key(code), label=RECOVERY_LABEL, user_id=str(USER), version=version
        )
        assert opened == keyring
    assert not any(code in repr(codes) for code in codes)


@pytest.mark.parametrize(
    "login_name", ["", "a@", "@ada", "a da", "a\uff20b@c", "a@b@c", "a b@c", "@", "ada@\n", "x" * 250 + "@example.org"]
)
def test_what_is_neither_email_nor_name_is_refused_without_being_shown(login_name: str) -> None:
    with pytest.raises(InvalidLoginName) as caught:
        AccountPlace("https://example.org", login_name, "laptop")
    assert len(login_name) < 3 or login_name not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "known_as"), [(" Ada@Example.ORG ", "ada@example.org"), ("Ada", "ada"), ("\uff21da", "ada")]
)
def test_an_email_or_a_name_is_known_in_one_form(typed: str, known_as: str) -> None:
    assert AccountPlace("https://example.org", typed, "laptop").login_name == known_as


@pytest.mark.parametrize("name", ["x" * 129, "lap\ntop", "\x1b[2J"])
def test_a_device_name_that_a_terminal_could_not_show_is_refused(name: str) -> None:
    with pytest.raises(InvalidDeviceName):
        AccountPlace("https://example.org", "ada@example.org", name)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_a_password_that_no_server_takes_is_not_sent(password: str) -> None:
    with pytest.raises(PasswordUnsuitable):
        sendable(password)


def test_a_password_that_is_not_text_is_named_as_such() -> None:
    with pytest.raises(PasswordNotText):
        sendable("surrogate \ud800 inside")


def test_a_password_is_sent_in_one_form() -> None:
    assert sendable("cafe\u0301 au lait").proof == "caf\u00e9 au lait"


def test_codes_that_a_server_drew_are_shown_only_if_they_are_codes() -> None:
    codes = tuple(recovery.new_code() for _ in range(CODES))
    assert drawn_codes(codes).codes == codes
    for wrong in (None, (), codes[:9], (*codes[:9], codes[0]), (*codes[:9], "\x1b[2J"), (*codes[:9], codes[9].lower())):
        with pytest.raises(InvalidAnswer):
            drawn_codes(wrong)

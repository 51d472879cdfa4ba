"""A device without a keychain: its key under the password, open for a time, or left open by choice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lockleaf.client.errors import JournalLocked, KeychainUnavailable, WrongPassword
from lockleaf.client.keychain.lock_file import LOCK_FILE
from lockleaf.client.keychain.password_keychain import OPEN_FILE, PasswordKeychain
from lockleaf.crypto.device_lock import LockContext
from tests.support.files import bytes_below

CONTEXT = LockContext("ada@example.org", "0190a3a0-0000-7000-8000-000000000001", "device")
PASSWORD, OTHER = "six herons over a cold dyke", "another one entirely"
KEYS = '{"local_keys": {"1": "a secret of the store"}}'

Make = Callable[..., PasswordKeychain]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make the keychain of one profile as another program would find it."""
    return lambda **given: PasswordKeychain(tmp_path, allow_test_parameters=True, **given)


@pytest.fixture
def enrolled(make: Make) -> Make:
    make().enrol(CONTEXT, PASSWORD, KEYS)
    yield make
    make().delete("")


def test_before_the_first_login_there_is_nothing_to_unlock(make: Make) -> None:
    assert make().get("") is None
    with pytest.raises(KeychainUnavailable):
        make().unlock(PASSWORD)
    with pytest.raises(JournalLocked):
        make().set("", KEYS)
    with pytest.raises(JournalLocked):
        make().change_password(PASSWORD)
    with pytest.raises(JournalLocked):
        make().keep_unlocked()


def test_the_next_programs_find_it_open_until_it_is_locked(enrolled: Make, tmp_path: Path) -> None:
    assert enrolled().get("") == KEYS
    assert (enrolled().left() or 0) > 0
    enrolled().lock()
    assert enrolled().left() is None
    with pytest.raises(JournalLocked):
        enrolled().get("")
    with pytest.raises(WrongPassword):
        enrolled().unlock(OTHER)
    with pytest.raises(JournalLocked):
        enrolled().get("")
    assert enrolled().unlock(PASSWORD)
    assert enrolled().get("") == KEYS
    assert (tmp_path / LOCK_FILE).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_was_copied_holds_no_usable_key(enrolled: Make, tmp_path: Path) -> None:
    copied = bytes_below(tmp_path)
    assert b"a secret of the store" not in copied
    enrolled().keep_unlocked()
    key = (tmp_path / OPEN_FILE).read_bytes()
    assert key not in copied


def test_with_no_time_each_program_asks(make: Make) -> None:
    one = make(idle=0)
    one.enrol(CONTEXT, PASSWORD, KEYS)
    assert one.get("") == KEYS
    with pytest.raises(JournalLocked):
        make(idle=0).get("")
    assert not make(idle=0).unlock(PASSWORD)


def test_it_is_left_open_by_choice_and_locked_again(enrolled: Make, tmp_path: Path) -> None:
    enrolled().keep_unlocked()
    assert enrolled().is_kept_unlocked
    (tmp_path / OPEN_FILE).chmod(0o600)
    enrolled().set("", "others")
    assert enrolled().get("") == "others"
    # A login keeps what its user chose.
    enrolled().enrol(CONTEXT, OTHER, KEYS)
    assert enrolled().get("") == KEYS
    enrolled().lock()
    assert not enrolled().is_kept_unlocked
    with pytest.raises(JournalLocked):
        enrolled().get("")
    enrolled().unlock(OTHER)
    assert enrolled().get("") == KEYS


def test_a_new_password_opens_it_and_the_old_one_no_more(enrolled: Make) -> None:
    enrolled().change_password(OTHER)
    assert enrolled().get("") == KEYS
    enrolled().lock()
    with pytest.raises(WrongPassword):
        enrolled().unlock(PASSWORD)
    with pytest.raises(JournalLocked):
        enrolled().change_password(PASSWORD)
    enrolled().unlock(OTHER)
    assert enrolled().get("") == KEYS


def test_new_keys_take_the_place_of_old_ones_without_the_password(enrolled: Make) -> None:
    enrolled().set("", "rotated")
    enrolled().lock()
    with pytest.raises(JournalLocked):
        enrolled().set("", "by somebody else")
    enrolled().unlock(PASSWORD)
    assert enrolled().get("") == "rotated"


def test_logging_out_leaves_nothing(enrolled: Make, tmp_path: Path) -> None:
    enrolled().keep_unlocked()
    enrolled().delete("")
    enrolled().delete("")
    assert list(tmp_path.iterdir()) == []
    assert enrolled().get("") is None


def test_it_is_said_once_that_the_password_is_asked_for(make: Make) -> None:
    said: list[str] = []
    for _ in range(2):
        make(notice=said.append).enrol(CONTEXT, PASSWORD, KEYS)
    make().delete("")
    assert len(said) == 1
    assert "no keychain" in said[0]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"version": 2}'])
def test_a_damaged_lock_is_named_and_a_login_makes_a_new_one(enrolled: Make, tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(content)
    with pytest.raises(KeychainUnavailable):
        enrolled().get("")
    with pytest.raises(KeychainUnavailable):
        enrolled().unlock(PASSWORD)
    enrolled().lock()
    enrolled().enrol(CONTEXT, PASSWORD, KEYS)
    assert enrolled().get("") == KEYS


@pytest.mark.parametrize("field", ["email", "user_id", "device_id"])
def test_the_lock_of_another_account_or_device_does_not_open(enrolled: Make, tmp_path: Path, field: str) -> None:
    lock = json.loads((tmp_path / LOCK_FILE).read_bytes())
    (tmp_path / LOCK_FILE).write_text(json.dumps(lock | {field: "another"}))
    enrolled().lock()
    with pytest.raises(WrongPassword):
        enrolled().unlock(PASSWORD)


def test_what_was_kept_open_before_a_new_lock_opens_nothing(enrolled: Make, tmp_path: Path) -> None:
    enrolled().keep_unlocked()
    (tmp_path / OPEN_FILE).write_bytes(bytes(32))
    with pytest.raises(JournalLocked):
        enrolled().get("")


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"version": None},
        {"version": True},
        {"name": "../elsewhere"},
        {"user_id": 7},
        {"kdf": {"algorithm": "none"}},
        {"kdf": None},
        {"wrapped": "no base64"},
        {"kept": None},
        {"security_key": []},
        {"security_key": {"credential_id": "AAAA", "salt": "AAAA"}},
    ],
)
def test_a_damaged_lock_is_told_and_nothing_is_written_over_it(
    enrolled: Make, tmp_path: Path, damage: dict[str, object]
) -> None:
    enrolled().lock()
    lock = tmp_path / LOCK_FILE
    whole = lock.read_bytes()
    lock.write_text(json.dumps(json.loads(whole) | damage))
    damaged = lock.read_bytes()
    for touch in (lambda: enrolled().get(""), lambda: enrolled().unlock(PASSWORD), lambda: enrolled().set("", KEYS)):
        with pytest.raises(KeychainUnavailable):
            touch()
    assert lock.read_bytes() == damaged
    lock.write_bytes(whole)
    assert enrolled().unlock(PASSWORD)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_lock_that_is_no_json_object_is_told(enrolled: Make, tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK_FILE).write_bytes(content)
    with pytest.raises(KeychainUnavailable):
        enrolled().get("")


def test_a_security_key_in_a_lock_comes_back_as_it_was(enrolled: Make) -> None:
    keychain = enrolled()
    keychain.let_unlock(b"credential", b"s" * 32, b"p" * 32)
    found = enrolled().security_key
    assert found is not None
    assert (found.credential_id, found.salt) == (b"credential", b"s" * 32)
    enrolled().lock()
    assert enrolled().unlock(b"p" * 32)

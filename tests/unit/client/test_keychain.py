import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from lockleaf.client.errors import KeychainSilent, KeychainUnavailable
from lockleaf.client.keychain.keychains import (
    FileKeychain,
    Keychain,
    PasswordKeychain,
    SilentKeychain,
    SystemKeychain,
    choose_keychain,
    pack_local_keys,
    unpack_local_keys,
    within,
)


class MemoryBackend(KeyringBackend):
    """A working keychain, as the operating system would give one."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def use_backend():
    """Let a test choose the backend of the keyring library, and put the former one back."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_file_keychain_keeps_one_text_for_each_profile(tmp_path: Path) -> None:
    chain = FileKeychain(tmp_path / "keychain.json")
    assert chain.get("a") is None
    chain.set("a", "one")
    chain.set("b", "two")
    assert (chain.get("a"), chain.get("b")) == ("one", "two")
    assert stat.S_IMODE(chain.file.stat().st_mode) == 0o600
    chain.delete("a")
    chain.delete("a")
    assert (chain.get("a"), chain.get("b")) == (None, "two")
    chain.delete("b")
    assert not chain.file.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_damaged_file_keychain_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keychain.json").write_bytes(content)
    with pytest.raises(KeychainUnavailable):
        FileKeychain(tmp_path / "keychain.json").get("a")


def test_a_system_keychain_keeps_reads_and_forgets(use_backend) -> None:
    use_backend(MemoryBackend())
    chain = SystemKeychain()
    assert chain.usable()
    chain.set("a", "one")
    assert chain.get("a") == "one"
    chain.delete("a")
    chain.delete("a")
    assert chain.get("a") is None


def test_a_system_keychain_that_keeps_nothing_is_not_believed(use_backend) -> None:
    use_backend(null.Keyring())
    assert not SystemKeychain.usable()
    with pytest.raises(KeychainUnavailable):
        SystemKeychain().set("a", "one")


def test_a_system_without_a_keychain_is_named(use_backend) -> None:
    use_backend(fail.Keyring())
    assert not SystemKeychain.usable()
    for attempt in (lambda: SystemKeychain().get("a"), lambda: SystemKeychain().set("a", "one")):
        with pytest.raises(KeychainUnavailable):
            attempt()


def choose(folder: Path, said: list[str]) -> Keychain:
    return choose_keychain(folder, said.append, lambda: PasswordKeychain(folder))


def test_where_the_system_has_no_keychain_the_password_locks_the_journal(tmp_path: Path, use_backend) -> None:
    use_backend(fail.Keyring())
    said: list[str] = []
    assert isinstance(choose(tmp_path, said), PasswordKeychain)
    assert said == []


def test_the_systems_keychain_is_preferred_unless_something_else_was_begun(tmp_path: Path, use_backend) -> None:
    use_backend(MemoryBackend())
    said: list[str] = []
    assert isinstance(choose(tmp_path, said), SystemKeychain)
    FileKeychain(tmp_path / "keychain.json").set("a", "one")
    assert isinstance(choose(tmp_path, said), FileKeychain)
    (tmp_path / "lock.json").touch()
    assert isinstance(choose(tmp_path, said), PasswordKeychain)
    assert said == []


class MuteBackend(KeyringBackend):
    """A keychain that takes a question and never answers, until the test ends."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.over = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.set()
        self.over.wait(60)
        return None

    set_password = delete_password = get_password  # type: ignore[assignment]


def test_no_other_test_is_given_a_keychain_of_this_file(use_backend) -> None:
    keyring.core.init_backend()
    assert isinstance(keyring.get_keyring(), fail.Keyring)
    assert not SystemKeychain.usable()


@pytest.fixture
def mute(use_backend) -> Iterator[MuteBackend]:
    backend = MuteBackend()
    use_backend(backend)
    yield backend
    backend.over.set()


def test_a_keychain_that_never_answers_does_not_hold_anybody(mute: MuteBackend) -> None:
    with pytest.raises(KeychainSilent) as caught:
        within(0.05, lambda: keyring.get_password("lockleaf", "a"))
    assert mute.asked.is_set()
    assert "does not answer" in str(caught.value)
    assert isinstance(caught.value, KeychainUnavailable)
    for attempt in (lambda c: c.get("a"), lambda c: c.set("a", "b"), lambda c: c.delete("a")):
        with pytest.raises(KeychainSilent):
            attempt(SilentKeychain())


def test_what_goes_wrong_in_time_is_told_as_it_is() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=5))
def test_local_keys_come_back_from_their_text(keys: dict[int, bytes]) -> None:
    assert unpack_local_keys(pack_local_keys(keys)) == keys


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"local_keys": {}}', '{"local_keys": {"1": "AAAA"}}', '{"local_keys": {"x": 3}}']
)
def test_a_text_that_holds_no_local_keys_is_named(text: str) -> None:
    with pytest.raises(KeychainUnavailable):
        unpack_local_keys(text)

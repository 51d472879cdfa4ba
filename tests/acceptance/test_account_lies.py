"""A server, or somebody on the way, that lies about the account: every lie is caught and called by its name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lockleaf.client.errors import (
    AccountMismatch,
    ApiError,
    CustodyMismatch,
    IntegrityError,
    InvalidAnswer,
    KdfWeakened,
    KeyringMissing,
    KeyringRolledBack,
    KeysChangedElsewhere,
    KeySubstituted,
    LockleafError,
    SealBroken,
)
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.fields import decode_base64, encode_base64
from tests.support.networks import AlteringNetwork
from tests.support.people import NEW_PASSWORD, PASSWORD, Person
from tests.support.process import RunningServer

STRANGER = Keyring.new("2026-01-01T00:00:00Z").newest
Lie = Callable[[dict[str, Any]], None]


@pytest.fixture
async def ada(tmp_path: Path, server: RunningServer) -> AsyncIterator[Person]:
    async with AsyncExitStack() as stack:
        yield Person(tmp_path / "home", server.url, stack)


class Liar:
    """Tells the truth until it is given a lie about the account."""

    def __init__(self) -> None:
        self.lie: Lie | None = None
        self.network = AlteringNetwork(self._alter)

    def _alter(self, path: str, told: dict[str, Any]) -> dict[str, Any] | None:
        if self.lie is not None:
            if path.endswith("/auth/me"):
                self.lie(told)
            elif path.endswith("/auth/login"):
                self.lie(told["user"])
        return told


def flip(text: str) -> str:
    data = bytearray(decode_base64(text))
    data[-1] ^= 1
    return encode_base64(bytes(data))


LIES: dict[str, tuple[Lie, type[LockleafError]]] = {
    "another custody": (lambda me: me.update(encryption_tier="uce"), CustodyMismatch),
    "another account": (lambda me: me.update(id="00000000-0000-4000-8000-000000000000"), AccountMismatch),
    "an older keyring": (lambda me: me.update(keyring_version=1), KeyringRolledBack),
    "no keyring": (lambda me: me.pop("keyring"), KeyringMissing),
    "no keyring, version 0": (lambda me: (me.pop("keyring"), me.update(keyring_version=0)), KeyringRolledBack),
    "a recipient of somebody else": (lambda me: me.update(recipient=STRANGER.recipient), KeySubstituted),
    "no recipient": (lambda me: me.pop("recipient"), KeySubstituted),
    "a signing key of somebody else": (
        lambda me: me.update(signing_key=encode_base64(STRANGER.public_signing_key)),
        KeySubstituted,
    ),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_about_the_account_stops_the_sync_and_takes_nothing_over(ada: Person, name: str) -> None:
    liar = Liar()
    laptop = await ada.device("laptop", network=liar.network)
    await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.journal.write(body="stays here")
    before = laptop.profile
    liar.lie, error = LIES[name]
    with pytest.raises(error) as caught:
        await laptop.sync()
    assert isinstance(caught.value, IntegrityError)
    assert laptop.profile == before
    assert liar.network.count("POST", "/sync/push") == 0
    liar.lie = None
    assert (await laptop.sync()).pushed == 1


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_at_a_new_login_stops_it_and_ends_the_session(ada: Person, name: str) -> None:
    liar = Liar()
    laptop = await ada.device("laptop", network=liar.network)
    await ada.register(laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.account.logout()
    liar.lie, error = LIES[name]
    with pytest.raises(error):
        await ada.login(laptop, NEW_PASSWORD)
    assert not laptop.is_logged_in
    assert liar.network.count("POST", "/auth/logout") == 2
    liar.lie = None
    await ada.login(laptop, NEW_PASSWORD)


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (lambda me: me.update(keyring=flip(me["keyring"])), SealBroken),
        (lambda me: me.update(keyring_version=me["keyring_version"] + 1), SealBroken),
        (lambda me: me.update(id="00000000-0000-4000-8000-000000000000"), SealBroken),
        (lambda me: me.update(recipient=STRANGER.recipient), KeySubstituted),
        (lambda me: me.update(encryption_tier="uce"), CustodyMismatch),
        (lambda me: me.update(keyring="%%%"), InvalidAnswer),
    ],
)
async def test_a_fresh_device_catches_what_contradicts_the_seal(
    ada: Person, lie: Lie, error: type[LockleafError]
) -> None:
    await ada.register(await ada.device("laptop"))
    liar = Liar()
    phone = await ada.device("phone", network=liar.network)
    liar.lie = lie
    with pytest.raises(error):
        await ada.login(phone)
    assert phone.profile is None
    assert not (ada.home / "profiles" / "phone" / "store.sqlite3").exists()


async def test_a_newer_keyring_that_this_device_did_not_make_asks_for_a_login(ada: Person) -> None:
    liar = Liar()
    laptop = await ada.device("laptop", network=liar.network)
    await ada.register(laptop)
    liar.lie = lambda me: me.update(keyring_version=2)
    with pytest.raises(KeysChangedElsewhere):
        await laptop.sync()


WEAKER = {
    "far below the floor": {"iterations": 1, "memory_kib": 8},
    "less memory than before": {"memory_kib": 19456},
    "fewer iterations than before": {"iterations": 2},
    "far too dear": {"memory_kib": 1048576, "iterations": 9_999_999},
}


@pytest.mark.parametrize("name", [*WEAKER, "pbkdf2"])
async def test_weakened_key_derivation_is_refused_before_anything_is_sent(ada: Person, name: str) -> None:
    def weaken(path: str, told: dict[str, Any]) -> dict[str, Any] | None:
        if path.endswith("/auth/prelogin"):
            if name == "pbkdf2":
                told["kdf"] = {
                    "algorithm": "pbkdf2-sha256",
                    "salt": told["kdf"]["salt"],
                    "iterations": 600_000,
                }
            else:
                told["kdf"].update(WEAKER[name])
        return told

    network = AlteringNetwork(lambda path, told: told)
    laptop = await ada.device("laptop", network=network)
    laptop._device.allow_test_parameters = False
    await laptop.account.register(ada.server, ada.email, PASSWORD, device_name="laptop")
    await laptop.account.logout()
    sent = len(network.sent)
    network.alter = weaken
    with pytest.raises(KdfWeakened):
        await ada.login(laptop)
    assert [path for _, path, _ in network.sent[sent:]] == ["/api/v1/auth/prelogin"]


async def test_a_weaker_derivation_in_the_account_is_noticed_by_the_sync(ada: Person) -> None:
    liar = Liar()
    laptop = await ada.device("laptop", network=liar.network)
    await laptop.account.register(ada.server, ada.email, PASSWORD, device_name="laptop")
    liar.lie = lambda me: me["kdf"].update(memory_kib=19456)
    with pytest.raises(KdfWeakened):
        await laptop.sync()


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (lambda told: told.update(keyring=flip(told["keyring"])), SealBroken),
        (lambda told: told.update(keyring_version=told["keyring_version"] + 1), SealBroken),
        (lambda told: told.update(user_id="00000000-0000-4000-8000-000000000000"), SealBroken),
        (lambda told: told.update(current_keyring_version=0), KeyringRolledBack),
        (lambda told: told.update(recovery_token="x" * 5000), InvalidAnswer),
    ],
)
async def test_a_lie_about_the_recovered_keyring_is_caught_and_the_code_is_not_spent(
    ada: Person, lie: Lie, error: type[LockleafError]
) -> None:
    codes = await ada.register(await ada.device("laptop"))

    def alter(path: str, told: dict[str, Any]) -> dict[str, Any] | None:
        if path.endswith("/auth/verify-recovery-code"):
            lie(told)
        return told

    network = AlteringNetwork(alter)
    phone = await ada.device("phone", network=network)
    with pytest.raises(error):
        await phone.account.recover(
            ada.server, ada.email, codes[0], NEW_PASSWORD, device_name="p", kdf_profile=CHEAPEST
        )
    assert network.count("POST", "/auth/recover") == 0
    network.alter = lambda path, told: told
    await phone.account.recover(ada.server, ada.email, codes[0], NEW_PASSWORD, device_name="p", kdf_profile=CHEAPEST)


async def test_what_a_server_says_in_an_unknown_error_reaches_no_terminal_raw(ada: Person) -> None:
    def alter(path: str, told: dict[str, Any]) -> dict[str, Any] | None:
        return {"anything": "\x1b[2J"} if path.endswith("/auth/me") else told

    laptop = await ada.device("laptop", network=AlteringNetwork(alter))
    await ada.register(laptop)
    with pytest.raises(InvalidAnswer) as caught:
        await laptop.account.me()
    assert "\x1b" not in str(caught.value)
    assert not isinstance(caught.value, ApiError)


def test_every_lie_tells_its_victim_what_happened_and_what_to_do() -> None:
    for _, error in LIES.values():
        text = str(error())
        assert "server" in text
        assert text.count(".") >= 2

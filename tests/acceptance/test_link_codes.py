"""Link codes: a new device believes another device of its account, and nothing that the server says otherwise."""

from __future__ import annotations

import secrets
from functools import partial

import pytest

from lockleaf.client.account.link_codes import parse_link_code, require_keyring
from lockleaf.client.errors import (
    AccountMismatch,
    HistoryForked,
    InvalidLinkCode,
    KdfWeakened,
    KeyringRolledBack,
    KeySubstituted,
    LinkOutdated,
    NotYetSynced,
    ServerRestored,
    WithoutLinkCodes,
)
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.kdf import KdfProfile
from lockleaf.crypto.keyring import KeyEntry, Keyring
from lockleaf.crypto.links import LinkCode
from tests.support import lies
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught, write
from tests.support.forged_history import history_of
from tests.support.lies import AltersAnswers, Shows, of_account, says
from tests.support.lying_server import Lie, LyingServer

CHEAPER = KdfProfile("argon2id", iterations=2, memory_kib=19_456, parallelism=1)
"""Within the limits, and weaker than what a device takes on a server's word alone."""


async def test_a_device_with_a_code_comes_in_and_reads_on(ada: Diarist) -> None:
    laptop = await ada.first("laptop")
    with pytest.raises(NotYetSynced):
        await laptop.account.link_code()
    await write(laptop, "one", "two")
    code = await laptop.account.link_code()
    await write(laptop, "after the code")
    phone = await ada.open("phone")
    # Nothing that the person types in need be right but the digits themselves.
    typed = "-".join(code[at : at + 5] for at in range(0, len(code), 5)).lower()
    await phone.account.login(ada.server, ada.email, PASSWORD, device_name="phone", link=typed)
    await phone.sync()
    assert sorted(entry.body for entry in await phone.journal.list()) == ["after the code", "one", "two"]
    assert PASSWORD not in code
    tablet = await ada.open("tablet")
    with pytest.raises(InvalidLinkCode):
        await tablet.account.login(ada.server, ada.email, PASSWORD, device_name="tablet", link=code[:-1])


async def test_an_older_state_is_believed_without_a_code_and_never_with_one(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "old")
    older = await history_of(laptop)
    await write(laptop, "new")
    code = await laptop.account.link_code()
    liar.tell(Shows(older, keeps_checkpoints=True))
    phone = await ada.another("phone", at=liar.url)
    await phone.sync()
    assert [entry.body for entry in await phone.journal.list()] == ["old"]

    tablet = await ada.open("tablet")
    await tablet.account.login(liar.url, ada.email, PASSWORD, device_name="tablet", link=code)
    await caught(tablet.sync(), ServerRestored)
    assert await tablet.journal.list() == []
    # What the code said is remembered outside the store: forgetting the journal takes nothing back.
    await tablet.account.logout(forget=True)
    await ada.login(tablet, at=liar.url)
    await caught(tablet.sync(), ServerRestored)
    liar.tell(Lie())
    await tablet.sync()
    assert await tablet.journal.count() == 2


async def test_another_history_of_the_same_length_is_not_that_of_the_code(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    first, second = await write(laptop, "one", "two")
    await write(laptop, "three")
    code = await laptop.account.link_code()
    other = await history_of(laptop)
    lies.reorders(other, first, second)
    liar.tell(Shows(other, keeps_checkpoints=True))
    phone = await ada.open("phone")
    await phone.account.login(liar.url, ada.email, PASSWORD, device_name="phone", link=code)
    with pytest.raises((HistoryForked, ServerRestored)):
        await phone.sync()
    assert await phone.journal.list() == []


async def test_other_parameters_than_those_of_the_code_derive_nothing(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    code = await laptop.account.link_code()
    phone = await ada.open("phone")
    stronger = {"iterations": 4, "memory_kib": 131_072}
    for changed in ({"salt": "AAAAAAAAAAAAAAAAAAAAAA=="}, stronger):
        liar.tell(AltersAnswers("/auth/prelogin", partial(lambda changed, told: told["kdf"].update(changed), changed)))
        await caught(phone.account.login(liar.url, ada.email, PASSWORD, device_name="phone", link=code), LinkOutdated)
        assert [request.path for request in liar.seen] == ["/auth/prelogin"]
    # It is what an honest server says as well, once the password was changed.
    liar.tell(Lie())
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await caught(phone.account.login(liar.url, ada.email, NEW_PASSWORD, device_name="phone", link=code), LinkOutdated)
    await laptop.sync()
    again = await laptop.account.link_code()
    await phone.account.login(liar.url, ada.email, NEW_PASSWORD, device_name="phone", link=again)
    await phone.sync()
    assert await phone.journal.count() == 1


async def test_weaker_parameters_are_taken_from_a_device_and_not_from_a_server(ada: Diarist) -> None:
    laptop = await ada.open("laptop", strict=True)
    await ada.register(laptop, kdf_profile=CHEAPER)
    await write(laptop, "one")
    code = await laptop.account.link_code()
    phone = await ada.open("phone", strict=True)
    with pytest.raises(KdfWeakened):
        await ada.login(phone)
    await phone.account.login(ada.server, ada.email, PASSWORD, device_name="phone", link=code)
    await phone.sync()
    assert await phone.journal.count() == 1


async def test_an_older_keyring_and_another_account_are_refused(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    code = await laptop.account.link_code()
    phone = await ada.open("phone")
    told: list[tuple[Lie, type[Exception]]] = [
        (of_account(says(keyring_version=0)), KeyringRolledBack),
        (of_account(says(id="00000000-0000-4000-8000-000000000000")), AccountMismatch),
    ]
    for lie, error in told:
        liar.tell(lie)
        with pytest.raises(error):
            await phone.account.login(liar.url, ada.email, PASSWORD, device_name="phone", link=code)
        assert not phone.is_logged_in


async def test_a_rotation_after_the_code_is_taken_and_one_before_it_is_not(ada: Diarist) -> None:
    laptop = await ada.first("laptop")
    await write(laptop, "one")
    link = parse_link_code(await laptop.account.link_code())
    old = laptop.journal._store.keyring.newest

    def rotated(epoch: str, seq: int, head: bytes) -> Keyring:
        retired = KeyEntry(old.key_id, old.master_key, old.created_at, HistoryPlace(epoch, seq, head))
        return Keyring((retired, KeyEntry(old.key_id + 1, secrets.token_bytes(32), old.created_at)))

    for epoch, seq, head in (
        (link.epoch, link.seq, link.head),
        (link.epoch, link.seq + 1, bytes(32)),
        ("a later epoch", 0, bytes(32)),
    ):
        require_keyring(link, rotated(epoch, seq, head), link.keyring_version + 1)
    for seq, head in ((link.seq - 1, bytes(32)), (link.seq, bytes(32))):
        with pytest.raises(KeySubstituted):
            require_keyring(link, rotated(link.epoch, seq, head), link.keyring_version + 1)
    with pytest.raises(KeySubstituted):
        require_keyring(link, Keyring.new("2026-01-01T00:00:00Z"), link.keyring_version + 1)
    with pytest.raises(KeySubstituted):
        require_keyring(link, rotated(link.epoch, link.seq + 1, bytes(32)), link.keyring_version)


async def test_an_account_whose_keys_the_server_makes_has_no_codes(ada: Diarist) -> None:
    laptop = await ada.open("laptop")
    await laptop.account.register(ada.server, ada.email, PASSWORD, device_name="laptop", custody="uce")
    await write(laptop, "one")
    with pytest.raises(WithoutLinkCodes):
        await laptop.account.link_code()
    phone = await ada.open("phone")
    profile = laptop.profile
    assert profile is not None
    code = LinkCode(profile.server, str(profile.user_id), CHEAPER.new(), 1, bytes(32), "e", 0, bytes(32))
    with pytest.raises(WithoutLinkCodes):
        await phone.account.login(ada.server, ada.email, PASSWORD, device_name="phone", custody="uce", link=code)

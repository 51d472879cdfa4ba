"""A server that was put back to before a change of keys or of the password: the keys are written there again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from lockleaf.client import Client
from lockleaf.client.errors import (
    HistoryForked,
    KeyringRolledBack,
    KeysChangedElsewhere,
    LockleafError,
    ServerRestored,
    SessionRevoked,
    WrongPassword,
)
from lockleaf.server.records.restores import declare_restored
from tests.support.backups import WholeBackup
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, caught, write


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def copied(connection: asyncpg.Connection, client: Client) -> WholeBackup:
    assert client.profile is not None
    backup = WholeBackup(connection, client.profile.user_id)
    await backup.take()
    return backup


async def uce_laptop(ada: Diarist, connection: asyncpg.Connection) -> tuple[Client, WholeBackup]:
    """A device of an account whose server makes the keys, with an entry, and a copy of the account."""
    laptop = await ada.open("laptop")
    await laptop.account.register(ada.server, ada.email, PASSWORD, device_name="laptop", custody="uce")
    await write(laptop, "before")
    return laptop, await copied(connection, laptop)


async def bodies(client: Client) -> list[str]:
    found = [entry.body for entry in await client.journal.list()]
    found += [each.local.body for each in await client.journal.conflicts() if each.local is not None]
    return sorted(found)


def key_ids(client: Client) -> list[int]:
    return [entry.key_id for entry in client._device.opened.keyring]


async def back_in(client: Client, ada: Diarist, password: str) -> None:
    """Do what the errors of a sync advise, until it comes through."""
    for _ in range(6):
        try:
            await client.sync()
        except (SessionRevoked, KeysChangedElsewhere):
            await client.account.logout()
            await ada.login(client, password=password)
        except ServerRestored:
            await client.sync(accept_restore=True)
        except (HistoryForked, KeyringRolledBack):
            await client.sync.repair(password)
        else:
            return
    pytest.fail("it never came through")


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("rotations", [1, 2])
async def test_keys_that_a_restore_took_back_are_written_again_with_consent(
    ada: Diarist, connection: asyncpg.Connection, database_url: str, declared: bool, rotations: int
) -> None:
    laptop = await ada.first("laptop")
    entry, *_ = await write(laptop, "before 1", "before 2")
    phone = await ada.another("phone")
    await phone.sync()
    backup = await copied(connection, laptop)

    for _ in range(rotations):
        await laptop.account.rotate_keyring(PASSWORD)
        await laptop.sync()
    await phone.account.logout()
    await ada.login(phone)
    await phone.sync()
    await laptop.journal.edit(entry, body="before 1, and more")
    await write(laptop, "after")
    await phone.journal.write(body="by the phone")
    await phone.sync()
    await laptop.sync()
    had = await bodies(laptop)
    version = laptop.profile.keyring_version if laptop.profile is not None else 0
    await backup.restore(None)
    if declared:
        await declare_restored(database_url)
    await laptop.journal.write(body="never sent")

    # Whichever session the copy knows, the end is the same.
    with pytest.raises((KeyringRolledBack, SessionRevoked)):
        await laptop.sync()
    if not await laptop.journal.doubt():
        await laptop.account.logout()
        await caught(ada.login(laptop), KeyringRolledBack)
    refused = await caught(laptop.sync.repair(PASSWORD, confirm=lambda _: False), KeyringRolledBack)
    assert "operator" in str(refused)
    assert await bodies(laptop) == sorted([*had, "never sent"])

    asked: list[type[LockleafError]] = []
    report = await laptop.sync.repair(PASSWORD, confirm=lambda error: bool(asked.append(type(error)) or True))
    assert asked[0] is KeyringRolledBack
    assert report.keys_again
    assert report.codes is not None
    assert laptop.profile is not None
    assert laptop.profile.keyring_version == version + 1
    assert key_ids(laptop) == list(range(1, rotations + 2))
    await laptop.sync()
    await back_in(phone, ada, PASSWORD)
    for device in (laptop, phone, laptop):
        await device.sync()
    tablet = await ada.another("tablet")
    await tablet.sync()
    for device in (laptop, phone, tablet):
        assert await bodies(device) == sorted([*had, "never sent"])
        assert key_ids(device) == list(range(1, rotations + 2))
        assert device.sync.sealed_again
    fresh = await ada.open("recovered")
    await fresh.account.recover(ada.server, ada.email, report.codes.codes[0], NEW_PASSWORD, device_name="recovered")
    await fresh.sync()
    assert await bodies(fresh) == sorted([*had, "never sent"])


async def test_a_password_that_a_restore_took_back_locks_nobody_out(
    ada: Diarist, connection: asyncpg.Connection, database_url: str
) -> None:
    laptop = await ada.first("laptop")
    await write(laptop, "before")
    backup = await copied(connection, laptop)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await write(laptop, "after")
    await backup.restore(None)
    await declare_restored(database_url)
    with pytest.raises((KeyringRolledBack, SessionRevoked)):
        await laptop.sync()
    with pytest.raises(WrongPassword):
        await laptop.sync.repair(NEW_PASSWORD, again=True)
    assert await bodies(laptop) == ["after", "before"]
    report = await laptop.sync.repair(PASSWORD, again=True, confirm=lambda _: True)
    assert report.keys_again
    assert report.codes is None
    await laptop.sync()
    assert await bodies(laptop) == ["after", "before"]
    tablet = await ada.another("tablet")
    await tablet.sync()
    assert await bodies(tablet) == ["after", "before"]
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)


async def test_newer_keys_go_to_an_older_keyrings_password_with_consent_alone(
    ada: Diarist, connection: asyncpg.Connection
) -> None:
    """As a server does that is in league with somebody who knows the password of then."""
    laptop = await ada.first("laptop")
    await write(laptop, "before")
    backup = await copied(connection, laptop)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    await write(laptop, "after")
    await backup.restore(None)
    await caught(laptop.sync.repair(PASSWORD, again=True), KeyringRolledBack)
    assert laptop.profile is not None
    [found] = await connection.fetch("SELECT keyring_version FROM accounts WHERE user_id = $1", laptop.profile.user_id)
    assert found["keyring_version"] == 1
    assert (await bodies(laptop), key_ids(laptop)) == (["after", "before"], [1, 2])


async def test_a_password_of_a_uce_account_that_a_restore_took_back_locks_nobody_out(
    ada: Diarist, connection: asyncpg.Connection, database_url: str
) -> None:
    laptop, backup = await uce_laptop(ada, connection)
    await laptop.account.change_password(PASSWORD, NEW_PASSWORD)
    await laptop.account.change_password(NEW_PASSWORD, PASSWORD)
    await write(laptop, "after")
    await backup.restore(None)
    await declare_restored(database_url)
    await caught(laptop.sync.repair(PASSWORD, again=True, confirm=lambda _: False), KeyringRolledBack)
    report = await laptop.sync.repair(PASSWORD, again=True, confirm=lambda _: True)
    assert report.keys_again
    await laptop.sync()
    tablet = await ada.open("tablet")
    await tablet.account.login(ada.server, ada.email, PASSWORD, device_name="tablet", custody="uce")
    await tablet.sync()
    for device in (laptop, tablet):
        assert await bodies(device) == ["after", "before"]


async def test_keys_of_a_uce_account_that_a_restore_took_back_are_said_to_be_lost(
    ada: Diarist, connection: asyncpg.Connection, database_url: str
) -> None:
    laptop, backup = await uce_laptop(ada, connection)
    await laptop.account.rotate_keyring(PASSWORD)
    await write(laptop, "after")
    await backup.restore(None)
    await declare_restored(database_url)
    told = await caught(laptop.sync.repair(PASSWORD, again=True, confirm=lambda _: True), KeyringRolledBack)
    assert "keys were lost" in str(told)
    assert await bodies(laptop) == ["after", "before"]

"""Going down a tier and up again, with the whole SDK on two devices: no text is lost, and nobody is called a liar."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import pytest

from lockleaf.client import Client
from lockleaf.client.errors import PasswordRequired, ServerEmptied, TierRequired, WrongPassword
from lockleaf.client.metrics.census_state import prepared_pair
from lockleaf.he.codec import check_public_context
from lockleaf.he.errors import SecretKeyReceived
from tests.support.diarist import PASSWORD, Diarist, caught, write
from tests.support.metric_contexts import contexts


async def bodies(client: Client) -> set[str]:
    return {entry.body for entry in await client.journal.list()}


async def every_text(clients: Iterable[Client]) -> set[str]:
    """Every text that a user can still find: in entries, deleted or not, and in conflicts."""
    found: set[str] = set()
    for client in clients:
        found |= {entry.body for entry in await client.journal.list(include_deleted=True)}
        for conflict in (*await client.journal.conflicts(), *await client.journal.conflicts(decided=True)):
            found |= {version.body for version in (conflict.local, conflict.remote) if version is not None}
    return found


async def raise_tier(client: Client) -> None:
    """Let the account sync again, under a key that was made elsewhere."""
    changed = await client.privacy.set_tier("full_sync", he_public_key=contexts().public)
    assert (changed.current_tier, changed.he_public_key_registered) == ("full_sync", True)


async def converge(*clients: Client, accept_restore: bool = False) -> None:
    for _ in range(2):
        for client in clients:
            await client.sync(accept_restore=accept_restore)


async def test_a_lower_tier_needs_the_password(ada: Diarist) -> None:
    laptop = await ada.first()
    await write(laptop, "one")
    await caught(laptop.privacy.set_tier("local_only"), PasswordRequired)
    with pytest.raises(WrongPassword):
        await laptop.privacy.set_tier("local_only", password="what somebody guesses")
    assert (await laptop.privacy.tier()).current_tier == "full_sync"


async def test_a_device_says_what_a_lower_tier_turns_off_and_keeps_everything(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await write(laptop, "one", "two")
    await phone.sync()
    changed = await laptop.privacy.set_tier("local_only", password=PASSWORD)
    assert (changed.current_tier, changed.deleted.backups) == ("local_only", 2)
    assert changed.features_available.cloud_sync is False
    for device in (laptop, phone):
        assert (await device.privacy.tier()).current_tier == "local_only"
        error = await caught(device.sync(), TierRequired)
        assert "kept on this device" in str(error)
        assert await bodies(device) == {"one", "two"}
    await phone.journal.write(body="while the server held nothing")
    assert await phone.journal.pending_count() == 1


async def test_two_devices_come_together_again_when_the_tier_rises(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    edited, deleted, _ = await write(laptop, "one", "two", "three")
    await phone.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.journal.edit(edited, title="edited on the laptop")
    await phone.journal.write(body="four, on the phone")
    await raise_tier(laptop)
    report = await laptop.sync()
    assert (report.emptied, report.pushed, report.pending, report.conflicts) == (True, 3, 0, 0)
    error = await caught(phone.sync(), ServerEmptied)
    assert isinstance(error, ServerEmptied)
    assert len(error.missing) == 3
    report = await phone.sync(accept_restore=True)
    assert report.emptied
    await converge(laptop, phone)
    assert await bodies(laptop) == await bodies(phone) == {"one", "two", "three", "four, on the phone"}
    tablet = await ada.another("tablet")
    await tablet.sync()
    assert await bodies(tablet) >= {"two", "three", "four, on the phone"}
    texts = await every_text([laptop, phone])
    assert {"one", "two", "three", "four, on the phone"} <= texts
    assert deleted


async def test_what_devices_have_differently_is_kept_on_both_sides(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    (entry,) = await write(laptop, "first text")
    await phone.sync()
    await phone.journal.edit(entry, body="the phone's text")
    await laptop.journal.edit(entry, body="the laptop's text")
    await laptop.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await raise_tier(laptop)
    await laptop.sync()
    report = await phone.sync(accept_restore=True)
    assert report.conflicts == 1
    await converge(laptop, phone)
    assert {"the phone's text", "the laptop's text"} <= await every_text([phone])
    assert {"the phone's text", "the laptop's text"} <= await every_text([laptop])
    assert await bodies(laptop) == await bodies(phone)


async def test_a_conflict_that_waited_still_waits_when_the_server_has_forgotten_it(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    (entry,) = await write(laptop, "first text")
    await phone.sync()
    await phone.journal.edit(entry, body="the phone's text")
    await laptop.journal.edit(entry, body="the laptop's text")
    await laptop.sync()
    await phone.sync()
    await laptop.sync()
    for device in (laptop, phone):
        assert len(await device.journal.conflicts()) == 1
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await raise_tier(laptop)
    await laptop.sync()
    await phone.sync(accept_restore=True)
    await converge(laptop, phone)
    for device in (laptop, phone):
        (conflict,) = await device.journal.conflicts()
        assert conflict.local is not None
        assert conflict.local.body == "the phone's text"
    (conflict,) = await phone.journal.conflicts()
    await phone.journal.resolve(conflict.id, "local")
    await converge(phone, laptop)
    assert await bodies(laptop) == await bodies(phone) == {"the phone's text"}


@pytest.mark.parametrize("written", [0, 2])
async def test_down_and_up_again_several_times_is_no_fork_for_a_device_that_slept(ada: Diarist, written: int) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await write(laptop, *(f"text {number}" for number in range(written)))
    await laptop.sync()
    await phone.sync()
    for _ in range(3):
        await laptop.privacy.set_tier("local_only", password=PASSWORD)
        await raise_tier(laptop)
    await phone.sync(accept_restore=True)
    await laptop.sync()
    for _ in range(2):
        await laptop.privacy.set_tier("local_only", password=PASSWORD)
        await raise_tier(laptop)
        await laptop.sync()
    await phone.sync(accept_restore=True)
    await converge(laptop, phone)
    assert await bodies(laptop) == await bodies(phone) == {f"text {number}" for number in range(written)}
    assert not await laptop.journal.conflicts()
    assert not await phone.journal.conflicts()


async def test_a_deletion_made_while_nothing_was_held_does_not_take_the_text_from_another_device(
    ada: Diarist,
) -> None:
    laptop, phone = await ada.first(), await ada.another()
    (entry,) = await write(laptop, "a text that the phone has")
    await phone.sync()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.journal.delete(entry)
    await raise_tier(laptop)
    await laptop.sync()
    await phone.sync(accept_restore=True)
    await converge(laptop, phone)
    assert "a text that the phone has" in await every_text([phone])
    assert [entry.id for entry in await laptop.journal.list()] == [entry.id for entry in await phone.journal.list()]


async def test_a_rise_makes_a_key_pair_whose_secret_half_stays_on_the_device(ada: Diarist, database_url: str) -> None:
    laptop = await ada.first()
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    assert (await laptop.privacy.tier()).he_public_key_registered is False
    raised = await laptop.privacy.set_tier("analytics_sync")
    assert (raised.current_tier, raised.he_public_key_registered) == ("analytics_sync", True)
    store = laptop._device.opened.store
    secret, public = prepared_pair(store)
    with pytest.raises(SecretKeyReceived):
        check_public_context(secret)
    assert laptop.profile is not None
    connection = await asyncpg.connect(database_url)
    try:
        registered = await connection.fetchval(
            "SELECT context FROM he_public_keys WHERE user_id = $1", laptop.profile.user_id
        )
    finally:
        await connection.close()
    assert registered == public
    assert check_public_context(registered) == "ckks-4096"
    for path in ada.home.rglob("*"):
        assert not path.is_file() or secret[-64:] not in path.read_bytes()
    # The same pair again, as long as nothing was encrypted under it.
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.privacy.set_tier("analytics_sync")
    assert prepared_pair(store) == (secret, public)
    # The first sync at that tier begins the sums; they are gone with the tier, and their key with them.
    assert (await laptop.metrics.send()).on
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.privacy.set_tier("full_sync")
    assert prepared_pair(store)[0] != secret

"""A rotation of the keys through the whole SDK: everything is sealed again, nothing is lost, any device goes on."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import SealBroken, SessionRevoked, WrongPassword
from lockleaf.client.records.tag_records import tag_id
from lockleaf.client.search.listing import fetch_entries
from lockleaf.client.search.selection import Selection
from lockleaf.client.sync.sync import synchroniser_of
from lockleaf.crypto.envelope import parse
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.conflicts import Conflicts
from tests.support.diarist import NEW_PASSWORD, PASSWORD, Diarist, write
from tests.support.forged_history import history_of


async def rotated(client: Client, new_password: str = NEW_PASSWORD) -> None:
    """Rotate, and bring it to its end."""
    await client.account.rotate_keyring(PASSWORD, new_password)
    await client.sync()


def keyring_of(client: Client) -> Keyring:
    return client._device.opened.keyring


async def open_under(client: Client) -> list[tuple[str, str, int, bool]]:
    """What the server serves of entries and tags: collection, id, key id, whether it is deleted."""
    history = await history_of(client)
    return [
        (change["collection"], change["record_id"], parse(change["payload"]).key_id, change["deleted"])
        for change in history.changes
        if "payload" in change and change["collection"] in ("entries", "tags")
    ]


async def facts(client: Client) -> dict[str, Any]:
    """Everything that a person sees of the journal, by entry."""
    return {
        entry.id: (entry.body, entry.title, entry.mood, entry.tags, entry.date, entry.updated_at)
        for entry in await client.journal.list()
    }


async def both(ada: Diarist) -> tuple[Client, Client]:
    laptop, phone = await ada.first(), await ada.another()
    await write(laptop, "one", "two")
    await laptop.journal.write(body="three", mood="calm", tags=["sea", "Garden"])
    await laptop.sync()
    await phone.sync()
    return laptop, phone


async def test_everything_that_the_server_serves_is_sealed_again_and_reads_as_before(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    before = await facts(laptop)
    await rotated(laptop)
    served = await open_under(laptop)
    assert {key_id for *_, key_id, deleted in served if not deleted} == {2}
    assert await facts(laptop) == before
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    assert await facts(phone) == before
    fresh = await ada.open("tablet")
    await ada.login(fresh, password=NEW_PASSWORD)
    await fresh.sync()
    assert await facts(fresh) == before
    assert (await fresh.sync()).pushed == 0


async def test_a_rotation_names_the_verified_end_and_signs_from_there_with_the_new_key(ada: Diarist) -> None:
    laptop, _ = await both(ada)
    report = await laptop.sync()
    await rotated(laptop)
    place = keyring_of(laptop).first.retired_at
    assert place is not None
    assert (place.epoch, place.seq, place.head) == (report.epoch, report.seq, report.head)


async def test_tags_move_to_the_ids_of_the_new_key_and_nothing_revives_an_old_one(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    await laptop.journal.recolor_tag("sea", "#102030")
    await laptop.sync()
    await phone.sync()
    await phone.journal.recolor_tag("garden", "#405060")  # still to be sent when the keys change
    old = keyring_of(laptop)
    await rotated(laptop)
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    await laptop.sync()
    new = keyring_of(laptop)
    tags = {
        record_id: deleted for collection, record_id, _, deleted in await open_under(laptop) if collection == "tags"
    }
    assert {tag_id(old, name): tags[tag_id(old, name)] for name in ("sea", "garden")} == dict.fromkeys(
        (tag_id(old, "sea"), tag_id(old, "garden")), True
    )
    assert {name: tags[tag_id(new, name)] for name in ("sea", "garden")} == {"sea": False, "garden": False}
    for client in (laptop, phone):
        assert {(tag.name.lower(), tag.color) for tag in await client.journal.tags()} == {
            ("sea", "#102030"),
            ("garden", "#405060"),
        }


async def test_a_tag_that_was_removed_after_the_rotation_stays_removed(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    await rotated(laptop)
    await laptop.journal.remove_tag("sea")
    await laptop.sync()
    await ada.login(phone, password=NEW_PASSWORD)
    for client in (phone, laptop, phone):
        await client.sync()
        assert [tag.name.lower() for tag in await client.journal.tags()] == ["garden"]


async def test_what_waited_on_another_device_is_sealed_anew_on_what_stands_now(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    entries = {entry.body: entry.id for entry in await laptop.journal.list()}
    await phone.journal.edit(entries["one"], body="one, edited on the phone")
    await phone.journal.write(body="written on the phone")
    await phone.journal.delete(entries["two"])
    await laptop.journal.edit(entries["one"], title="A title from the laptop")
    await rotated(laptop)
    with pytest.raises(SessionRevoked):
        await phone.sync()
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    await laptop.sync()
    for client in (laptop, phone):
        assert {(entry.body, entry.title) for entry in await client.journal.list()} == {
            ("one, edited on the phone", "A title from the laptop"),
            ("written on the phone", None),
            ("three", None),
        }
    assert {key_id for *_, key_id, deleted in await open_under(laptop) if not deleted} == {2}


async def test_what_was_accepted_and_not_confirmed_before_the_rotation_is_not_sent_twice(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    store = phone._device.opened.store
    await phone.journal.write(body="accepted")
    outgoing = []

    def keep(*_: object) -> None:
        outgoing.extend(change for _, change in store.outbox.waiting(500))
        raise RuntimeError("the power goes before the answer comes")

    pushed = phone._device.opened.transport.request

    async def lossy(method: str, path: str, **options: Any) -> Any:
        answer = await pushed(method, path, **options)
        if path == "/sync/push":
            keep()
        return answer

    phone._device.opened.transport.request = lossy  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await phone.sync()
    assert outgoing
    await rotated(laptop)
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    await laptop.sync()
    assert [entry.body for entry in await laptop.journal.list()].count("accepted") == 1
    assert (await phone.sync()).pending == 0


async def test_open_conflicts_are_sealed_again_once_and_can_still_be_resolved(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    (entry,) = [entry.id for entry in await laptop.journal.list() if entry.body == "one"]
    await laptop.journal.edit(entry, body="the laptop's")
    await phone.journal.edit(entry, body="the phone's")
    await laptop.sync()
    await phone.sync()
    await laptop.sync()
    assert [conflict.local.body for conflict in await laptop.journal.conflicts() if conflict.local] == ["the phone's"]
    await rotated(laptop)
    await ada.login(phone, password=NEW_PASSWORD)
    for client in (phone, laptop, phone):
        await client.sync()
    listed = await laptop._device.session.transport.request("GET", "/sync/conflicts", answer=Conflicts, msgpack=True)
    payloads = [conflict.local_version.encrypted_content for conflict in listed.conflicts]
    assert [parse(payload or b"").key_id for payload in payloads] == [2]
    for client in (laptop, phone):
        [conflict] = await client.journal.conflicts()
        assert conflict.authentic
        assert conflict.local is not None
        assert conflict.local.body == "the phone's"
    [conflict] = await laptop.journal.conflicts()
    await laptop.journal.resolve(conflict.id, "local")
    await laptop.sync()
    await phone.sync()
    for client in (laptop, phone):
        assert (await client.journal.get(entry)).body == "the phone's"
        assert await client.journal.conflicts() == []


async def test_the_old_password_opens_nothing_any_more(ada: Diarist) -> None:
    laptop, _ = await both(ada)
    before = laptop.profile
    await rotated(laptop)
    tablet = await ada.open("tablet")
    with pytest.raises(WrongPassword):
        await ada.login(tablet)
    assert before is not None
    assert laptop.profile is not None
    assert before.kdf is not None
    assert laptop.profile.kdf is not None
    assert before.kdf.salt != laptop.profile.kdf.salt


async def test_a_password_that_its_user_insists_on_still_gets_a_new_salt(ada: Diarist) -> None:
    laptop, _ = await both(ada)
    before = laptop.profile
    await laptop.account.rotate_keyring(PASSWORD)
    tablet = await ada.open("tablet")
    await ada.login(tablet)
    assert before is not None
    assert before.kdf is not None
    assert tablet.profile is not None
    assert tablet.profile.kdf is not None
    assert before.kdf.salt != tablet.profile.kdf.salt


async def test_lists_by_label_are_whole_while_entries_are_still_sealed_under_the_old_key(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)

    async def listed(client: Client) -> list[str]:
        page = await fetch_entries(client._device.session, Selection.of(tag="sea"), cursor=None, limit=50)
        return [entry.body for entry in page.entries]

    assert await listed(laptop) == ["three"]
    await laptop.sync()
    assert await listed(laptop) == ["three"]
    await ada.login(phone, password=NEW_PASSWORD)
    assert await listed(phone) == ["three"]


async def test_a_second_rotation_seals_again_what_the_first_one_had_not_come_to(ada: Diarist) -> None:
    laptop, phone = await both(ada)
    before = await facts(laptop)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    await laptop.account.rotate_keyring(NEW_PASSWORD, PASSWORD)
    await laptop.sync()
    assert [entry.key_id for entry in keyring_of(laptop)] == [1, 2, 3]
    assert {key_id for *_, key_id, deleted in await open_under(laptop) if not deleted} == {3}
    await ada.login(phone)
    await phone.sync()
    assert await facts(phone) == before


async def test_an_old_keyring_opens_nothing_that_is_served_afterwards(ada: Diarist) -> None:
    laptop, _ = await both(ada)
    stolen = keyring_of(laptop)
    await rotated(laptop)
    (new,) = await write(laptop, "written afterwards")
    history = await history_of(laptop)
    sealer = synchroniser_of(laptop._device, None)._sealer
    for change in history.changes:
        if "payload" not in change or change["deleted"]:
            continue
        place = {name: change[name] for name in ("collection", "record_id", "revision", "parent", "deleted", "payload")}
        with pytest.raises(SealBroken):
            sealer.open(stolen, meta=bytes(32), **place)
    assert new in {change["record_id"] for change in history.changes}


class PowerCut(Exception):
    """The device is gone in the middle of it."""


def cut(client: Client, after: int) -> list[str]:
    """Have the ``after``-th request from now on be carried out and its answer lost for good; the paths asked for."""
    asked: list[str] = []
    transport = client._device.opened.transport
    request = transport.request

    async def lossy(method: str, path: str, **options: Any) -> Any:
        answer = await request(method, path, **options)
        asked.append(path)
        if len(asked) > after:
            raise PowerCut
        return answer

    transport.request = lossy  # type: ignore[method-assign]
    return asked


@pytest.mark.parametrize("other_goes_on", [False, True])
async def test_a_rotation_that_is_cut_off_at_any_request_is_brought_to_its_end_by_any_device(
    ada: Diarist, other_goes_on: bool
) -> None:
    laptop, phone = await both(ada)
    (entry,) = [entry.id for entry in await laptop.journal.list() if entry.body == "one"]
    await laptop.journal.edit(entry, body="the laptop's")
    await phone.journal.edit(entry, body="the phone's")
    await laptop.sync()
    await phone.sync()
    await laptop.sync()
    before = await facts(laptop)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    for after in range(20):
        request = laptop._device.opened.transport.request
        asked = cut(laptop, after)
        try:
            await laptop.sync()
        except PowerCut:
            pass
        else:
            assert len(asked) <= after
            break
        finally:
            laptop._device.opened.transport.request = request  # type: ignore[method-assign]
        if other_goes_on:
            await ada.login(phone, password=NEW_PASSWORD)
            await phone.sync()
            break
    for client in (laptop, phone):
        if not client.is_logged_in or (client is phone and not other_goes_on):
            await ada.login(client, password=NEW_PASSWORD)
        await client.sync()
    await laptop.sync()
    assert {key_id for *_, key_id, deleted in await open_under(laptop) if not deleted} == {2}
    assert laptop.sync.sealed_again
    for client in (laptop, phone):
        assert await facts(client) == before
        assert [c.local.body for c in await client.journal.conflicts() if c.local] == ["the phone's"]


async def test_keys_are_rotated_where_the_server_holds_no_records(ada: Diarist) -> None:
    """Without records there is nothing to sync, and the end of the history is the server's word."""
    laptop = await ada.first()
    await write(laptop, "one")
    await laptop.privacy.set_tier("local_only", password=PASSWORD)
    await laptop.account.rotate_keyring(PASSWORD, NEW_PASSWORD)
    assert len(keyring_of(laptop)) == 2
    await laptop.privacy.set_tier("full_sync")
    await laptop.sync()
    phone = await ada.open("phone")
    await ada.login(phone, password=NEW_PASSWORD)
    await phone.sync()
    assert [entry.body for entry in await phone.journal.list()] == ["one"]

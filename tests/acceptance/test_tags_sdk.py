"""Tags between devices, and what reaches a device without a seal: the real SDK, a real server, and one that lies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import SealBroken
from lockleaf.client.store.records import ENTRIES, TAGS
from lockleaf.client.tag_records import tag_id
from lockleaf.crypto.history import payload_hash
from lockleaf.wire.codec import pack
from lockleaf.wire.palette import color_of
from tests.support.diarist import Diarist, caught, write
from tests.support.forged_history import History, bare, history_of
from tests.support.lies import Shows
from tests.support.lying_server import LyingServer


async def shown(client: Client) -> dict[str, tuple[str, int]]:
    """The tags of a device: colour and count by name."""
    return {tag.name: (tag.color, tag.count) for tag in await client.journal.tags()}


async def test_a_tag_that_an_entry_names_goes_out_with_it_and_is_the_same_on_every_device(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await laptop.journal.write(body="one", tags=["Work", "garden"])
    report = await laptop.sync()
    assert (report.pushed, report.pending) == (1, 0)
    assert (await phone.sync()).pulled == 1
    assert await shown(phone) == await shown(laptop) == {
        "garden": (color_of("garden"), 1),
        "Work": (color_of("work"), 1),
    }  # fmt: skip
    # The other device has the record already, and makes none of its own.
    await phone.journal.write(body="two", tags=["WORK"])
    before = (await phone.sync()).seq
    assert before == report.seq + 1


async def test_the_server_sees_neither_name_nor_colour_of_a_tag(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    await laptop.journal.write(body="x", tags=["unmistakable"])
    await laptop.journal.recolor_tag("unmistakable", "#abcdef")
    await laptop.sync()
    changes = [change for change in (await history_of(laptop)).changes if change["collection"] == TAGS]
    assert len(changes) == 1
    assert changes[0]["labels"] == ()
    assert b"unmistakable" not in changes[0]["payload"]
    assert b"abcdef" not in changes[0]["payload"]


async def test_two_devices_that_colour_one_tag_come_to_one_colour_and_ask_nobody(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await laptop.journal.write(body="one", tags=["work"])
    await laptop.sync()
    await phone.sync()
    await laptop.journal.recolor_tag("work", "#111111")
    await phone.journal.recolor_tag("work", "#222222")
    await laptop.sync()
    report = await phone.sync()
    assert (report.conflicts, report.pending) == (0, 0)
    await laptop.sync()
    assert await shown(laptop) == await shown(phone) == {"work": ("#111111", 1)}


async def test_a_new_name_and_a_new_colour_come_together(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await laptop.journal.write(body="one", tags=["work"])
    await laptop.sync()
    await phone.sync()
    await laptop.journal.rename_tag("work", "Work")
    await phone.journal.recolor_tag("work", "#222222")
    await laptop.sync()
    await phone.sync()
    await laptop.sync()
    assert await shown(laptop) == await shown(phone) == {"Work": ("#222222", 1)}


async def test_a_tag_that_one_device_removes_and_another_uses_lives_on(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    entry = await laptop.journal.write(body="one", tags=["work", "home"])
    await laptop.journal.recolor_tag("work", "#333333")
    await laptop.sync()
    await phone.sync()
    assert await laptop.journal.remove_tag("work") == 1
    await phone.journal.write(body="two", tags=["work"])
    for device in (laptop, phone, laptop):
        await device.sync()
    assert (await phone.journal.get(entry.id)).tags == ("home",)
    assert await shown(laptop) == await shown(phone) == {"work": ("#333333", 1), "home": (color_of("home"), 1)}


async def test_a_removed_tag_is_gone_on_every_device_and_comes_back_when_it_is_named_again(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await laptop.journal.write(body="one", tags=["work"])
    await laptop.sync()
    await phone.sync()
    await laptop.journal.remove_tag("work")
    await laptop.sync()
    await phone.sync()
    assert await shown(phone) == {}
    await phone.journal.write(body="two", tags=["work"])
    await phone.sync()
    await laptop.sync()
    assert await shown(laptop) == {"work": (color_of("work"), 1)}


async def test_removing_and_naming_a_tag_again_before_a_sync_is_no_quarrel(ada: Diarist) -> None:
    laptop, phone = await ada.first(), await ada.another()
    await laptop.journal.write(body="one", tags=["work"])
    await laptop.sync()
    await laptop.journal.remove_tag("work")
    await laptop.journal.write(body="two", tags=["work"])
    report = await laptop.sync()
    assert report.pending == 0
    await phone.sync()
    assert await shown(laptop) == await shown(phone) == {"work": (color_of("work"), 1)}


# ---- what has no seal --------------------------------------------------------------------------------------------


def follow(history: History, collection: str, record_id: str, **fields: Any) -> None:
    """Write a change without any key behind what the record has, with every number made to fit."""
    earlier = [item for item in history.changes if (item["collection"], item["record_id"]) == (collection, record_id)]
    now = datetime.now(UTC)
    change = {
        "superseded": False,
        "seq": history.seq + 1,
        "collection": collection,
        "record_id": record_id,
        "revision": len(earlier) + 1,
        "parent": bytes(32),
        "payload": b"",
        "deleted": False,
        "labels": (),
        "device_id": "older-program",
        "client_updated_at": now,
        "created_at": now,
        "updated_at": now,
        **fields,
    }
    if earlier:
        last = earlier[-1]
        change["parent"] = last["payload_hash"] if last["superseded"] else payload_hash(last["payload"])
        if not last["superseded"]:
            history.changes[history.changes.index(last)] = bare(last)
    history.changes.append(change)


async def test_an_unsealed_deletion_leaves_the_local_copy_and_is_told(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    one, two = await write(laptop, "one", "two")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, deleted=True)
    liar.tell(Shows(history))
    report = await laptop.sync()
    assert report.kept == (one,)
    assert (await laptop.journal.get(one)).body == "one"
    assert (await laptop.sync()).kept == ()
    # An edit follows what the server has now, and brings the entry back for everybody.
    await laptop.journal.edit(one, body="one, still")
    report = await laptop.sync()
    assert (report.pushed, report.pending) == (1, 0)
    phone = await ada.another(at=liar.url)
    assert (await phone.sync()).kept == ()
    assert {entry.id: entry.body for entry in await phone.journal.list()} == {one: "one, still", two: "two"}


async def test_an_unsealed_deletion_does_not_disturb_an_edit_that_waits(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    (one,) = await write(laptop, "one")
    await laptop.journal.edit(one, body="edited")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, deleted=True)
    liar.tell(Shows(history))
    report = await laptop.sync()
    assert (report.kept, report.pushed, report.pending, report.conflicts) == ((one,), 1, 0, 0)
    assert (await laptop.journal.get(one)).body == "edited"


async def test_a_device_that_never_had_the_text_takes_an_unsealed_deletion_as_one(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop, phone = await ada.first(at=liar.url), await ada.another(at=liar.url)
    (one,) = await write(laptop, "one")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, deleted=True)
    liar.tell(Shows(history))
    assert (await phone.sync()).kept == ()
    assert await phone.journal.list(include_deleted=True) == []


async def test_an_unsealed_entry_is_no_entry(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first(at=liar.url)
    (one,) = await write(laptop, "one")
    history = await history_of(laptop)
    follow(history, ENTRIES, one, payload=pack({"type": "entry", "body": "not hers"}))
    liar.tell(Shows(history))
    await caught(laptop.sync(), SealBroken)
    assert (await laptop.journal.get(one)).body == "one"


async def test_a_tag_of_an_older_program_is_shown_if_its_label_is_the_one_of_its_name(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first(at=liar.url)
    keyring = laptop._device.opened.keyring
    history = await history_of(laptop)
    follow(history, TAGS, tag_id(keyring, "Reading"), payload=pack({"name": "Reading", "color": "#123456"}))
    follow(history, TAGS, "0" * 32, payload=pack({"name": "made up", "color": "#123456"}))
    follow(history, TAGS, tag_id(keyring, "garbled"), payload=b"\xc1" * 40)
    liar.tell(Shows(history))
    await laptop.sync()
    assert await shown(laptop) == {"Reading": ("#123456", 0)}
    # Named by an entry, what could not be read is written anew.
    await laptop.journal.write(body="x", tags=["garbled"])
    assert (await laptop.sync()).pending == 0
    assert await shown(laptop) == {"garbled": (color_of("garbled"), 1), "Reading": ("#123456", 0)}


@pytest.mark.parametrize("pending", [False, True])
async def test_what_is_sealed_of_a_tag_stands_against_what_is_not(
    ada: Diarist, liar: LyingServer, *, pending: bool
) -> None:
    laptop = await ada.first(at=liar.url)
    await laptop.journal.write(body="x", tags=["work"])
    await laptop.journal.recolor_tag("work", "#111111")
    await laptop.sync()
    key = tag_id(laptop._device.opened.keyring, "work")
    history = await history_of(laptop)
    follow(history, TAGS, key, payload=pack({"name": "work", "color": "#ffffff"}))
    follow(history, TAGS, key, deleted=True)
    if pending:
        await laptop.journal.recolor_tag("work", "#222222")
    liar.tell(Shows(history))
    report = await laptop.sync()
    assert (report.kept, report.pending) == ((), 0)
    assert await shown(laptop) == {"work": ("#222222" if pending else "#111111", 1)}

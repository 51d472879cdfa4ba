"""Tags between devices: the real SDK and a real server."""

from __future__ import annotations

from lockleaf.client import Client
from lockleaf.client.store.records import TAGS
from lockleaf.wire.palette import color_of
from tests.support.diarist import Diarist
from tests.support.forged_history import history_of
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
